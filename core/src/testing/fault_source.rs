//! A source of bytes that misbehaves as it is told.

use crate::io::source::{ByteSource, DatagramSource, Source, SourceError};
use crate::io::{Interest, Ready, Registration};
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll};

/// What the next read, write or receive of a [`FaultSource`] does.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Reading brings these bytes, in as many reads as the buffers need.
    Data(&'static [u8]),
    /// Reading brings the end, now and ever after.
    End,
    /// Writing takes at most so many bytes, and then nothing until the source
    /// is made ready: a short write.
    Takes(usize),
    /// Nothing is there or goes, until the source is made ready. What an event
    /// that lied is followed by.
    WouldBlock,
    /// A signal came first.
    Interrupted,
    /// It fails.
    Fails(SourceError),
}

/// How many bytes of what was written are kept.
const KEPT: usize = 96;

/// A source of bytes that follows two scripts, one for reading
/// and one for writing: short reads and writes, storms of "would block",
/// interrupts, resets, stalls. Deterministic, on every platform.
///
/// Where the script of reading ends, nothing more comes; where that of writing
/// ends, all is taken. Nothing becomes ready by itself: a test says when, with
/// [`set_ready`](Self::set_ready).
///
/// ```ignore
/// let source = static_ref!(FaultSource = FaultSource::new());
/// source.script(&[Fault::Data(b"he"), Fault::Interrupted, Fault::Data(b"llo"), Fault::End], &[]);
/// ```
pub struct FaultSource {
    registration: Registration,
    reads: Cell<&'static [Fault]>,
    /// How much of the first data was read.
    offset: Cell<usize>,
    writes: Cell<&'static [Fault]>,
    written: RefCell<[u8; KEPT]>,
    count: Cell<usize>,
    shut_down: Cell<u32>,
    dropped: Cell<u32>,
    tries: Cell<u32>,
}

impl FaultSource {
    /// A source to which nothing comes, and which takes everything.
    pub const fn new() -> FaultSource {
        FaultSource {
            registration: Registration::new(),
            reads: Cell::new(&[]),
            offset: Cell::new(0),
            writes: Cell::new(&[]),
            written: RefCell::new([0; KEPT]),
            count: Cell::new(0),
            shut_down: Cell::new(0),
            dropped: Cell::new(0),
            tries: Cell::new(0),
        }
    }

    /// Has the next reads and writes follow these scripts, and makes the
    /// source ready in both directions.
    pub fn script(&self, reads: &'static [Fault], writes: &'static [Fault]) {
        self.reads.set(reads);
        self.offset.set(0);
        self.writes.set(writes);
        self.set_ready(Ready::BOTH);
    }

    /// Makes it as new, with these scripts.
    pub fn reset(&self, reads: &'static [Fault], writes: &'static [Fault]) {
        self.registration.forget(Ready::BOTH);
        #[cfg(feature = "alloc")]
        self.registration.listen(None);
        for count in [&self.shut_down, &self.dropped, &self.tries] {
            count.set(0);
        }
        self.count.set(0);
        self.script(reads, writes);
    }

    /// An event: whoever waits is woken, and the next try follows the script.
    pub fn set_ready(&self, directions: Ready) {
        self.registration.set_ready(directions);
    }

