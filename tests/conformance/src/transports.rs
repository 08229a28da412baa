//! Stream transports and their protocols: behaviours 246 to 294.

use crate::case::{Case, Outcome};
use crate::fixture::{event, test};
use crate::wire::{Call, batches, check_written, connect, note, noting, source, wake};
use molen::io::source::SourceError;
use molen::net::{AfterEof, Flow, WriteError};
use molen::testing::{Fault, Told};
use molen::yield_now;

pub(crate) const CASES: &[Case] = &[
    case!(246, made_then_reading_then_the_creator_goes_on),
    case!(247, pausing_in_connection_made_keeps_the_first_read_back),
    case!(248, pausing_and_resuming_twice_does_nothing_more),
    case!(251, what_is_not_sent_waits_and_is_sent_later),
    case!(252, writing_nothing_does_nothing),
    case!(254, writelines_after_the_end_are_dropped),
    case!(256, a_vectored_send_that_stops_within_a_piece_keeps_the_exact_rest),
    case!(257, the_writer_waits_only_while_something_is_left),
    case!(268, the_peers_end_closes_or_keeps_the_transport_open),
    case!(274, interrupted_and_premature_reads_are_nothing),
    case!(275, write_eof_with_nothing_left_shuts_down_once),
    case!(276, write_eof_waits_for_what_is_left),
    case!(277, write_eof_after_close_is_no_error),
    case!(278, writing_after_write_eof_is_an_error),
    case!(279, writing_after_close_is_dropped),
    case!(1601, the_end_is_told_once_also_after_pause_and_resume),
    case!(1602, a_source_that_can_only_be_waited_for_is_driven_too),
    case!(1603, one_read_in_a_batch),
    case!(1606, a_storm_of_interrupts_and_refusals_loses_nothing),
];

fn made_then_reading_then_the_creator_goes_on() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a")], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, |transport, call| {
            if let Call::Made = call {
                event(if transport.is_reading() { "reading" } else { "not reading" });
            }
            noting(transport, call)
        })?;
        check_events![];
        check_eq!(source.read_tries(), 0);
        yield_now().await;
        event("creator");
        check!(transport.is_reading() && !transport.is_closing(), "it does not read");
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["reading", "made", "creator", "a"];
    Ok(())
}

fn pausing_in_connection_made_keeps_the_first_read_back() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a")], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, |transport, call| {
            if let Call::Made = call {
                transport.pause_reading();
            }
            noting(transport, call)
        })?;
        wake(source).await;
        check_eq!(source.read_tries(), 0);
        event("resumed");
        transport.resume_reading();
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "resumed", "a"];
    Ok(())
}

fn pausing_and_resuming_twice_does_nothing_more() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        for _ in 0..2 {
            transport.pause_reading();
            check!(!transport.is_reading(), "it reads while paused");
        }
        for _ in 0..2 {
            transport.resume_reading();
            check!(transport.is_reading(), "it does not read after resuming");
        }
        transport.close();
        check!(!transport.is_reading(), "it reads after close");
        transport.resume_reading();
        transport.pause_reading();
        check!(!transport.is_reading(), "resuming reads after close");
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    Ok(())
}

fn what_is_not_sent_waits_and_is_sent_later() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::Takes(2), Fault::WouldBlock, Fault::Takes(1)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        let mut bytes = *b"hello";
        check_eq!(transport.write(&bytes)?, Flow::Open);
        // The caller's buffer is the caller's again.
        bytes.fill(b'-');
        check_written(source, b"he")?;
        check_eq!(transport.get_write_buffer_size(), 3);
        batches(3).await;
        check_eq!(transport.get_write_buffer_size(), 3);
        // The event lied; then one byte goes, then the rest.
        wake(source).await;
        check_written(source, b"he")?;
        wake(source).await;
        check_written(source, b"hel")?;
        wake(source).await;
        check_written(source, b"hello")?;
        check_eq!(transport.get_write_buffer_size(), 0);
        Outcome::Ok(())
    })??;
    check_events!["made"];
    Ok(())
}

fn writing_nothing_does_nothing() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::Fails(SourceError::ConnectionReset)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        check_eq!(transport.write(b"")?, Flow::Open);
        check_eq!(transport.writelines(&[b"", b""])?, Flow::Open);
        check_eq!(transport.get_write_buffer_size(), 0);
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["made"];
    Ok(())
}

fn writelines_after_the_end_are_dropped() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.abort();
        batches(2).await;
        check!(transport.is_lost(), "it is not lost");
        check_eq!(transport.writelines(&[b"he", b"llo"])?, Flow::Dropped);
        check_eq!(transport.get_write_buffer_size(), 0);
        batches(2).await;
        check_eq!(source.count(), 0);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    Ok(())
}

fn a_vectored_send_that_stops_within_a_piece_keeps_the_exact_rest() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::Takes(3), Fault::Takes(1)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.writelines(&[b"ab", b"", b"cd", b"efg"])?;
        check_written(source, b"abc")?;
        check_eq!(transport.get_write_buffer_size(), 4);
        wake(source).await;
        check_written(source, b"abcd")?;
        wake(source).await;
        check_written(source, b"abcdefg")?;
        Outcome::Ok(())
    })??;
    Ok(())
}

