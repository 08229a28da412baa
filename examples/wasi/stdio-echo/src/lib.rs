//! Copies standard input to standard output, while a timer says now and then
//! that the loop still turns.

#![no_std]

use molen::backend::{stdin, stdout};
use molen::io::source::{SourceError, read, write_all};
use molen::{Duration, create_task, sleep};

#[molen::task]
async fn ticks() {
    loop {
        sleep(Duration::from_millis(10)).await;
        let Ok(stdout) = stdout() else { return };
        if write_all(&stdout, b".").await.is_err() {
            return;
        }
    }
}

async fn stdio_echo() -> Result<(), SourceError> {
    // A pool of one, which is free: it cannot be refused.
    let _ = create_task(ticks());
    let (stdin, stdout) = (stdin()?, stdout()?);
    let mut buffer = [0; 512];
    loop {
        match read(&stdin, &mut buffer).await? {
            0 => return write_all(&stdout, b"end\n").await,
            count => write_all(&stdout, &buffer[..count]).await?,
        }
    }
}

start::command!(stdio_echo, Heap);
