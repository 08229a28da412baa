//! Draining, closing, and writers that are dropped.

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use crate::case::{Failure, Outcome};
use crate::fixture::{event, test};
use crate::wire::{batches, check_written, source, wake};
use molen::create_task;
use molen::io::source::SourceError;
use molen::net::{WriteBufferLimits, open_streams};
use molen::testing::{Fault, Told};
use std::rc::Rc;

pub(super) fn all_who_drain_go_on() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let (_reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        let writer = Rc::new(writer);
        writer.drain().await?;
        writer.transport().set_write_buffer_limits(WriteBufferLimits::of_high(4));
        writer.write(b"hello")?;
        for _ in 0..10 {
            let writer = writer.clone();
            create_task(async move {
                if writer.drain().await.is_ok() {
                    event("drained");
                }
            })?
            .detach();
        }
        batches(3).await;
        check_events![];
        wake(source).await;
        check_eq!(test().log.len(), 10);
        Ok(())
    })?
}

pub(super) fn a_loop_that_never_waits_learns_of_the_end() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::Takes(1), Fault::Fails(SourceError::ConnectionReset)]);
    event_loop.run_until_complete(async {
        let (_reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        for _ in 0..100 {
            writer.write(b"x")?;
            if let Err(error) = writer.drain().await {
                check_matches!(error.source_error(), Some(SourceError::ConnectionReset));
                return Ok(());
            }
        }
        Err(Failure::said("drain never failed"))
    })?
}

pub(super) fn writing_after_close_drains_to_an_error() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let (_reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        writer.close();
        writer.write(b"x")?;
        let drained = writer.drain().await;
        check_matches!(
            drained.err().and_then(|error| error.source_error()),
            Some(SourceError::ConnectionReset)
        );
        writer.wait_closed().await?;
        Ok(())
    })?
}

pub(super) fn unread_bytes_do_not_keep_a_connection() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"hello")], &[]);
    event_loop.run_until_complete(async {
        let (reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        batches(2).await;
        writer.close();
        writer.wait_closed().await?;
        check_eq!(source.closed(), 1);
        drop(reader);
        Ok(())
    })?
}

pub(super) fn a_closed_writer_ends_its_reader() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let (mut reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        writer.close();
        check_eq!(reader.read_to_end().await?, b"");
        check!(reader.at_eof(), "it is not at its end");
        Ok(())
    })?
}

pub(super) fn a_dropped_writer_closes_its_connection() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let (reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        writer.write(b"x")?;
        drop((reader, writer));
        batches(2).await;
        check_eq!(source.closed(), 0);
        wake(source).await;
        check_written(source, b"x")?;
        check_eq!(source.closed(), 1);
        Ok(())
    })?
}

pub(super) fn who_waits_learns_that_nobody_drives_the_connection() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    let opening = open_streams(source.user(Told::ByWaiting), 64);
    let (mut reader, writer) = event_loop.run_until_complete(opening)??;
    writer.write(b"x")?;
    event_loop.close()?;
    check!(writer.transport().is_lost(), "it is not lost");
    check_eq!(source.closed(), 1);
    let mut nobody = Context::from_waker(Waker::noop());
    let read = pin!(reader.readline()).poll(&mut nobody);
    check!(matches!(read, Poll::Ready(Err(_))), "the reader knows no error");
    let closed = pin!(writer.wait_closed()).poll(&mut nobody);
    check!(matches!(closed, Poll::Ready(Err(_))), "it was closed in an orderly way");
    Ok(())
}
