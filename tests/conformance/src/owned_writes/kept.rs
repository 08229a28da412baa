//! The cases, where there is a heap.

use crate::case::{Failure, Outcome};
use crate::fixture::{OnDrop, event};
use crate::wire::{Probe, batches, check_written, connect, noting, source, wake};
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};
use molen::io::source::{ByteSource, Source, SourceError};
use molen::io::{EventListener, Interest, Ready, Registration};
use molen::net::{AfterEof, Flow, Transport, WriteBufferLimits, WriteError, open_streams};
use molen::testing::{Chance, Fault, FaultRates, FaultWire, Told, WireSide};
use molen::yield_now;
use std::boxed::Box;
use std::rc::Rc;
use std::vec::Vec;

/// Bytes that note when they are dropped, and then do what the case says.
struct Noted {
    bytes: &'static [u8],
    then: Option<Box<dyn FnOnce()>>,
    _noted: OnDrop,
}

impl Noted {
    fn new(bytes: &'static [u8], dropped: &'static str) -> Noted {
        Noted { bytes, then: None, _noted: OnDrop(dropped) }
    }

    fn then(mut self, then: impl FnOnce() + 'static) -> Noted {
        self.then = Some(Box::new(then));
        self
    }
}

impl AsRef<[u8]> for Noted {
    fn as_ref(&self) -> &[u8] {
        self.bytes
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if let Some(then) = self.then.take() {
            then();
        }
    }
}

pub(super) fn what_waits_is_the_buffer_itself_and_is_dropped_when_it_is_written() -> Outcome {
    let event_loop = new_loop!();
    let tap = Tap::new(2);
    event_loop.run_until_complete(async {
        let transport = Transport::new(&event_loop, tap.clone(), Probe(noting))?;
        yield_now().await;
        let bytes: Rc<[u8]> = Rc::from(*b"hello");
        check_eq!(transport.write_owned(bytes.clone())?, Flow::Open);
        check_eq!(transport.get_write_buffer_size(), 3);
        check_eq!(Rc::strong_count(&bytes), 2);
        check_eq!(transport.write_owned("!")?, Flow::Open);
        tap.event().await;
        tap.event().await;
        check_eq!(transport.get_write_buffer_size(), 0);
        check_eq!(Rc::strong_count(&bytes), 1);
        // Two bytes each time, each time from where they were from the beginning.
        let start = bytes.as_ptr();
        let expected = [start, start.wrapping_add(2), start.wrapping_add(4)];
        check_eq!(*tap.firsts.borrow(), expected);
        // What goes at once is dropped at once.
        transport.write_owned(Noted::new(b"ab", "dropped"))?;
        event("written");
        Outcome::Ok(())
    })??;
    check_events!["made", "dropped", "written"];
    Ok(())
}

pub(super) fn copied_and_owned_writes_go_in_the_order_in_which_they_came() -> Outcome {
    let event_loop = new_loop!();
    let source =
        source(&[], &[Fault::Takes(2), Fault::Takes(4), Fault::WouldBlock, Fault::Takes(5)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write_owned(Noted::new(b"abcd", "abcd"))?;
        transport.write(b"ef")?;
        transport.write_owned(Vec::from(*b""))?;
        transport.write_owned(Noted::new(b"gh", "gh"))?;
        transport.write_owned(Noted::new(b"ij", "ij"))?;
        transport.writelines(&[b"k", b"l"])?;
        check_eq!(transport.get_write_buffer_size(), 10);
        for size in [6, 6, 1, 0] {
            event("goes on");
            wake(source).await;
            check_eq!(transport.get_write_buffer_size(), size);
        }
        check_written(source, b"abcdefghijkl")
    })??;
    check_events!["made", "goes on", "abcd", "goes on", "goes on", "gh", "ij", "goes on"];
    Ok(())
}

pub(super) fn owned_bytes_count_for_the_marks() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock, Fault::Takes(3), Fault::Takes(1)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.set_write_buffer_limits(WriteBufferLimits::new(2, 4)?);
        check_eq!(transport.write_owned(*b"1234")?, Flow::Open);
        check_eq!(transport.write_owned("56")?, Flow::Paused);
        batches(2).await;
        wake(source).await;
        check_eq!(transport.get_write_buffer_size(), 3);
        event("three are left");
        wake(source).await;
        check_eq!(transport.get_write_buffer_size(), 2);
        Outcome::Ok(())
    })??;
    check_events!["made", "pause", "three are left", "resume"];
    Ok(())
}

pub(super) fn a_refused_write_gives_its_bytes_back() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write_owned("before")?;
        transport.write_eof()?;
        let refused = transport.write_owned(Vec::from(*b"after")).err();
        let refused = refused.ok_or_else(|| Failure::said("written after the end"))?;
        check_eq!((refused.error, &refused.bytes[..]), (WriteError::AfterEof, &b"after"[..]));
        let refused = transport.writelines_owned(Vec::from(["a", "b"])).err();
        let refused = refused.ok_or_else(|| Failure::said("written after the end"))?;
        check_eq!((refused.error, refused.bytes.len()), (WriteError::AfterEof, 2));
        wake(source).await;
        check_eq!((source.count(), source.shutdowns()), (6, 1));
        Outcome::Ok(())
    })??;
    check_events!["made"];
    Ok(())
}

