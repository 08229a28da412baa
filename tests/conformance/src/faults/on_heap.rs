//! Streams, servers, datagram endpoints, and what else is on the heap.

use super::judges::{BufferedJudge, Judge, link};
use super::lines::tick;
use super::lives::{End, SEEDS, Wire, check_nothing_is_left, live, told};
use super::record::{Record, in_words};
use crate::case::{Failure, Outcome};
use crate::dropping_all::look_round;
use crate::fixture::ms;
use crate::wire::batches;
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};
use molen::io::source::{AcceptSource, DatagramSource, Source, SourceError};
use molen::io::{Interest, Ready, Registration};
use molen::net::{
    Answer, ConnectionError, DatagramProtocol, DatagramTransport, Flow, Start, StreamReader,
    StreamWriter, Transport, WriteBufferLimits, open_streams, start_stream_server,
};
use molen::testing::{Chance, FaultRates, FaultWire, Told, WireSide, static_ref};
use molen::{create_task, sleep, yield_now};
use std::collections::VecDeque;
use std::rc::Rc;
use std::vec::Vec;

/// Line number `number`, of up to six letters.
fn line(number: usize) -> Vec<u8> {
    let mut line = b"abcdef"[..number % 7].to_vec();
    line.push(b'\n');
    line
}

/// Writes back what comes, in pieces of any size, until the end.
async fn echo(
    mut reader: StreamReader,
    writer: StreamWriter,
    seed: u64,
) -> Result<(), ConnectionError> {
    let chance = Chance::new(seed);
    let mut buffer = [0; 20];
    loop {
        let room = 1 + chance.below(buffer.len());
        match reader.read(&mut buffer[..room]).await? {
            0 => break,
            count => drop(writer.write(&buffer[..count])),
        }
        writer.drain().await?;
    }
    writer.close();
    writer.wait_closed().await
}

/// Says `count` lines, and that nothing more will come.
async fn say(writer: Rc<StreamWriter>, count: usize, seed: u64) -> Result<(), ConnectionError> {
    let chance = Chance::new(seed);
    for number in 0..count {
        let line = line(number);
        let (first, rest) = line.split_at(chance.below(line.len()));
        let _ = writer.writelines(&[first, rest]);
        if chance.happens(128) {
            writer.drain().await?;
        }
    }
    writer.drain().await?;
    // Refused only where one direction cannot be closed.
    let _ = writer.write_eof();
    Ok(())
}

/// Hears lines until the end; how many came, each of them the one that is due.
async fn hear(reader: &mut StreamReader, seed: u64) -> Result<usize, Failure> {
    let chance = Chance::new(seed);
    for number in 0.. {
        let expected = line(number);
        let heard = match chance.below(3) {
            0 => reader.readline().await,
            1 => reader.readuntil(&[b"\r", b"\n"]).await,
            _ => {
                let mut exactly = expected.clone();
                reader.readexactly(&mut exactly).await.map(|()| exactly)
            }
        };
        match heard {
            Ok(heard) if heard == expected => {}
            Ok(heard) if heard.is_empty() => return Ok(number),
            Ok(_) => return Err(Failure::said("a line is torn, or came twice, late or never")),
            Err(_) => return Ok(number),
        }
    }
    Ok(0)
}

/// A conversation over `wire`; how many lines came back, and how many were said.
async fn converse(wire: &'static Wire, seed: u64) -> Result<(usize, usize), Failure> {
    let near = FaultWire::end(wire, WireSide::Near, told(seed));
    let far = FaultWire::end(wire, WireSide::Far, told(seed / 2));
    let limit = 8 + (seed % 20) as usize;
    let ticks = create_task(tick(wire))?;
    let (mut reader, writer) = open_streams(near, limit).await?;
    let (far_reader, far_writer) = open_streams(far, limit).await?;
    let writer = Rc::new(writer);
    for writer in [&*writer, &far_writer] {
        let limits = WriteBufferLimits::of_high((seed % 40) as usize);
        writer.transport().set_write_buffer_limits(limits);
    }
    let count = 1 + (seed % 40) as usize;
    let echoes = create_task(echo(far_reader, far_writer, seed))?;
    let says = create_task(say(writer.clone(), count, seed))?;
    let heard = hear(&mut reader, seed).await?;
    // How these end depends on what happened; that they end does not.
    let _ = says.await?;
    writer.close();
    let _ = writer.wait_closed().await;
    let _ = echoes.await?;
    drop((reader, writer));
    ticks.cancel();
    batches(3).await;
    drop(ticks);
    for side in [WireSide::Near, WireSide::Far] {
        check_eq!(wire.closed(side), 1);
        check!(wire.interest(side).is_none(), "a registration is left");
    }
    look_round()?;
    Ok((heard, count))
}

