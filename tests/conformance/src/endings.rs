//! How connections end: behaviours 253 to 281, as far as they are about that.

use crate::case::{Case, Outcome};
use crate::fixture::{event, test};
use crate::wire::{Call, batches, check_written, connect, note, noting, source, wake};
use molen::io::Ready;
use molen::io::source::SourceError;
use molen::net::{AfterEof, Answer, Flow, ProtocolError, Transport};
use molen::testing::{Fault, Told};
use molen::yield_now;

pub(crate) const CASES: &[Case] = &[
    case!(253, a_failing_send_ends_it_and_later_writes_are_dropped),
    case!(258, closing_with_something_left_reads_no_more_and_is_not_the_end),
    case!(259, the_end_after_the_last_bytes_is_queued),
    case!(260, the_end_comes_once_whatever_is_called),
    case!(261, close_with_nothing_left_ends_it_in_the_next_tick),
    case!(262, close_twice_is_close_once),
    case!(264, abort_after_a_flushed_close_does_nothing),
    case!(267, a_failing_connection_lost_is_reported_and_the_source_closed),
    case!(270, a_failing_data_received_ends_it_with_that_error),
    case!(271, a_failing_eof_received_ends_it_with_that_error),
    case!(272, a_failing_connection_made_closes_the_connection),
    case!(273, a_failing_read_is_told_to_connection_lost_alone),
    case!(280, a_closing_transport_reads_no_more),
    case!(281, abort_forgets_what_was_left),
    case!(1604, bytes_lost_by_the_source_end_the_stream),
    case!(1607, abort_before_connection_made_still_makes_and_loses),
];

/// Fails in one kind of call, and notes all.
macro_rules! failing_in {
    ($call:pat) => {
        |_transport: &Transport, call: Call<'_>| -> Answer<AfterEof> {
            note(&call);
            match call {
                $call => Err(ProtocolError::new("boom")),
                _ => Ok(AfterEof::Close),
            }
        }
    };
}

/// Fails unless this is all that was reported.
#[track_caller]
fn check_reported(expected: &'static str) -> Outcome {
    check_eq!(test().backend.report_count(), 1);
    check_eq!(test().backend.reported(0).as_deref(), Some(expected));
    Ok(())
}

fn a_failing_send_ends_it_and_later_writes_are_dropped() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::Fails(SourceError::ConnectionReset)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        check_eq!(transport.write(b"x")?, Flow::Dropped);
        check!(transport.is_closing(), "it is not closing");
        for _ in 0..4 {
            check_eq!(transport.write(b"x")?, Flow::Dropped);
        }
        check_eq!(test().backend.report_count(), 0);
        check_eq!(transport.write(b"x")?, Flow::Dropped);
        check_eq!(test().backend.report_count(), 1);
        batches(2).await;
        check_eq!(source.count(), 0);
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost: reset"];
    Ok(())
}

fn closing_with_something_left_reads_no_more_and_is_not_the_end() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::WouldBlock, Fault::Data(b"a")], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"x")?;
        transport.close();
        check!(transport.is_closing(), "it is not closing");
        source.set_ready(Ready::READABLE);
        batches(3).await;
        check_events!["made"];
        check_eq!(source.closed(), 0);
        wake(source).await;
        check_written(source, b"x")?;
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    Ok(())
}

fn the_end_after_the_last_bytes_is_queued() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"x")?;
        transport.close();
        batches(2).await;
        source.set_ready(Ready::WRITABLE);
        yield_now().await;
        // In this batch the last byte went.
        check_written(source, b"x")?;
        event("sent");
        check_eq!(source.closed(), 0);
        yield_now().await;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "sent", "lost"];
    Ok(())
}

fn the_end_comes_once_whatever_is_called() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, |transport, call| {
            if let Call::Lost(_) = call {
                transport.close();
                transport.abort();
            }
            noting(transport, call)
        })?;
        yield_now().await;
        for _ in 0..2 {
            transport.close();
            transport.abort();
        }
        batches(2).await;
        transport.abort();
        transport.close();
        batches(2).await;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    Ok(())
}

fn close_with_nothing_left_ends_it_in_the_next_tick() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.close();
        event("closed");
        yield_now().await;
        event("next");
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "closed", "lost", "next"];
    Ok(())
}

fn close_twice_is_close_once() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"x")?;
        transport.close();
        transport.close();
        check_eq!(transport.get_write_buffer_size(), 1);
        wake(source).await;
        check_written(source, b"x")?;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    Ok(())
}

fn abort_after_a_flushed_close_does_nothing() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"x")?;
        transport.close();
        wake(source).await;
        check!(transport.is_lost(), "it is not lost");
        transport.abort();
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn a_failing_connection_lost_is_reported_and_the_source_closed() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, failing_in!(Call::Lost(_)))?;
        yield_now().await;
        transport.close();
        batches(2).await;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    check_reported("a protocol's connection_lost failed: boom")
}

fn a_failing_data_received_ends_it_with_that_error() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a"), Fault::Data(b"b")], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, failing_in!(Call::Data(_)))?;
        transport.write(b"x")?;
        batches(3).await;
        check_eq!(source.count(), 0);
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "a", "lost: protocol"];
    check_reported("a protocol's data_received or buffer_updated failed: boom")
}

fn a_failing_eof_received_ends_it_with_that_error() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::End], &[]);
    event_loop.run_until_complete(async {
        connect(&event_loop, source, Told::ByEvents, failing_in!(Call::Eof))?;
        batches(3).await;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "eof", "lost: protocol"];
    check_reported("a protocol's eof_received failed: boom")
}

fn a_failing_connection_made_closes_the_connection() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a")], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, failing_in!(Call::Made))?;
        yield_now().await;
        check!(transport.is_closing(), "it is open");
        batches(2).await;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost: protocol"];
    check_reported("a protocol's connection_made failed: boom")
}

fn a_failing_read_is_told_to_connection_lost_alone() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[Fault::Data(b"a"), Fault::Fails(SourceError::ConnectionReset)],
        &[Fault::WouldBlock],
    );
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        transport.write(b"x")?;
        batches(4).await;
        check!(transport.is_lost(), "it is not lost");
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "a", "lost: reset"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn abort_forgets_what_was_left() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"x")?;
        transport.abort();
        check_eq!(transport.get_write_buffer_size(), 0);
        wake(source).await;
        check_eq!(source.count(), 0);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    Ok(())
}

fn abort_before_connection_made_still_makes_and_loses() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a")], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        transport.abort();
        batches(3).await;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    Ok(())
}

fn bytes_lost_by_the_source_end_the_stream() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Fails(SourceError::Overrun(3)), Fault::Data(b"a")], &[]);
    event_loop.run_until_complete(async {
        connect(&event_loop, source, Told::ByEvents, noting)?;
        batches(3).await;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost: protocol"];
    check_reported("a protocol's data_lost failed: input overrun: bytes were lost")
}

fn a_closing_transport_reads_no_more() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a")], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, |transport, call| {
            if let Call::Made = call {
                transport.pause_reading();
            }
            noting(transport, call)
        })?;
        yield_now().await;
        transport.write(b"x")?;
        transport.close();
        transport.resume_reading();
        source.set_ready(Ready::READABLE);
        batches(3).await;
        check_eq!(source.read_tries(), 0);
        Outcome::Ok(())
    })??;
    check_events!["made"];
    Ok(())
}
