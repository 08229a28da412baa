//! Reading so much or all, up to an end or a failure.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use crate::case::{Failure, Outcome};
use crate::wire::{batches, source};
use molen::create_task;
use molen::io::source::SourceError;
use molen::net::{ConnectionError, ReadError, StreamReader, open_streams};
use molen::testing::{Fault, Told};
use super::fixture::{RESET, error_of, feed};

pub(super) fn reading_numbers_of_bytes_knows_no_limit() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[Fault::Data(b"123456789"), Fault::Data(b"123456789"), Fault::Data(b"12")],
        &[],
    );
    event_loop.run_until_complete(async {
        let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 2).await?;
        let mut twenty = [0; 20];
        // Paused after nine of them, it is read again for what is needed.
        reader.readexactly(&mut twenty).await?;
        check_eq!(&twenty, b"12345678912345678912");

        let mut reader = StreamReader::with_limit(3);
        reader.feed_data(b"chunk");
        let mut five = [0; 8];
        check_eq!(reader.read(&mut five).await?, 5);
        Ok(())
    })?
}

pub(super) fn reading_to_the_end_passes_the_limit() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[Fault::Data(b"123456789"), Fault::WouldBlock, Fault::Data(b"abc"), Fault::End],
        &[],
    );
    event_loop.run_until_complete(async {
        let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 2).await?;
        let reading = create_task(async move { reader.read_to_end().await })?;
        feed(source, 3).await;
        check_eq!(reading.await??, b"123456789abc");
        Ok(())
    })?
}

pub(super) fn reading_nothing_takes_nothing() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut reader = StreamReader::new();
        reader.feed_data(b"a");
        check_eq!(reader.read(&mut []).await?, 0);
        reader.readexactly(&mut []).await?;
        let mut one = [0; 2];
        check_eq!(reader.read(&mut one).await?, 1);
        Ok(())
    })?
}

pub(super) fn reading_is_paused_above_twice_the_limit() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"12345678"), Fault::WouldBlock, Fault::Data(b"9")], &[]);
    event_loop.run_until_complete(async {
        let (mut reader, writer) = open_streams(source.user(Told::ByEvents), 4).await?;
        batches(2).await;
        check!(writer.transport().is_reading(), "it is paused at twice the limit");
        feed(source, 2).await;
        check!(!writer.transport().is_reading(), "it is not paused above twice the limit");
        reader.readexactly(&mut [0; 4]).await?;
        check!(!writer.transport().is_reading(), "it is resumed above the limit");
        reader.readexactly(&mut [0; 1]).await?;
        check!(writer.transport().is_reading(), "it is not resumed at the limit");
        Ok(())
    })?
}

pub(super) fn a_stored_error_comes_before_bytes() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut reader = StreamReader::new();
        reader.feed_data(b"line\n");
        reader.set_exception(RESET);
        check!(reader.read(&mut [0; 4]).await.is_err(), "read did not fail");
        check!(reader.read(&mut []).await.is_err(), "reading nothing did not fail");
        check!(reader.read_to_end().await.is_err(), "read_to_end did not fail");
        check_matches!(error_of(reader.readline().await)?, ReadError::Lost(_));
        check_matches!(error_of(reader.readexactly(&mut [0; 1]).await)?, ReadError::Lost(_));
        Ok(())
    })?
}

pub(super) fn a_waiting_read_gets_the_error() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::WouldBlock, Fault::Fails(SourceError::ConnectionReset)], &[]);
    event_loop.run_until_complete(async {
        let (mut reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        let reading = create_task(async move { reader.readline().await })?;
        feed(source, 2).await;
        check_matches!(
            error_of(reading.await?)?,
            ReadError::Lost(ConnectionError::Source(SourceError::ConnectionReset))
        );
        check!(writer.wait_closed().await.is_err(), "wait_closed knows no error");
        Ok(())
    })?
}

pub(super) fn an_error_after_a_cancelled_read_is_no_harm() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut reader = StreamReader::new();
        {
            let mut waiting = pin!(reader.readline());
            let waits = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await;
            check!(waits, "it does not wait");
        }
        reader.set_exception(RESET);
        check_matches!(error_of(reader.readline().await)?, ReadError::Lost(_));
        batches(2).await;
        Ok(())
    })?
}

/// Polls a read once: whether it waits.
async fn waits<R>(reading: impl Future<Output = R>) -> bool {
    let mut reading = pin!(reading);
    poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx).is_pending())).await
}

pub(super) fn a_read_that_is_dropped_when_bytes_have_come_leaves_them() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::WouldBlock, Fault::Data(b"hello")], &[]);
    event_loop.run_until_complete(async {
        let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        batches(2).await;
        check!(waits(reader.read(&mut [0; 8])).await, "it does not wait");
        // Its waker is called in this turn, and the future is gone.
        feed(source, 1).await;
        batches(2).await;
        let mut all = [0; 8];
        let count = reader.read(&mut all).await?;
        check_eq!(&all[..count], b"hello");
        Ok(())
    })?
}

pub(super) fn a_read_of_less_than_has_come_leaves_the_rest() -> Outcome {
    let event_loop = new_loop!();
    let source =
        source(&[Fault::WouldBlock, Fault::Data(b"line\nand "), Fault::Data(b"more")], &[]);
    event_loop.run_until_complete(async {
        let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        let reading = create_task(async move {
            let mut start = [0; 2];
            let count = reader.read(&mut start).await?;
            check_eq!(&start[..count], b"li");
            let line = reader.readline().await;
            check_eq!(line.ok().as_deref(), Some(&b"ne\n"[..]));
            let mut rest = [0; 8];
            reader.readexactly(&mut rest).await?;
            check_eq!(&rest, b"and more");
            Ok::<(), Failure>(())
        })?;
        feed(source, 3).await;
        reading.await?
    })?
}

pub(super) fn a_waiting_read_meets_the_end_behind_the_bytes() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::WouldBlock, Fault::Data(b"hello"), Fault::End], &[]);
    event_loop.run_until_complete(async {
        let (mut reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        let reading = create_task(async move {
            check_eq!(reader.read(&mut [0; 8]).await?, 5);
            check_eq!(reader.read(&mut [0; 8]).await?, 0);
            check!(reader.at_eof(), "it is not at the end");
            Ok::<(), Failure>(())
        })?;
        feed(source, 3).await;
        reading.await??;
        writer.close();
        Ok(writer.wait_closed().await?)
    })?
}

pub(super) fn a_waiting_read_meets_a_failure_behind_the_bytes() -> Outcome {
    const FAILS: Fault = Fault::Fails(SourceError::ConnectionReset);
    let event_loop = new_loop!();
    let source = source(&[Fault::WouldBlock, Fault::Data(b"hello"), FAILS], &[]);
    event_loop.run_until_complete(async {
        let (mut reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        let reading = create_task(async move {
            check_eq!(reader.read(&mut [0; 8]).await?, 5);
            check_matches!(
                reader.read(&mut [0; 8]).await.err(),
                Some(ConnectionError::Source(SourceError::ConnectionReset))
            );
            Ok::<(), Failure>(())
        })?;
        feed(source, 3).await;
        reading.await??;
        check!(writer.wait_closed().await.is_err(), "wait_closed knows no error");
        Ok(())
    })?
}