    /// What was written, up to 96 bytes of it.
    pub fn written(&self) -> core::cell::Ref<'_, [u8]> {
        let count = self.count.get().min(KEPT);
        core::cell::Ref::map(self.written.borrow(), |written| &written[..count])
    }

    /// How many bytes were written.
    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// How often it was shut down.
    pub fn shutdowns(&self) -> u32 {
        self.shut_down.get()
    }

    /// How many of its [users](Self::user) are gone.
    pub fn closed(&self) -> u32 {
        self.dropped.get()
    }

    /// How often reading was tried while the source was thought to be ready.
    pub fn read_tries(&self) -> u32 {
        self.tries.get()
    }

    /// The source, to be owned by a connection: dropping it is counted.
    pub const fn user(&'static self, told: Told) -> FaultUser {
        FaultUser { source: self, told }
    }

    /// The next fault of a script, when the source is thought to be ready.
    fn next(&self, script: &Cell<&'static [Fault]>, direction: Ready) -> Option<Fault> {
        if !self.registration.ready().contains(direction) {
            return Some(Fault::WouldBlock);
        }
        let (first, rest) = script.get().split_first()?;
        script.set(rest);
        Some(*first)
    }

    fn would_block(&self, direction: Ready) -> SourceError {
        self.registration.clear(direction);
        SourceError::WouldBlock
    }

    fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        if self.registration.ready().contains(Ready::READABLE) {
            self.tries.set(self.tries.get() + 1);
        }
        let script = self.reads.get();
        match self.next(&self.reads, Ready::READABLE) {
            None | Some(Fault::WouldBlock | Fault::Takes(_)) => {
                Err(self.would_block(Ready::READABLE))
            }
            Some(Fault::Interrupted) => Err(SourceError::Interrupted),
            Some(Fault::Fails(error)) => Err(error),
            Some(Fault::End) => {
                self.reads.set(script);
                Ok(0)
            }
            Some(Fault::Data(data)) => {
                let data = &data[self.offset.get()..];
                let count = data.len().min(buffer.len());
                buffer[..count].copy_from_slice(&data[..count]);
                if count < data.len() {
                    self.reads.set(script);
                    self.offset.set(self.offset.get() + count);
                } else {
                    self.offset.set(0);
                }
                Ok(count)
            }
        }
    }

    fn write(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        let offered = pieces.iter().map(|piece| piece.len()).sum();
        let taken = match self.next(&self.writes, Ready::WRITABLE) {
            None => offered,
            Some(Fault::Takes(count)) => count.min(offered),
            Some(Fault::Interrupted) => return Err(SourceError::Interrupted),
            Some(Fault::Fails(error)) => return Err(error),
            Some(_) => return Err(self.would_block(Ready::WRITABLE)),
        };
        if taken < offered {
            self.registration.clear(Ready::WRITABLE);
        }
        let bytes = pieces.iter().flat_map(|piece| piece.iter());
        for byte in bytes.take(taken) {
            if let Some(place) = self.written.borrow_mut().get_mut(self.count.get()) {
                *place = *byte;
            }
            self.count.set(self.count.get() + 1);
        }
        Ok(taken)
    }
}

impl Default for FaultSource {
    fn default() -> FaultSource {
        FaultSource::new()
    }
}

/// How the user of a [`FaultSource`] learns that it is ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// By a listener, if it has one: as sockets on desktops.
    ByEvents,
    /// By waiting: as a UART, or a host's pollable.
    ByWaiting,
}

/// A [`FaultSource`] as a connection owns it.
pub struct FaultUser {
    source: &'static FaultSource,
    #[cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "there are no listeners"))]
    told: Told,
}

impl Drop for FaultUser {
    fn drop(&mut self) {
        self.source.dropped.set(self.source.dropped.get() + 1);
    }
}

impl Source for FaultUser {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.source.registration.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.source.registration.ready()
    }

    #[cfg(feature = "alloc")]
    fn listen(&self, listener: Option<crate::io::EventListener>) -> bool {
        let listens = self.told == Told::ByEvents;
        if listens {
            self.source.registration.listen(listener);
        }
        listens
    }
}

impl ByteSource for FaultUser {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.source.read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.source.write(&[bytes])
    }

    fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        self.source.write(pieces)
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        self.source.shut_down.set(self.source.shut_down.get() + 1);
        Ok(())
    }
}

/// Each [`Fault::Data`] is a message, from the sender 1; receivers are numbers.
impl DatagramSource for FaultUser {
    type Address = u8;

    fn try_recv_from(&self, buffer: &mut [u8]) -> Result<(usize, u8), SourceError> {
        self.source.read(buffer).map(|count| (count, 1))
    }

    fn try_send_to(&self, message: &[u8], _receiver: Option<&u8>) -> Result<usize, SourceError> {
        self.source.write(&[message])
    }
}
