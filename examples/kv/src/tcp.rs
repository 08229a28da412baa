//! The door of the server where there is TCP.

use crate::server::{Limits, Store, accept, serve, sweep};
use molen::create_task;
use molen::net::{TcpListener, TcpStream};
use std::io::{Write, stdout};
use std::net::SocketAddr;
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
    let address: SocketAddr =
        address.parse().map_err(|_| "that is not an address and a port, such as 127.0.0.1:7878")?;
    let listener = TcpListener::bind(address)?;
    // Who started it need not read that.
    let _ = writeln!(stdout(), "kv: listening on {}", listener.local_addr()?);
    create_task(sweeper(store)).map_err(|error| error.to_string())?.detach();
    accept(listener, store, |stream| {
        create_task(client(stream, store))
            .map(|task| task.detach())
            .map_err(|error| error.into_inner().into_arguments().0)
    })
    .await?;
    let _ = writeln!(stdout(), "kv: bye");
    Ok(())
}

#[molen::main]
pub async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:7878".into());
    if address == "--help" || address == "-h" {
        return match write!(stdout(), "{HELP}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    if address.starts_with('-') || arguments.next().is_some() {
        eprint!("kv: cannot understand the arguments\n\n{HELP}");
        return ExitCode::from(2);
    }
    match listen(&address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kv: cannot serve on {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
