//! Sends back what it is sent, to any number of clients.
//!
//! `cargo run -p molen-std --example echo -- 127.0.0.1:7007`, then `nc 127.0.0.1 7007`.
//! Under `strace -f -c` it shows what a request costs: one read, one write, one wait.

use molen_core::create_task;
use molen_core::io::accept_with_backoff;
use molen_core::io::source::SourceError;
use molen_std::net::{TcpListener, TcpStream};

async fn echo(client: TcpStream) -> Result<(), SourceError> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match client.read(&mut buffer).await? {
            0 => return Ok(()),
            count => client.write_all(&buffer[..count]).await?,
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7007".into());
    let address = address
        .parse()
        .map_err(|_| format!("cannot listen on {address}: not of the form 127.0.0.1:7007"))?;
    let event_loop = molen_std::new_event_loop()?;
    event_loop.run_until_complete(async {
        let listener = TcpListener::bind(address)?;
        println!("listening on {}", listener.local_addr()?);
        loop {
            let client = accept_with_backoff(&listener).await?;
            client.set_nodelay(true)?;
            create_task(async {
                if let Err(error) = echo(client).await {
                    eprintln!("a client left: {error}");
                }
            })
            .map_err(|error| error.to_string())?
            .detach();
        }
    })?
}
