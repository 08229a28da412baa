//! Streams: behaviours 363 to 385. Buffers that grow need a heap; what has a
//! given buffer is in `pull_reader`.

use crate::case::Case;

macro_rules! on_the_heap {
    ($($number:literal $name:ident)*) => {
        pub(crate) const CASES: &[Case] = &[$(case!($number, $name),)*];

        #[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
        mod heap {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $name() -> Outcome {
                Err(Failure::Unsupported("stream buffers need a heap"))
            })*
        }
    };
}
on_the_heap! {
    363 a_line_over_the_limit_is_dropped_and_the_next_is_intact
    364 an_overrun_of_readuntil_leaves_everything
    365 a_separator_in_pieces_is_found
    366 the_separator_that_ends_first_counts
    367 separators_of_different_lengths_are_looked_for_in_bounds
    368 an_early_end_gives_what_was_left
    369 the_last_line_needs_no_end
    370 reading_numbers_of_bytes_knows_no_limit
    371 reading_to_the_end_passes_the_limit
    372 reading_nothing_takes_nothing
    373 reading_is_paused_above_twice_the_limit
    375 a_stored_error_comes_before_bytes
    376 a_waiting_read_gets_the_error
    377 an_error_after_a_cancelled_read_is_no_harm
    380 all_who_drain_go_on
    381 a_loop_that_never_waits_learns_of_the_end
    382 writing_after_close_drains_to_an_error
    383 unread_bytes_do_not_keep_a_connection
    384 a_closed_writer_ends_its_reader
    385 a_failing_handler_is_reported
    2047 a_handler_that_is_cancelled_at_any_poll_closes_silently
    1622 a_dropped_writer_closes_its_connection
    1623 who_waits_learns_that_nobody_drives_the_connection
    1957 clearing_up_leaves_driven_connections_alone
    2080 a_read_that_is_dropped_when_bytes_have_come_leaves_them
    2081 a_read_of_less_than_has_come_leaves_the_rest
    2082 a_waiting_read_meets_the_end_behind_the_bytes
    2083 a_waiting_read_meets_a_failure_behind_the_bytes
    2101 bytes_are_lent_and_read_when_consumed
    2106 bytes_that_come_while_some_are_lent_come_behind_them
    2107 lent_bytes_count_for_the_limit
}
use heap::*;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::door::Door;
    use crate::fixture::{event, test};
    use crate::wire::{batches, check_written, source, wake};
    use core::cell::RefCell;
    use core::future::{Future, pending, poll_fn};
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use molen::io::source::SourceError;
    use molen::net::{
        ConnectionError, ProtocolError, ReadError, Start, StreamReader, StreamWriter,
        WriteBufferLimits, open_streams, start_stream_server,
    };
    use molen::task::{all_tasks, current_task};
    use molen::testing::{Fault, FaultSource, Told};
    use molen::{catch_cancel, create_task};
    use std::rc::Rc;
    use std::vec::Vec;

    const RESET: ConnectionError = ConnectionError::Source(SourceError::ConnectionReset);

    /// What a read ended with, without its bytes.
    fn error_of<T>(result: Result<T, ReadError<Vec<u8>>>) -> Result<ReadError<Vec<u8>>, Failure> {
        result.err().ok_or_else(|| Failure::said("a read did not fail"))
    }

    pub(super) fn a_line_over_the_limit_is_dropped_and_the_next_is_intact() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let mut reader = StreamReader::with_limit(3);
            reader.feed_data(b"line 1\nl2\n");
            check_matches!(
                error_of(reader.readline().await)?,
                ReadError::LimitOverrun { found: true, consumed: 6 }
            );
            check_eq!(reader.readline().await?, b"l2\n");
            reader.feed_data(b"line without an end");
            check_matches!(
                error_of(reader.readline().await)?,
                ReadError::LimitOverrun { found: false, .. }
            );
            reader.feed_eof();
            check!(reader.at_eof(), "something is left");
            Ok(())
        })?
    }

    pub(super) fn an_overrun_of_readuntil_leaves_everything() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let mut reader = StreamReader::with_limit(3);
            reader.feed_data(b"some dataAA");
            check_matches!(
                error_of(reader.readuntil(&[b"AAA"]).await)?,
                ReadError::LimitOverrun { found: false, consumed: 9 }
            );
            reader.feed_data(b"A");
            check_matches!(
                error_of(reader.readuntil(&[b"AAA"]).await)?,
                ReadError::LimitOverrun { found: true, consumed: 9 }
            );
            let mut all = [0; 12];
            reader.readexactly(&mut all).await?;
            check_eq!(&all, b"some dataAAA");
            Ok(())
        })?
    }

    /// Feeds the reader one piece after the other, with a batch in between.
    async fn feed(reader: &FaultSource, count: usize) {
        for _ in 0..count {
            wake(reader).await;
        }
    }

    pub(super) fn a_separator_in_pieces_is_found() -> Outcome {
        let event_loop = new_loop!();
        let source = source(
            &[
                Fault::WouldBlock,
                Fault::Data(b"QWERaa"),
                Fault::Data(b"aXa"),
                Fault::WouldBlock,
                Fault::Data(b"aarest"),
            ],
            &[],
        );
        event_loop.run_until_complete(async {
            let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
            let reading = create_task(async move {
                let found = reader.readuntil(&[b"aaa"]).await?;
                check_eq!(found, b"QWERaaa");
                let found = reader.readuntil(&[b"aaa"]).await?;
                check_eq!(found, b"Xaaa");
                let mut rest = [0; 4];
                reader.readexactly(&mut rest).await?;
                check_eq!(&rest, b"rest");
                Outcome::Ok(())
            })?;
            feed(source, 3).await;
            reading.await?
        })?
    }

    pub(super) fn the_separator_that_ends_first_counts() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let mut reader = StreamReader::new();
            reader.feed_data(b"ABCD?EF");
            check_eq!(reader.readuntil(&[b"EF", b"?", b"BCD"]).await?, b"ABCD");
            check_eq!(reader.readuntil(&[b"EF", b"?"]).await?, b"?");
            check_matches!(error_of(reader.readuntil(&[]).await)?, ReadError::NoSeparator);
            check_matches!(error_of(reader.readuntil(&[b""]).await)?, ReadError::NoSeparator);
            Ok(())
        })?
    }

    pub(super) fn separators_of_different_lengths_are_looked_for_in_bounds() -> Outcome {
        let event_loop = new_loop!();
        let source = source(
            &[Fault::WouldBlock, Fault::Data(b"data"), Fault::WouldBlock, Fault::Data(b"-")],
            &[],
        );
        event_loop.run_until_complete(async {
            let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
            batches(1).await;
            let reading = create_task(async move { reader.readuntil(&[b"-", b"longsep"]).await })?;
            feed(source, 2).await;
            check_eq!(reading.await??, b"data-");
            Ok(())
        })?
    }

    pub(super) fn an_early_end_gives_what_was_left() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let mut reader = StreamReader::new();
            reader.feed_data(b"some data");
            reader.feed_eof();
            match error_of(reader.readuntil(&[b"!"]).await)? {
                ReadError::Incomplete { partial, expected: None } => {
                    check_eq!(partial, b"some data");
                }
                error => return Err(Failure::shown(&error)),
            }
            check!(reader.at_eof(), "something is left");

            let mut reader = StreamReader::new();
            reader.feed_data(b"abc");
            reader.feed_eof();
            match error_of(reader.readexactly(&mut [0; 5]).await)? {
                ReadError::Incomplete { partial, expected: Some(5) } => check_eq!(partial, b"abc"),
                error => return Err(Failure::shown(&error)),
            }
            check!(reader.at_eof(), "something is left");
            Ok(())
        })?
    }

    pub(super) fn the_last_line_needs_no_end() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let mut reader = StreamReader::new();
            reader.feed_data(b"a\nsome data");
            reader.feed_eof();
            check_eq!(reader.readline().await?, b"a\n");
            check_eq!(reader.readline().await?, b"some data");
            check_eq!(reader.readline().await?, b"");
            Ok(())
        })?
    }

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

    pub(super) fn clearing_up_leaves_driven_connections_alone() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[Fault::WouldBlock]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            let handler = async |_reader: StreamReader, writer: StreamWriter| {
                // What it has to say when it is cancelled takes its time to leave.
                let _ = catch_cancel(pending::<()>()).await;
                event("cancelled");
                let _ = writer.write(b"bye");
                writer.close();
                writer.wait_closed().await
            };
            let server = start_stream_server([door.listener()], handler, 64, Start::Now)?;
            door.open_waiting(source);
            batches(4).await;
            // As a runner does behind a program: it knows of the handler and of nobody else.
            let this = current_task();
            let others = all_tasks().into_iter().filter(|task| Some(task) != this.as_ref());
            let others: Vec<_> = others.collect();
            check_eq!(others.len(), 1);
            check!(others[0].cancel(), "it had ended");
            batches(4).await;
            check!(!others[0].done(), "it has ended");
            check!(server.is_serving() && door.is_open(), "the server was cancelled");
            wake(source).await;
            batches(2).await;
            check!(others[0].done(), "it waits");
            check_eq!(source.closed(), 1);
            server.close();
            check_written(source, b"bye")
        })??;
        check_events!["cancelled"];
        Ok(())
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

    pub(super) fn a_failing_handler_is_reported() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[], &[]);
        event_loop.run_until_complete(async {
            let door = Door::new();
            let handler = |_reader: StreamReader, _writer: StreamWriter| async {
                event("handler");
                Err::<(), _>(ProtocolError::new("boom"))
            };
            let server = start_stream_server([door.listener()], handler, 64, Start::Now)?;
            door.open(source);
            batches(6).await;
            check_eq!(source.closed(), 1);
            check_eq!(server.client_count(), 0);
            server.close();
            Outcome::Ok(())
        })??;
        check_events!["handler"];
        check_eq!(test().backend.report_count(), 1);
        check_eq!(
            test().backend.reported(0).as_deref(),
            Some("the handler of a stream connection failed: boom")
        );
        Ok(())
    }
    /// Awaits this many times; each of its polls may be the last.
    const AWAITS: usize = 3;

    pub(super) fn a_handler_that_is_cancelled_at_any_poll_closes_silently() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            for polls in 0..=AWAITS {
                let task = Rc::new(RefCell::new(None));
                let seen = task.clone();
                let handler = move |_reader: StreamReader, _writer: StreamWriter| {
                    let seen = seen.clone();
                    async move {
                        *seen.borrow_mut() = current_task();
                        batches(AWAITS).await;
                        event("it went on");
                    }
                };
                let door = Door::new();
                let source = source(&[], &[]);
                let server = start_stream_server([door.listener()], handler, 64, Start::Now)?;
                door.open(source);
                while task.borrow().is_none() {
                    batches(1).await;
                }
                batches(polls).await;
                let handler = task.take().ok_or(Failure::said("it never ran"))?;
                if polls < AWAITS {
                    handler.cancel();
                }
                batches(AWAITS + 3).await;
                check!(handler.done(), "it was cancelled, and goes on");
                check_eq!(source.closed(), 1);
                check_eq!(server.client_count(), 0);
                server.close();
            }
            Outcome::Ok(())
        })??;
        check_events!["it went on"];
        check_eq!(test().backend.report_count(), 0);
        Ok(())
    }

    pub(super) fn bytes_are_lent_and_read_when_consumed() -> Outcome {
        let event_loop = new_loop!();
        let source = source(
            &[Fault::WouldBlock, Fault::Data(b"GET /\nrest"), Fault::WouldBlock, Fault::End],
            &[],
        );
        event_loop.run_until_complete(async {
            let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
            batches(1).await;
            {
                // A wait that is given up takes nothing.
                let mut filling = pin!(reader.fill_buf());
                let mut cx = Context::from_waker(Waker::noop());
                check!(filling.as_mut().poll(&mut cx).is_pending(), "something is there");
                feed(source, 1).await;
            }
            check_eq!(reader.fill_buf().await?, b"GET /\nrest");
            check_eq!(reader.fill_buf().await?, b"GET /\nrest");
            reader.consume(4);
            check_eq!(reader.fill_buf().await?, b"/\nrest");
            check!(!reader.at_eof(), "it is at its end");
            // The other reads begin where the last consume ended.
            check_eq!(reader.readline().await?, b"/\n");
            check_eq!(reader.fill_buf().await?, b"rest");
            let mut two = [0; 2];
            check_eq!(reader.read(&mut two).await?, 2);
            check_eq!(&two, b"re");
            feed(source, 1).await;
            check_eq!(reader.fill_buf().await?, b"st");
            check!(!reader.at_eof(), "what is lent counts as read");
            reader.consume(usize::MAX);
            check!(reader.at_eof(), "something is left");
            check_eq!(reader.fill_buf().await?, b"");
            reader.set_exception(RESET);
            check!(reader.fill_buf().await.is_err(), "fill_buf did not fail");
            Ok(())
        })?
    }

    pub(super) fn bytes_that_come_while_some_are_lent_come_behind_them() -> Outcome {
        let event_loop = new_loop!();
        let source = source(
            &[
                Fault::Data(b"one "),
                Fault::WouldBlock,
                Fault::Data(b"two "),
                Fault::WouldBlock,
                Fault::Data(b"three"),
            ],
            &[],
        );
        event_loop.run_until_complete(async {
            let (mut reader, _writer) = open_streams(source.user(Told::ByEvents), 64).await?;
            let lent = reader.fill_buf().await?;
            batches(2).await;
            feed(source, 1).await;
            // It is still what it was.
            check_eq!(lent, b"one ");
            reader.consume(2);
            check_eq!(reader.fill_buf().await?, b"e two ");
            reader.fill_buf().await?;
            batches(2).await;
            feed(source, 1).await;
            let mut all = [0; 11];
            reader.readexactly(&mut all).await?;
            check_eq!(&all, b"e two three");
            Ok(())
        })?
    }

    pub(super) fn lent_bytes_count_for_the_limit() -> Outcome {
        let event_loop = new_loop!();
        let source = source(&[Fault::Data(b"12345678"), Fault::WouldBlock, Fault::Data(b"9")], &[]);
        event_loop.run_until_complete(async {
            let (mut reader, writer) = open_streams(source.user(Told::ByEvents), 4).await?;
            let lent = reader.fill_buf().await?;
            feed(source, 2).await;
            check_eq!(lent, b"12345678");
            check!(!writer.transport().is_reading(), "it is not paused above twice the limit");
            reader.consume(4);
            check_eq!(reader.fill_buf().await?, b"56789");
            check!(!writer.transport().is_reading(), "it is resumed above the limit");
            reader.consume(1);
            check!(writer.transport().is_reading(), "it is not resumed at the limit");
            Ok(())
        })?
    }
}