fn the_writer_waits_only_while_something_is_left() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::Takes(1), Fault::Takes(1)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"abc")?;
        wake(source).await;
        check_eq!(transport.get_write_buffer_size(), 1);
        wake(source).await;
        check_eq!(transport.get_write_buffer_size(), 0);
        // Nothing is left: an event is followed by no write.
        wake(source).await;
        check_eq!(source.count(), 3);
        Outcome::Ok(())
    })??;
    Ok(())
}

fn the_peers_end_closes_or_keeps_the_transport_open() -> Outcome {
    let event_loop = new_loop!();
    let source_one = source(&[Fault::End], &[]);
    event_loop.run_until_complete(async {
        connect(&event_loop, source_one, Told::ByEvents, noting)?;
        batches(3).await;
        check_eq!(source_one.closed(), 1);

        let source = source(&[Fault::End], &[]);
        let transport = connect(&event_loop, source, Told::ByEvents, |_transport, call| {
            note(&call);
            Ok(AfterEof::KeepOpen)
        })?;
        batches(3).await;
        check!(!transport.is_reading() && !transport.is_closing(), "it reads, or is closing");
        transport.write(b"x")?;
        check_written(source, b"x")?;
        transport.close();
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "eof", "lost", "made", "eof", "lost"];
    Ok(())
}

fn interrupted_and_premature_reads_are_nothing() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[Fault::Interrupted, Fault::Interrupted, Fault::WouldBlock, Fault::Data(b"a")],
        &[],
    );
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        batches(5).await;
        check_events!["made"];
        check!(transport.is_reading(), "it does not read");
        wake(source).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "a"];
    Ok(())
}

fn write_eof_with_nothing_left_shuts_down_once() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::WouldBlock, Fault::Data(b"a")], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        check!(transport.can_write_eof(), "it cannot write an end");
        transport.write_eof()?;
        transport.write_eof()?;
        batches(2).await;
        check_eq!(source.shutdowns(), 1);
        check!(transport.is_reading(), "it does not read any more");
        wake(source).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "a"];
    Ok(())
}

fn write_eof_waits_for_what_is_left() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"x")?;
        transport.write_eof()?;
        batches(2).await;
        check_eq!(source.shutdowns(), 0);
        wake(source).await;
        check_written(source, b"x")?;
        check_eq!(source.shutdowns(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made"];
    Ok(())
}

fn write_eof_after_close_is_no_error() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.close();
        transport.write_eof()?;
        batches(2).await;
        transport.write_eof()?;
        check_eq!(source.shutdowns(), 0);
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    Ok(())
}

fn writing_after_write_eof_is_an_error() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write_eof()?;
        check_eq!(transport.write(b"x"), Err(WriteError::AfterEof));
        check_eq!(transport.write(b""), Err(WriteError::AfterEof));
        check_eq!(transport.writelines(&[b"x"]), Err(WriteError::AfterEof));
        check_eq!(source.count(), 0);
        Ok(())
    })?
}

fn writing_after_close_is_dropped() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"x")?;
        transport.close();
        // Also while something is left to be written: one rule.
        check_eq!(transport.write(b"y")?, Flow::Dropped);
        wake(source).await;
        check_eq!(transport.write(b"z")?, Flow::Dropped);
        check_written(source, b"x")?;
        Outcome::Ok(())
    })??;
    check_events!["made", "lost"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn the_end_is_told_once_also_after_pause_and_resume() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::End], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, |_transport, call| {
            note(&call);
            Ok(AfterEof::KeepOpen)
        })?;
        batches(3).await;
        transport.pause_reading();
        transport.resume_reading();
        wake(source).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "eof"];
    Ok(())
}

fn a_source_that_can_only_be_waited_for_is_driven_too() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[Fault::Data(b"a"), Fault::WouldBlock, Fault::Data(b"b"), Fault::End],
        &[Fault::WouldBlock],
    );
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByWaiting, noting)?;
        batches(4).await;
        check_events!["made", "a"];
        transport.write(b"x")?;
        batches(2).await;
        check_eq!(source.count(), 0);
        wake(source).await;
        check_written(source, b"x")?;
        batches(3).await;
        check_eq!(source.closed(), 1);
        Outcome::Ok(())
    })??;
    check_events!["made", "a", "b", "eof", "lost"];
    Ok(())
}

fn one_read_in_a_batch() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a"), Fault::Data(b"b")], &[]);
    event_loop.run_until_complete(async {
        connect(&event_loop, source, Told::ByEvents, noting)?;
        for _ in 0..3 {
            yield_now().await;
            event("batch");
        }
        Outcome::Ok(())
    })??;
    check_events!["made", "batch", "a", "batch", "b", "batch"];
    Ok(())
}

fn a_storm_of_interrupts_and_refusals_loses_nothing() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[
            Fault::Interrupted,
            Fault::Data(b"a"),
            Fault::WouldBlock,
            Fault::WouldBlock,
            Fault::Interrupted,
            Fault::Data(b"b"),
        ],
        &[
            Fault::Interrupted,
            Fault::WouldBlock,
            Fault::Takes(1),
            Fault::WouldBlock,
            Fault::Interrupted,
            Fault::Takes(2),
        ],
    );
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(b"hel")?;
        transport.write(b"lo")?;
        for _ in 0..8 {
            wake(source).await;
        }
        check_written(source, b"hello")?;
        check_eq!(transport.get_write_buffer_size(), 0);
        Outcome::Ok(())
    })??;
    check_events!["made", "a", "b"];
    Ok(())
}
