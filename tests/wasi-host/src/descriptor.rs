//! The guest's descriptors: the running state of what `script` describes.
//!
//! ```text
//!   Inbound   script ──settle(now)──▶ unread bytes ──read──▶ guest      end: open → Eof | Fail(e) → (reported) → Eof
//!   Outbound  guest ──write──▶ window ──drain(now)──▶ reader            broken from its time on; shut by the guest
//!   Listener  script ──settle(now)──▶ queue ──accept──▶ Connection
//! ```
//!
//! State is brought up to date by `settle(now)` at the start of every look at it; nothing here reads a clock.

use std::collections::{BTreeMap, VecDeque};

use crate::errno::Errno;
use crate::script::{Arrival, Input, InputStep, Listener, Output, Peer, Reaction};
use crate::transcript::{PeerRecord, Transcript};

/// How the input ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    Eof,
    Fail(Errno),
}

/// The readable half of a descriptor.
#[derive(Debug)]
pub(crate) struct Inbound {
    script: VecDeque<(u64, InputStep)>,
    unread: VecDeque<u8>,
    end: End,
    /// `EAGAIN`s told since the last successful read.
    pub(crate) refused: u32,
}

impl Inbound {
    pub(crate) fn new(input: Input) -> Self {
        Inbound { script: input.steps.into(), unread: VecDeque::new(), end: End::Open, refused: 0 }
    }

    pub(crate) fn plan(&mut self, at: u64, step: InputStep) {
        let place = self.script.partition_point(|(time, _)| *time <= at);
        self.script.insert(place, (at, step));
    }

    pub(crate) fn settle(&mut self, now: u64) {
        while self.script.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, step)) = self.script.pop_front() else {
                break;
            };
            // What comes after the end was never sent.
            if self.end != End::Open {
                continue;
            }
            match step {
                InputStep::Bytes(bytes) => self.unread.extend(bytes),
                InputStep::Eof => self.end = End::Eof,
                InputStep::Fail(errno) => {
                    self.unread.clear();
                    self.end = End::Fail(errno);
                }
            }
        }
    }

    pub(crate) fn next_change(&self) -> Option<u64> {
        self.script.front().map(|(at, _)| *at)
    }

    pub(crate) fn unread(&self) -> usize {
        self.unread.len()
    }

    pub(crate) fn end(&self) -> End {
        self.end
    }

    pub(crate) fn ended(&self) -> bool {
        self.end != End::Open
    }

    pub(crate) fn is_readable(&self) -> bool {
        !self.unread.is_empty() || self.ended()
    }

    /// The first bytes, at most `max`, left in place. Empty at the end of input; `EAGAIN` if nothing is there yet.
    pub(crate) fn peek(&mut self, max: usize) -> Result<Vec<u8>, Errno> {
        if self.unread.is_empty() {
            return match self.end {
                End::Open => Err(Errno::Again),
                End::Eof => Ok(Vec::new()),
                End::Fail(errno) => {
                    // As on Linux: the pending error is told once.
                    self.end = End::Eof;
                    Err(errno)
                }
            };
        }
        Ok(self.unread.iter().take(max).copied().collect())
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.unread.drain(..count.min(self.unread.len()));
    }

    /// The guest wants no more: from now on it is at its end.
    pub(crate) fn shut(&mut self) {
        self.script.clear();
        self.unread.clear();
        self.end = End::Eof;
    }
}

/// The writable half of a descriptor.
#[derive(Debug)]
pub(crate) struct Outbound {
    window: Option<usize>,
    waiting: usize,
    drains: VecDeque<(u64, usize)>,
    broken: Option<(u64, Errno)>,
    is_broken: Option<Errno>,
    pub(crate) refused: u32,
}

impl Outbound {
    pub(crate) fn new(output: Output) -> Self {
        Outbound {
            window: output.window,
            waiting: 0,
            drains: output.drains.into(),
            broken: output.broken,
            is_broken: None,
            refused: 0,
        }
    }

    pub(crate) fn settle(&mut self, now: u64) {
        while let Some(&(at, count)) = self.drains.front() {
            if at > now {
                break;
            }
            self.drains.pop_front();
            self.waiting = self.waiting.saturating_sub(count);
        }
        if let Some((at, errno)) = self.broken
            && at <= now
        {
            self.broken = None;
            self.is_broken = Some(errno);
        }
    }

    pub(crate) fn next_change(&self) -> Option<u64> {
        let drain = self.drains.front().map(|(at, _)| *at);
        let broken = self.broken.map(|(at, _)| at);
        drain.into_iter().chain(broken).min()
    }

    pub(crate) fn room(&self) -> usize {
        self.window.map_or(usize::MAX, |window| window.saturating_sub(self.waiting))
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.is_broken.is_some() || self.room() > 0
    }

    /// How many of `len` bytes can be taken now: `EAGAIN` if none, the scripted errno if broken.
    pub(crate) fn admit(&self, len: usize) -> Result<usize, Errno> {
        match self.is_broken {
            Some(errno) => Err(errno),
            None if len > 0 && self.room() == 0 => Err(Errno::Again),
            None => Ok(len.min(self.room())),
        }
    }

    pub(crate) fn take(&mut self, count: usize) {
        if self.window.is_some() {
            self.waiting += count;
        }
    }

    /// The guest shut its sending half down.
    pub(crate) fn shut(&mut self) {
        self.is_broken = Some(Errno::Pipe);
    }
}

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound,
    reactions: Vec<Reaction>,
    /// Its record among the machine's peers.
    pub(crate) record: usize,
    pub(crate) flags: u16,
}