pub(super) fn closing_and_ending_wait_for_owned_bytes() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock, Fault::Takes(3)]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        transport.write_owned(Noted::new(b"hello", "hello is dropped"))?;
        transport.close();
        let dropped = transport.write_owned(Noted::new(b"too late", "too late"))?;
        check_eq!(dropped, Flow::Dropped);
        for _ in 0..2 {
            event("goes on");
            wake(source).await;
        }
        batches(2).await;
        check!(transport.is_lost(), "it is not over");
        check_written(source, b"hello")
    })??;
    check_events!["made", "too late", "goes on", "goes on", "hello is dropped", "lost"];
    Ok(())
}

pub(super) fn an_end_drops_what_waits_when_nothing_is_borrowed() -> Outcome {
    const FAILS: [Fault; 2] = [Fault::WouldBlock, Fault::Fails(SourceError::ConnectionReset)];
    let event_loop = new_loop!();
    let source = source(&[], &[]);
    for fails in [false, true] {
        source.reset(&[], if fails { &FAILS } else { &FAILS[..1] });
        event_loop.run_until_complete(async {
            let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
            yield_now().await;
            let its = transport.clone();
            // Whatever it calls, nothing is in the way.
            let calls = move || {
                let flow = its.write(b"more");
                let size = its.get_write_buffer_size();
                its.close();
                let as_due = matches!((flow, size), (Ok(Flow::Dropped), 0));
                event(if as_due { "nothing waits" } else { "something waits" });
            };
            transport.write_owned(Noted::new(b"hello", "dropped").then(calls))?;
            match fails {
                true => source.set_ready(Ready::WRITABLE),
                false => transport.abort(),
            }
            batches(3).await;
            check!(transport.is_lost(), "it is not over");
            check_eq!(source.count(), 0);
            Outcome::Ok(())
        })??;
        match fails {
            true => check_events!["made", "nothing waits", "dropped", "lost: reset"],
            false => check_events!["made", "nothing waits", "dropped", "lost"],
        }
        crate::fixture::reset();
    }
    Ok(())
}

pub(super) fn a_buffer_that_writes_when_it_is_dropped_goes_last() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::WouldBlock]);
    event_loop.run_until_complete(async {
        let transport = connect(&event_loop, source, Told::ByEvents, noting)?;
        yield_now().await;
        let its = transport.clone();
        let writes = move || {
            let _ = its.write_owned("3");
        };
        transport.write_owned(Noted::new(b"1", "1 is dropped").then(writes))?;
        transport.write_owned(Noted::new(b"2", "2 is dropped"))?;
        wake(source).await;
        check_eq!(transport.get_write_buffer_size(), 0);
        check_written(source, b"123")
    })??;
    check_events!["made", "1 is dropped", "2 is dropped"];
    Ok(())
}

pub(super) fn many_pieces_go_with_few_calls() -> Outcome {
    let event_loop = new_loop!();
    let tap = Tap::new(usize::MAX);
    event_loop.run_until_complete(async {
        let transport = Transport::new(&event_loop, tap.clone(), Probe(noting))?;
        yield_now().await;
        check_eq!(transport.writelines_owned(Vec::from(["ab", "", "cd"]))?, Flow::Open);
        check_eq!(*tap.calls.borrow(), [3]);
        tap.open.set(false);
        transport.write(b"ef")?;
        for _ in 0..100 {
            transport.write_owned("g")?;
        }
        let mut lines = Vec::from([""; 3]);
        lines.extend(["h"; 50]);
        transport.writelines_owned(lines)?;
        check_eq!(transport.get_write_buffer_size(), 152);
        tap.calls.borrow_mut().clear();
        tap.event().await;
        tap.event().await;
        tap.event().await;
        check_eq!(transport.get_write_buffer_size(), 0);
        check_eq!(*tap.calls.borrow(), [64, 64, 23]);
        Outcome::Ok(())
    })??;
    check_events!["made"];
    Ok(())
}

pub(super) fn a_stream_drains_what_it_took_over() -> Outcome {
    let event_loop = new_loop!();
    let source = source(&[], &[Fault::Takes(1)]);
    event_loop.run_until_complete(async {
        let (_reader, writer) = open_streams(source.user(Told::ByEvents), 64).await?;
        writer.transport().set_write_buffer_limits(WriteBufferLimits::of_high(0));
        check_eq!(writer.write_owned(Noted::new(b"abc", "abc is dropped"))?, Flow::Paused);
        check_eq!(writer.writelines_owned(Vec::from(["d", "e"]))?, Flow::Paused);
        let drained = async {
            writer.drain().await?;
            event("drained");
            Outcome::Ok(())
        };
        let wakes = async {
            batches(3).await;
            event("goes on");
            wake(source).await;
            Outcome::Ok(())
        };
        let (drained, woken) = molen::join((drained, wakes)).await;
        drained.and(woken)?;
        check_written(source, b"abcde")
    })??;
    check_events!["goes on", "abc is dropped", "drained"];
    Ok(())
}