pub(super) fn streams_at_both_ends_of_a_faulty_wire_hear_what_is_said() -> Outcome {
    let event_loop = new_loop!();
    let wire = static_ref!(Wire = FaultWire::new());
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS {
            wire.reset(seed, FaultRates::STORM);
            let (heard, said) = converse(wire, seed).await?;
            check_eq!((seed, heard), (seed, said));
        }
        Ok(())
    })?
}

pub(super) fn streams_learn_of_a_reset_at_any_moment() -> Outcome {
    let event_loop = new_loop!();
    let wire = static_ref!(Wire = FaultWire::new());
    event_loop.run_until_complete(async {
        let mut resets = 0;
        for seed in 0..SEEDS {
            wire.reset(seed, FaultRates { reset: 1, ..FaultRates::STORM });
            let (heard, said) = converse(wire, seed).await?;
            check!(heard == said || wire.is_reset(), "a line was lost for no reason");
            resets += u32::from(wire.is_reset());
        }
        check!(resets > 10, "hardly any was reset");
        Ok(())
    })?
}

/// A listener to which wires come, and which fails between them.
#[derive(Clone, Default)]
struct WireDoor(Rc<(Registration, RefCell<Coming>)>);

/// Who comes next.
type Coming = VecDeque<Result<End, SourceError>>;

impl WireDoor {
    fn come(&self, next: Result<End, SourceError>) {
        self.0.1.borrow_mut().push_back(next);
        self.0.0.set_ready(Ready::READABLE);
    }
}

impl Source for WireDoor {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.0.0.poll_ready(cx, interest)
    }
}

impl AcceptSource for WireDoor {
    type Connection = End;

    fn try_accept(&self) -> Result<End, SourceError> {
        let next = self.0.1.borrow_mut().pop_front();
        next.unwrap_or_else(|| {
            self.0.0.clear(Ready::READABLE);
            Err(SourceError::WouldBlock)
        })
    }
}

const CLIENTS: usize = 5;

pub(super) fn a_server_serves_all_who_come_whatever_accepting_says() -> Outcome {
    /// A selector for all of them, with time to pass between its looks.
    async fn tick_all(wires: &'static [Wire; CLIENTS]) {
        loop {
            wires.iter().for_each(FaultWire::tick);
            sleep(ms(1)).await;
        }
    }
    async fn visit(wire: &'static Wire, seed: u64) -> Result<bool, Failure> {
        let end = FaultWire::end(wire, WireSide::Near, told(seed));
        let (mut reader, writer) = open_streams(end, 64).await?;
        let writer = Rc::new(writer);
        let says = create_task(say(writer.clone(), 9, seed))?;
        let heard = hear(&mut reader, seed).await?;
        let _ = says.await?;
        writer.close();
        let _ = writer.wait_closed().await;
        Ok(heard == 9)
    }
    let event_loop = new_loop!();
    let wires = static_ref!([Wire; CLIENTS] = [const { FaultWire::new() }; CLIENTS]);
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS / 10 {
            let chance = Chance::new(seed);
            let door = WireDoor::default();
            let handler = move |reader, writer| async move { echo(reader, writer, seed).await };
            let server = start_stream_server([door.clone()], handler, 64, Start::Now)?;
            let ticks = create_task(tick_all(wires))?;
            let mut visits = Vec::new();
            for (number, wire) in wires.iter().enumerate() {
                wire.reset(seed + number as u64, FaultRates::STORM);
                while chance.happens(160) {
                    const FAILURES: [SourceError; 5] = [
                        SourceError::NoDescriptors,
                        SourceError::Os(4242),
                        SourceError::Interrupted,
                        SourceError::ConnectionReset,
                        SourceError::WouldBlock,
                    ];
                    door.come(Err(FAILURES[chance.below(FAILURES.len())]));
                }
                door.come(Ok(FaultWire::end(wire, WireSide::Far, told(seed / 3))));
                visits.push(create_task(visit(wire, seed))?);
            }
            for visit in visits {
                check!(visit.await??, "a client was not served");
            }
            server.close();
            server.wait_closed().await;
            check_eq!((server.client_count(), Rc::strong_count(&door.0)), (0, 1));
            ticks.cancel();
            batches(3).await;
            drop(ticks);
            for wire in wires {
                check_eq!((wire.closed(WireSide::Near), wire.closed(WireSide::Far)), (1, 1));
            }
            look_round()?;
        }
        Ok(())
    })?
}

