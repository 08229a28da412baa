//! Connects to 127.0.0.1 at the port that is given on standard input, sends a
//! line and prints what comes back until the end, or why it could not. After
//! `PORT*` it writes as much as there is room for, drops the connection and
//! says how much that was, without waiting for who should read it.

#![no_std]

use core::fmt::{self, Write};
use molen::backend::{stdin, stdout};
use molen::io::source::{ByteSource, SourceError, read, write_all};
use molen::net::TcpStream;
use molen::{Duration, sleep};

/// The port, and what stands after it.
async fn port() -> Result<(u16, u8), SourceError> {
    let stdin = stdin()?;
    let (mut port, mut byte) = (0u16, [0]);
    while read(&stdin, &mut byte).await? == 1 && byte[0].is_ascii_digit() {
        port = port.wrapping_mul(10).wrapping_add(u16::from(byte[0] - b'0'));
    }
    Ok((port, byte[0]))
}

async fn client() -> Result<(), SourceError> {
    let (port, mark) = port().await?;
    let address = ([127, 0, 0, 1], port).into();
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return say(format_args!("{error}\n")).await,
    };
    if mark == b'*' {
        let (mut written, mut refused) = (0, 0);
        // One refusal may be a pause of the host's; three are a full buffer.
        while refused < 3 {
            match stream.try_write(&[0; 1 << 15]) {
                Ok(count) => (written, refused) = (written + count, 0),
                Err(_) => {
                    refused += 1;
                    sleep(Duration::from_millis(10)).await;
                }
            }
        }
        drop(stream);
        sleep(Duration::from_millis(1)).await;
        return say(format_args!("wrote {written}\n")).await;
    }
    stream.write_all(b"hello from a component\n").await?;
    stream.shutdown()?;
    let stdout = stdout()?;
    let mut buffer = [0; 128];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => write_all(&stdout, &buffer[..count]).await?,
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

start::command!(client, Heap);
