//! TCP echo. A component listens itself (`wasmtime run -S inherit-network`); a
//! preview-1 module takes over the listening socket that its host gave it.
//!
//! It says where it listens: `listening on 127.0.0.1:41234`.

#![no_std]

use core::fmt::{self, Write};
use molen::backend::stdout;
use molen::io::source::{ByteSource, SourceError, write_all};
use molen::net::{TcpListener, TcpStream};
use molen::{Duration, create_task, sleep};

/// One connection. On preview 1 the backend's table is full before the pool.
#[molen::task(pool_size = 256)]
async fn serve(stream: TcpStream) {
    // A client that is gone needs no answer.
    let _ = echo(&stream).await;
}

async fn echo(stream: &TcpStream) -> Result<(), SourceError> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return stream.shutdown(),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

#[cfg(target_env = "p1")]
fn listen() -> Result<TcpListener, SourceError> {
    TcpListener::inherited()
}

#[cfg(target_env = "p2")]
fn listen() -> Result<TcpListener, SourceError> {
    TcpListener::bind(([127, 0, 0, 1], 0).into()).map_err(|error| error.cause)
}

async fn server() -> Result<(), SourceError> {
    let listener = match listen() {
        Ok(listener) => listener,
        Err(error) => {
            say(format_args!("cannot listen: {error}\n")).await?;
            return Err(error);
        }
    };
    match listener.local_addr() {
        Ok(address) => say(format_args!("listening on {address}\n")).await?,
        Err(error) => say(format_args!("listening; {error}\n")).await?,
    }
    loop {
        match listener.accept().await {
            // When the pool is full, the connection is closed with the call.
            Ok((stream, _peer)) => drop(create_task(serve(stream))),
            // Until somebody leaves.
            Err(SourceError::NoDescriptors) => sleep(Duration::from_millis(10)).await,
            Err(error) => return Err(error),
        }
    }
}

/// A line that is put together before it is written.
struct Line {
    bytes: [u8; 256],
    length: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..self.length + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

async fn say(text: fmt::Arguments<'_>) -> Result<(), SourceError> {
    let mut line = Line { bytes: [0; 256], length: 0 };
    // What does not fit is left out.
    let _ = line.write_fmt(text);
    write_all(&stdout()?, &line.bytes[..line.length]).await
}

start::command!(server, Heap);