/// What the protocol of an endpoint saw.
#[derive(Default)]
struct Post {
    record: Record,
    refused: Cell<usize>,
}

struct PostJudge(Rc<Post>);

impl DatagramProtocol<u8> for PostJudge {
    fn connection_made(&mut self, _transport: &DatagramTransport<u8>) -> Answer {
        self.0.record.made();
        Ok(())
    }

    fn datagram_received(
        &mut self,
        _transport: &DatagramTransport<u8>,
        data: &[u8],
        sender: &u8,
    ) -> Answer {
        let record = &self.0.record;
        record.called();
        let number = record.received.replace(record.received.get() + 1);
        record.require(*sender == 1 && data == message(number), "a message is not the next one");
        Ok(())
    }

    fn error_received(
        &mut self,
        _transport: &DatagramTransport<u8>,
        error: SourceError,
    ) -> Answer {
        self.0.record.called();
        self.0.record.require(error == SourceError::ConnectionRefused, "another error");
        self.0.refused.set(self.0.refused.get() + 1);
        Ok(())
    }

    fn pause_writing(&mut self, _transport: &DatagramTransport<u8>) -> Answer {
        self.0.record.flow(true);
        Ok(())
    }

    fn resume_writing(&mut self, _transport: &DatagramTransport<u8>) -> Answer {
        self.0.record.flow(false);
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &DatagramTransport<u8>,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.record.lost(error);
        Ok(())
    }
}

/// Message number `number`: empty at times, and up to seven bytes.
fn message(number: usize) -> Vec<u8> {
    std::vec![number as u8; number % 8]
}

pub(super) fn messages_over_a_faulty_wire_arrive_once_or_are_refused() -> Outcome {
    let event_loop = new_loop!();
    let wire = static_ref!(Wire = FaultWire::new());
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS {
            let chance = Chance::new(!seed);
            let refuses = if seed % 3 == 0 { 20 } else { 0 };
            wire.reset(seed, FaultRates { reset: refuses, ..FaultRates::STORM });
            let post = Rc::new(Post::default());
            let near = FaultWire::end(wire, WireSide::Near, told(seed));
            let far = FaultWire::end(wire, WireSide::Far, Told::ByWaiting);
            let protocol = PostJudge(post.clone());
            let transport = DatagramTransport::new(&event_loop, near, protocol, None)?;
            let limits = WriteBufferLimits::of_high(chance.below(60));
            transport.set_write_buffer_limits(limits);
            let (mut sent, mut got, mut answers, mut skipped) = (0, 0, 0, 0);
            let steps = chance.below(60);
            for step in 0..steps + 120 {
                if step < steps && chance.happens(128) {
                    let flow = post.record.call(|| transport.sendto(&message(sent), Some(&1)))?;
                    sent += usize::from(flow != Flow::Dropped);
                }
                if step < steps && far.try_send_to(&message(answers), None).is_ok() {
                    answers += 1;
                }
                if step == steps {
                    wire.set_rates(FaultRates::NONE);
                    post.record.call(|| transport.close());
                }
                let mut buffer = [0; 9];
                if let Ok((count, 1)) = far.try_recv_from(&mut buffer) {
                    // Those that were refused are missing, and no others.
                    while buffer[..count] != *message(got) && got < sent {
                        got += 1;
                        skipped += 1;
                    }
                    check!(got < sent, "a message came twice, late, torn, or from nowhere");
                    got += 1;
                }
                wire.tick();
                yield_now().await;
            }
            post.record.require(post.record.lost.get() == 1, "it is not lost");
            post.record.require(!post.record.failed.get(), "it failed");
            post.record.require(skipped <= post.refused.get(), "a message was lost unrefused");
            post.record.require(got + post.refused.get() >= sent, "the last ones were lost");
            post.record.require(post.record.received.get() <= answers, "more came than was sent");
            drop(far);
            check_nothing_is_left(wire, &post.record);
            post.record.judge(seed)?;
            look_round()?;
        }
        Ok(())
    })?
}

