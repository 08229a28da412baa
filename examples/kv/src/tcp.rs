//! The door of the server where there is TCP.

use crate::server::{Limits, Store, accept, serve, sweep};
use molen::create_task;
use molen::net::{TcpListener, TcpStream};
use std::process::ExitCode;

const HELP: &str = "\
A key-value server of lines, over TCP.

Usage: kv [ADDRESS]

  ADDRESS   where to listen; 127.0.0.1:7878 if not given, port 0 for any

Try: printf 'SET a 1\\nGET a\\nQUIT\\n' | nc 127.0.0.1 7878
";

#[molen::task(pool_size = 1024)]
async fn client(stream: TcpStream, store: &'static Store) {
    // A client that vanishes is no failure of the server.
    let _ = serve(&stream, store).await;
}

#[molen::task]
async fn sweeper(store: &'static Store) {
    sweep(store).await;
}

async fn listen(address: &str) -> Result<(), Box<dyn std::error::Error>> {
    let store: &'static Store = Box::leak(Box::new(Store::new(Limits::default())));
    let listener = TcpListener::bind(address.parse()?)?;
    println!("kv: listening on {}", listener.local_addr()?);
    create_task(sweeper(store)).map_err(|error| error.to_string())?.detach();
    accept(listener, store, |stream| {
        create_task(client(stream, store))
            .map(|task| task.detach())
            .map_err(|error| error.into_inner().into_arguments().0)
    })
    .await?;
    println!("kv: bye");
    Ok(())
}

#[molen::main]
pub async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7878".into());
    if address == "--help" || address == "-h" {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match listen(&address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kv: cannot serve on {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