/// How many runs; fewer where instructions are emulated.
const SEEDS: u64 = if cfg!(target_os = "none") { 12 } else { 200 };

/// The byte number `index`.
fn numbered(index: usize) -> u8 {
    (index * 7 + 3) as u8
}

pub(super) fn mixed_writes_arrive_once_and_in_order_over_a_faulty_wire() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS {
            send_mixed(&event_loop, seed).await?;
        }
        Outcome::Ok(())
    })??;
    Ok(())
}

async fn send_mixed(event_loop: &molen::EventLoop, seed: u64) -> Outcome {
    let failed = |what: &str| Failure::shown(&format_args!("seed {seed}: {what}"));
    let chance = Chance::new(!seed);
    let wire = Rc::new(FaultWire::<24>::new());
    wire.reset(seed, FaultRates::STORM);
    let told = if seed.is_multiple_of(2) { Told::ByEvents } else { Told::ByWaiting };
    let near = FaultWire::end(wire.clone(), WireSide::Near, told);
    let far = FaultWire::end(wire.clone(), WireSide::Far, Told::ByWaiting);
    let transport = Transport::new(event_loop, near, Probe(|_, _| Ok(AfterEof::Close)))?;
    // Whatever was taken over and is not dropped has one of these.
    let alive = Rc::new(());
    let (mut sent, mut got) = (0, 0);
    let read = |got: &mut usize| -> Outcome {
        let mut bytes = [0; 9];
        let count = far.try_read(&mut bytes).unwrap_or(0);
        for byte in &bytes[..count] {
            if *byte != numbered(*got) {
                return Err(failed("a byte went twice, late or never"));
            }
            *got += 1;
        }
        Ok(())
    };
    for _ in 0..60 {
        let count = chance.below(12);
        let bytes: Vec<u8> = (sent..sent + count).map(numbered).collect();
        let (first, rest) = bytes.split_at(count / 2);
        let owned = |bytes: &[u8]| Owned(bytes.to_vec(), alive.clone());
        match chance.below(4) {
            0 => transport.write(&bytes)?,
            1 => transport.writelines(&[first, rest])?,
            2 => transport.write_owned(owned(&bytes))?,
            _ => transport.writelines_owned(Vec::from([owned(first), owned(rest)]))?,
        };
        sent += count;
        read(&mut got)?;
        wire.tick();
        yield_now().await;
    }
    wire.set_rates(FaultRates::NONE);
    transport.close();
    for _ in 0..2000 {
        if transport.is_lost() && got == sent {
            break;
        }
        read(&mut got)?;
        wire.tick();
        yield_now().await;
    }
    if !transport.is_lost() || got != sent {
        return Err(failed("not all was written before the end"));
    }
    if Rc::strong_count(&alive) > 1 {
        return Err(failed("something is kept that was written"));
    }
    Ok(())
}

struct Owned(Vec<u8>, #[allow(dead_code, reason = "it counts")] Rc<()>);

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Takes so many bytes after each event, and notes what it was offered.
struct Tap {
    registration: Registration,
    most: usize,
    open: Cell<bool>,
    /// Where the first piece of each call began.
    firsts: RefCell<Vec<*const u8>>,
    /// How many pieces each call had.
    calls: RefCell<Vec<usize>>,
}

impl Tap {
    fn new(most: usize) -> Rc<Tap> {
        let (firsts, calls) = Default::default();
        let tap = Tap { registration: Registration::new(), most, open: true.into(), firsts, calls };
        Rc::new(tap)
    }

    async fn event(&self) {
        self.open.set(true);
        self.registration.set_ready(Ready::WRITABLE);
        batches(3).await;
    }
}

impl Source for Tap {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.registration.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.registration.ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.registration.listen(listener);
        true
    }
}

impl ByteSource for Tap {
    fn try_read(&self, _buffer: &mut [u8]) -> Result<usize, SourceError> {
        Err(SourceError::WouldBlock)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.try_write_vectored(&[bytes])
    }

    fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        if !self.open.get() {
            return Err(SourceError::WouldBlock);
        }
        let offered: usize = pieces.iter().map(|piece| piece.len()).sum();
        self.open.set(offered <= self.most);
        self.calls.borrow_mut().push(pieces.len());
        self.firsts.borrow_mut().extend(pieces.first().map(|first| first.as_ptr()));
        Ok(offered.min(self.most))
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Ok(())
    }
}