/// Another protocol takes over, of either kind; it is told anew of a pause.
fn take_over(transport: &Transport, record: &'static Record, chance: &Chance) {
    if transport.is_lost() {
        return;
    }
    record.writing_paused.set(false);
    if chance.happens(128) {
        record.call(|| transport.set_protocol(Judge(record)));
    } else {
        record.call(|| transport.set_buffered_protocol(BufferedJudge(record, [0; 5])));
    }
}

pub(super) fn protocols_that_take_over_lose_nothing() -> Outcome {
    let event_loop = new_loop!();
    let wire = static_ref!(Wire = FaultWire::new());
    let record = static_ref!(Record = Record::new());
    record.extra.set(Some(take_over));
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS {
            live(&event_loop, wire, record, link::streamed, seed, 0).await?;
        }
        Ok(())
    })?
}

pub(super) fn a_protocol_that_fails_anywhere_loses_its_connection_once() -> Outcome {
    let event_loop = new_loop!();
    let wire = static_ref!(Wire = FaultWire::new());
    let record = static_ref!(Record = Record::new());
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS {
            #[cfg(not(any(target_os = "none", target_os = "wasi")))]
            if seed % 2 == 1 {
                record.fails.set(|| std::panic::resume_unwind(std::boxed::Box::new("boom")));
            } else {
                record.fails.set(in_words);
            }
            let fails_at = 1 + (seed / 2 % 30) as u32;
            live(&event_loop, wire, record, link::streamed, seed, fails_at).await?;
        }
        Ok(())
    })?
}

/// How many loops a case can have: where they are statics, one.
const LOOPS: u64 = if cfg!(any(target_os = "none", target_os = "wasi")) { 1 } else { 100 };

pub(super) fn a_loop_that_closes_at_any_moment_leaves_nothing() -> Outcome {
    let wires = static_ref!([Wire; 2] = [const { FaultWire::new() }; 2]);
    let record = static_ref!(Record = Record::new());
    for seed in 0..LOOPS {
        let event_loop = new_loop!();
        let chance = Chance::new(seed);
        for wire in wires {
            wire.reset(seed, FaultRates::STORM);
        }
        record.reset();
        let [first, second] = wires;
        let door = WireDoor::default();
        let kept = event_loop.run_until_complete(async {
            let near = FaultWire::end(first, WireSide::Near, told(seed));
            let transport = Transport::new(&event_loop, near, Judge(record))?;
            let handler = move |reader, writer| async move { echo(reader, writer, seed).await };
            let server = start_stream_server([door.clone()], handler, 64, Start::Now)?;
            door.come(Ok(FaultWire::end(second, WireSide::Far, told(seed / 2))));
            let near = FaultWire::end(second, WireSide::Near, told(seed / 4));
            let (mut reader, writer) = open_streams(near, 16).await?;
            let writer = Rc::new(writer);
            create_task(say(writer.clone(), 30, seed))?.detach();
            create_task(async move { hear(&mut reader, seed).await.map(drop) })?.detach();
            let peer = FaultWire::end(first, WireSide::Far, Told::ByWaiting);
            for _ in 0..chance.below(60) {
                let _ = transport.write(b"abc");
                wires.iter().for_each(FaultWire::tick);
                yield_now().await;
            }
            drop(peer);
            Ok::<_, Failure>((transport, writer, server))
        })??;
        event_loop.close()?;
        // As its selector does.
        wires.iter().for_each(FaultWire::close);
        // Whoever holds on to them holds on to nothing.
        let (transport, writer, server) = kept;
        let lost = record.lost.get();
        let _ = transport.write(b"x");
        transport.close();
        writer.close();
        server.close();
        drop((transport, writer, server));
        drop(event_loop);
        check!(record.lost.get() == lost, "it was called by a loop that is closed");
        for wire in wires {
            for side in [WireSide::Near, WireSide::Far] {
                check_eq!((seed, wire.closed(side)), (seed, 1));
                check!(wire.interest(side).is_none(), "a registration is left");
            }
        }
        check_eq!(Rc::strong_count(&door.0), 1);
    }
    Ok(())
}
