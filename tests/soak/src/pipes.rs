//! Pipes, and those of which one end goes early.

use crate::activities::{Done, Place, require, while_doing};
use crate::tcp::some_bytes;
use molen::net::open_streams;
use molen::pipe::{ReadPipe, WritePipe};
use molen::testing::Chance;
use molen::{create_task, timeout};
use std::rc::Rc;
use std::time::Duration;

fn ends() -> Result<(ReadPipe, WritePipe), String> {
    let (reader, writer) = std::io::pipe().map_err(while_doing("making a pipe"))?;
    let failed = while_doing("taking over a pipe");
    Ok((ReadPipe::new(reader).map_err(&failed)?, WritePipe::new(writer).map_err(&failed)?))
}

/// What is written at one end is read at the other.
pub async fn send_through(_place: Place, chance: Rc<Chance>) -> Done {
    let (reader, writer) = ends()?;
    let sent = some_bytes(&chance);
    let bytes = sent.clone();
    let writing = create_task(async move { writer.write_all(&bytes).await })
        .map_err(while_doing("creating a task"))?;
    let received = if chance.happens(128) {
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await.map_err(while_doing("reading a pipe"))?;
        received
    } else {
        let failed = while_doing("streaming a pipe");
        let (mut lines, _writer) = open_streams(reader, 100).await.map_err(&failed)?;
        lines.read_to_end().await.map_err(while_doing("reading a streamed pipe"))?
    };
    writing.await.map_err(while_doing("a task"))?.map_err(while_doing("writing a pipe"))?;
    require(received == sent, "other bytes came through a pipe")
}

/// One end goes while the other one still waits.
pub async fn break_one(_place: Place, chance: Rc<Chance>) -> Done {
    let (reader, writer) = ends()?;
    if chance.happens(128) {
        let writing = create_task(async move { writer.write_all(&[3; 300_000]).await })
            .map_err(while_doing("creating a task"))?;
        let _ = reader.read(&mut [0; 50]).await;
        drop(reader);
        let written = writing.await.map_err(while_doing("a task"))?;
        require(written.is_err(), "all was written though nobody read it")
    } else {
        let read = timeout(Duration::from_millis(2), reader.read(&mut [0; 9])).await;
        require(read.is_err(), "something came from nowhere")?;
        writer.close();
        let read = reader.read(&mut [0; 9]).await;
        require(read == Ok(0), "the end of a pipe is none")
    }
}