impl Connection {
    pub(crate) fn new(peer: Peer, record: usize, flags: u16) -> Self {
        Connection {
            inbound: Inbound::new(peer.input),
            outbound: Outbound::new(peer.output),
            reactions: peer.reactions,
            record,
            flags,
        }
    }

    /// Plans what the peer does now that it has received `total` bytes.
    pub(crate) fn react(&mut self, total: usize, now: u64) {
        let (due, later) =
            std::mem::take(&mut self.reactions).into_iter().partition(|r| r.received <= total);
        self.reactions = later;
        let due: Vec<Reaction> = due;
        for reaction in due {
            self.inbound.plan(now.saturating_add(reaction.delay), reaction.step);
        }
    }
}

/// Something at the head of a listener's queue.
#[derive(Debug)]
pub(crate) enum Waiting {
    Peer { peer: Box<Peer>, record: usize },
    Failure(Errno),
}

impl Waiting {
    pub(crate) fn peer(peer: Box<Peer>, records: &mut Vec<PeerRecord>) -> Self {
        records.push(PeerRecord::new(&peer.name));
        Waiting::Peer { peer, record: records.len() - 1 }
    }
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Queue {
    script: VecDeque<(u64, Waiting)>,
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) refused: u32,
    pub(crate) flags: u16,
}

impl Queue {
    /// Every peer of the script gets its record now, so that one that is never accepted has one too.
    pub(crate) fn new(listener: Listener, records: &mut Vec<PeerRecord>) -> Self {
        let flags = listener.flags;
        let script = listener.arrivals.into_iter().map(|(at, arrival)| match arrival {
            Arrival::Failure(errno) => (at, Waiting::Failure(errno)),
            Arrival::Peer(peer) => (at, Waiting::peer(peer, records)),
        });
        Queue { script: script.collect(), waiting: VecDeque::new(), refused: 0, flags }
    }

    pub(crate) fn settle(&mut self, now: u64) {
        while self.script.front().is_some_and(|(at, _)| *at <= now) {
            self.waiting.extend(self.script.pop_front().map(|(_, arrival)| arrival));
        }
    }

    pub(crate) fn next_change(&self) -> Option<u64> {
        self.script.front().map(|(at, _)| *at)
    }
}

/// Where standard output goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Standard {
    Output,
    Error,
}

/// Anything that a descriptor number stands for.
#[derive(Debug)]
pub(crate) enum Descriptor {
    Stdin(Inbound),
    Standard { which: Standard, outbound: Outbound },
    Directory { name: String },
    File { contents: Vec<u8>, position: usize, flags: u16 },
    Listener(Queue),
    Stream(Connection),
}

impl Descriptor {
    pub(crate) fn settle(&mut self, now: u64) {
        match self {
            Descriptor::Stdin(inbound) => inbound.settle(now),
            Descriptor::Standard { outbound, .. } => outbound.settle(now),
            Descriptor::Directory { .. } | Descriptor::File { .. } => {}
            Descriptor::Listener(queue) => queue.settle(now),
            Descriptor::Stream(connection) => {
                connection.inbound.settle(now);
                connection.outbound.settle(now);
            }
        }
    }

    /// When the script next changes something about it.
    pub(crate) fn next_change(&self) -> Option<u64> {
        match self {
            Descriptor::Stdin(inbound) => inbound.next_change(),
            Descriptor::Standard { outbound, .. } => outbound.next_change(),
            Descriptor::Directory { .. } | Descriptor::File { .. } => None,
            Descriptor::Listener(queue) => queue.next_change(),
            Descriptor::Stream(connection) => {
                let inbound = connection.inbound.next_change();
                inbound.into_iter().chain(connection.outbound.next_change()).min()
            }
        }
    }

    pub(crate) fn is_socket(&self) -> bool {
        matches!(self, Descriptor::Listener(_) | Descriptor::Stream(_))
    }
}

/// The guest's descriptor table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    open: BTreeMap<u32, Descriptor>,
    limit: Option<usize>,
}

impl Table {
    pub(crate) fn insert(&mut self, fd: u32, descriptor: Descriptor) {
        self.open.insert(fd, descriptor);
    }

    pub(crate) fn set_limit(&mut self, limit: Option<usize>) {
        self.limit = limit;
    }

    /// The lowest free number, as POSIX has it; `EMFILE` if the table is full.
    pub(crate) fn free(&self) -> Result<u32, Errno> {
        if self.limit.is_some_and(|limit| self.open.len() >= limit) {
            return Err(Errno::Mfile);
        }
        (0..u32::MAX).find(|fd| !self.open.contains_key(fd)).ok_or(Errno::Mfile)
    }

    pub(crate) fn get(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.open.get_mut(&fd).ok_or(Errno::Badf)
    }

    /// The descriptor with its script played up to `now`.
    pub(crate) fn settled(&mut self, fd: u32, now: u64) -> Result<&mut Descriptor, Errno> {
        let descriptor = self.get(fd)?;
        descriptor.settle(now);
        Ok(descriptor)
    }

    pub(crate) fn remove(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        self.open.remove(&fd).ok_or(Errno::Badf)
    }

    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.open.keys().copied().collect()
    }
}

/// Appends to a transcript unless nothing was taken.
pub(crate) fn record(transcript: &mut Transcript, now: u64, bytes: Vec<u8>) {
    if !bytes.is_empty() {
        transcript.push(std::time::Duration::from_nanos(now), bytes);
    }
}
