//! A server that answers lines, and a client that asks it, in one loop: the
//! same program on a desktop and in a WASI 0.2 component.
//!
//! ```text
//! cargo run --example streams
//! cargo run --example streams --target wasm32-wasip2 --features alloc
//! ```

use molen::net::{StreamReader, StreamWriter, open_connection, start_server};
use std::error::Error;

/// Answers each line with its length.
async fn answer(mut reader: StreamReader, writer: StreamWriter) -> Result<(), Box<dyn Error>> {
    loop {
        let line = reader.readline().await?;
        if line.is_empty() {
            return Ok(());
        }
        writer.write(format!("{}\n", line.trim_ascii_end().len()).as_bytes())?;
        writer.drain().await?;
    }
}

async fn talk() -> Result<(), Box<dyn Error>> {
    let server = start_server("127.0.0.1:0", answer).await?;
    let (mut reader, writer) = open_connection(server.addresses()[0]).await?;
    for question in ["one", "three", "eleven"] {
        writer.writelines(&[question.as_bytes(), b"\n"])?;
        let answer = reader.readline().await?;
        println!("{question}: {}", String::from_utf8_lossy(answer.trim_ascii_end()));
    }
    writer.close();
    writer.wait_closed().await?;
    server.close();
    server.wait_closed().await;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    molen::run(talk())?
}
