//! Pipes by themselves: read, written, closed, and lost.

use crate::case::{Failure, Outcome};
use crate::fixture::event;
use crate::real::{ok, run, until_events};
use molen::{Duration, create_task, sleep};
use molen::io::source::SourceError;
use molen::net::{AfterEof, Answer, ConnectionError, Protocol, Transport};
use molen::pipe::{ReadPipe, WritePipe, connect_read_pipe, connect_write_pipe};
use molen::subprocess::Process;
use std::vec;
use std::vec::Vec;
use super::fixture::{A_WHILE, all_of, start};

/// Waits until a connection is over.
async fn until_lost(transport: &Transport) {
    while !transport.is_lost() {
        sleep(Duration::from_millis(1)).await;
    }
}

/// Notes what a pipe's protocol is told.
struct Notes;

impl Protocol for Notes {
    fn connection_made(&mut self, _transport: &Transport) -> Answer {
        event("made");
        Ok(())
    }

    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        event("data");
        Ok(())
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        event("eof");
        // A pipe is not kept, whatever is said here.
        Ok(AfterEof::KeepOpen)
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        event(if error.is_some() { "lost by an error" } else { "lost" });
        Ok(())
    }
}

pub(super) fn a_read_pipe_connects_receives_and_closes() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let writer = ok(WritePipe::new(writer))?;
        let transport = ok(connect_read_pipe(ok(ReadPipe::new(reader))?, Notes).await)?;
        check_events!("made");
        ok(writer.write_all(b"one").await)?;
        until_events(2).await;
        check_events!("made", "data");
        drop(writer);
        until_lost(&transport).await;
        check_events!("made", "data", "eof", "lost");
        Ok(())
    })
}

pub(super) fn pausing_a_closed_pipe_does_nothing() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let transport = ok(connect_read_pipe(ok(ReadPipe::new(reader))?, Notes).await)?;
        transport.close();
        transport.pause_reading();
        transport.resume_reading();
        until_lost(&transport).await;
        transport.pause_reading();
        transport.resume_reading();
        check!(!transport.is_reading(), "it reads");
        drop(writer);
        check_events!("made", "lost");
        Ok(())
    })
}

/// The input of a program that reads nothing, and the program.
async fn unread() -> Result<(Process, WritePipe), Failure> {
    let mut process = start(&["sleep"]).await?;
    let Some(stdin) = process.stdin.take() else { return Err(Failure::said("it has no input")) };
    Ok((process, stdin))
}

pub(super) fn a_failed_write_loses_the_connection() -> Outcome {
    run(async {
        let (process, stdin) = unread().await?;
        let transport = ok(connect_write_pipe(stdin, Notes).await)?;
        ok(transport.write(&vec![0; 1 << 20]))?;
        check!(transport.get_write_buffer_size() > 0, "nothing waits to be written");
        ok(process.kill())?;
        until_lost(&transport).await;
        check_eq!(transport.get_write_buffer_size(), 0);
        check_events!("made", "lost by an error");
        Ok(())
    })
}

pub(super) fn write_eof_waits_for_what_is_pending() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let reader = ok(ReadPipe::new(reader))?;
        let transport = ok(connect_write_pipe(ok(WritePipe::new(writer))?, Notes).await)?;
        ok(transport.write(&vec![0; 1 << 20]))?;
        ok(transport.write_eof())?;
        sleep(A_WHILE).await;
        check_events!("made");
        check_eq!(all_of(Some(reader)).await?.len(), 1 << 20);
        until_lost(&transport).await;
        check_events!("made", "lost");
        Ok(())
    })
}

pub(super) fn a_reader_that_vanishes_closes_an_idle_transport() -> Outcome {
    run(async {
        let (process, stdin) = unread().await?;
        let transport = ok(connect_write_pipe(stdin, Notes).await)?;
        sleep(A_WHILE).await;
        check!(!transport.is_closing(), "it is closing");
        ok(process.kill())?;
        until_lost(&transport).await;
        check_events!("made", "lost");
        Ok(())
    })
}

pub(super) fn a_reader_that_vanishes_is_noticed_without_a_write() -> Outcome {
    run(async {
        let (process, stdin) = unread().await?;
        let task = create_task(async move {
            stdin.disconnected().await;
            event("gone");
            stdin.write(b"x").await
        })?;
        sleep(A_WHILE).await;
        event("killing");
        ok(process.kill())?;
        check_eq!(task.await?, Err(SourceError::ConnectionReset));
        check_events!("killing", "gone");
        Ok(())
    })
}

pub(super) fn a_write_that_a_pipe_has_no_room_for_is_written_later() -> Outcome {
    run(async {
        let (reader, writer) = ok(std::io::pipe())?;
        let writer = ok(WritePipe::new(writer))?;
        let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        let expected = bytes.clone();
        let writing = create_task(async move {
            writer.write_all(&bytes).await?;
            writer.close();
            writer.write(b"x").await
        })?;
        sleep(A_WHILE).await;
        let read = all_of(Some(ok(ReadPipe::new(reader))?)).await?;
        check!(read == expected, "what was read is not what was written");
        check_eq!(writing.await?, Err(SourceError::Closed));
        Ok(())
    })
}
