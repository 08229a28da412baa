//! Flow control of transports: behaviours 255 and 287 to 294.

use crate::case::{Case, Outcome};
use crate::fixture::event;
use crate::wire::{Call, batches, check_written, connect, note, noting, source, wake};
use molen::net::{AfterEof, Flow, LimitsReversed, WriteBufferLimits};
use molen::testing::{Fault, Told};
use molen::yield_now;

pub(crate) const CASES: &[Case] = &[
    case!(255, writelines_pause_above_the_high_mark),
    case!(287, writes_add_up_to_a_pause),
    case!(288, a_large_write_that_is_sent_at_once_does_not_pause),
    case!(289, draining_to_the_low_mark_resumes_once),
    case!(290, the_marks_themselves_do_not_pause_but_resume),
    case!(291, lower_limits_pause_at_once_and_reversed_ones_are_refused),
    case!(294, a_paused_protocol_is_resumed_before_the_end_or_never),
    case!(1600, a_protocol_is_not_called_from_inside_write),
    case!(1605, limits_may_be_given_by_one_mark),
];

fn writelines_pause_above_the_high_mark() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.set_write_buffer_limits(WriteBufferLimits::of_high(4));
        check_eq!(transport.writelines(&[b"he", b"llo"])?, Flow::Paused);
        batches(2).await;
        wake(source).await;
        check_written(source, b"hello")?;
        Outcome::Ok(())
    })??;
    check_events!["made", "pause", "resume"];
    Ok(())
}

fn writes_add_up_to_a_pause() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.set_write_buffer_limits(WriteBufferLimits::of_high(4));
        check_eq!(transport.write(b"1")?, Flow::Open);
        check_eq!(transport.write(b"22")?, Flow::Open);
        check_eq!(transport.get_write_buffer_size(), 3);
        check_eq!(transport.write(b"333")?, Flow::Paused);
        check_eq!(transport.get_write_buffer_size(), 6);
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "pause"];
    Ok(())
}

fn a_large_write_that_is_sent_at_once_does_not_pause() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.set_write_buffer_limits(WriteBufferLimits::of_high(4));
        check_eq!(transport.write(&[7; 600])?, Flow::Open);
        batches(2).await;
        check_eq!(source.count(), 600);
        Outcome::Ok(())
    })??;
    check_events!["made"];
    Ok(())
}

fn draining_to_the_low_mark_resumes_once() -> Outcome {
    let event_loop = new_loop!();
    let source = source(
        &[],
        &[Fault::WouldBlock, Fault::Takes(2), Fault::Takes(2), Fault::Takes(2), Fault::Takes(1)],
    );
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.set_write_buffer_limits(WriteBufferLimits::new(2, 6)?);
        check_eq!(transport.write(b"1234567")?, Flow::Paused);
        batches(2).await;
        for _ in 0..4 {
            event("drain");
            wake(source).await;
        }
        Outcome::Ok(())
    })??;
    check_events!["made", "pause", "drain", "drain", "drain", "resume", "drain"];
    Ok(())
}

fn the_marks_themselves_do_not_pause_but_resume() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock, Fault::Takes(3)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.set_write_buffer_limits(WriteBufferLimits::new(2, 4)?);
        check_eq!(transport.write(b"1234")?, Flow::Open);
        batches(2).await;
        check_events!["made"];
        check_eq!(transport.write(b"5")?, Flow::Paused);
        wake(source).await;
        check_eq!(transport.get_write_buffer_size(), 2);
        Outcome::Ok(())
    })??;
    check_events!["made", "pause", "resume"];
    Ok(())
}

fn lower_limits_pause_at_once_and_reversed_ones_are_refused() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write(&[7; 512])?;
        transport.set_write_buffer_limits(WriteBufferLimits::new(128, 1024)?);
        batches(2).await;
        check_events!["made"];
        transport.set_write_buffer_limits(WriteBufferLimits::new(128, 256)?);
        check!(transport.is_writing_paused(), "it is not paused");
        batches(2).await;
        check_eq!(WriteBufferLimits::new(2, 1), Err(LimitsReversed { low: 2, high: 1 }));
        // Higher ones resume nobody.
        transport.set_write_buffer_limits(WriteBufferLimits::new(128, 1024)?);
        check!(transport.is_writing_paused(), "it was resumed");
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "pause"];
    Ok(())
}

fn a_paused_protocol_is_resumed_before_the_end_or_never() -> Outcome {
    let event_loop = new_loop!();
    let source_one = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source_one, Told::ByEvents, noting)?;
        yield_now().await;
        transport.set_write_buffer_limits(WriteBufferLimits::of_high(0));
        transport.write(b"x")?;
        transport.close();
        batches(2).await;
        wake(source_one).await;

        let source = source(&[], &[Fault::WouldBlock]);
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.set_write_buffer_limits(WriteBufferLimits::of_high(0));
        transport.write(b"x")?;
        batches(2).await;
        transport.abort();
        batches(2).await;
        Outcome::Ok(())
    })??;
    check_events!["made", "pause", "resume", "lost", "made", "pause", "lost"];
    Ok(())
}

fn limits_may_be_given_by_one_mark() -> Outcome {
    let limits = WriteBufferLimits::DEFAULT;
    check_eq!((limits.low(), limits.high()), (16 * 1024, 64 * 1024));
    let limits = WriteBufferLimits::of_low(10);
    check_eq!((limits.low(), limits.high()), (10, 40));
    let limits = WriteBufferLimits::of_high(0);
    check_eq!((limits.low(), limits.high()), (0, 0));
    Ok(())
}

fn a_protocol_is_not_called_from_inside_write() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[Fault::Data(b"a")], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        connect(&event_loop, source, Told::ByEvents, |transport, call| {
            note(&call);
            if let Call::Data(_) = call {
                transport.set_write_buffer_limits(WriteBufferLimits::of_high(0));
                if transport.write(b"x")? == Flow::Paused {
                    event("paused");
                }
                event("returns");
            }
            Ok(AfterEof::Close)
        })?;
        yield_now().await;
        check_events!["made"];
        yield_now().await;
        // As soon as the callback had returned, in the same batch.
        check_events!["made", "a", "paused", "returns", "pause"];
        Ok(())
    })?
}
