//! What happens outside the guest, written down before the run: [`Input`], [`Peer`] and [`Listener`].
//!
//! All times are on the monotonic clock, counted from the start of the run, and each description may list its steps in
//! any order: they happen sorted by time, equal times in the order in which they were written.

use std::time::Duration;

use crate::abi::FDFLAG_NONBLOCK;
use crate::clock::nanos;
use crate::errno::Errno;

#[derive(Debug, Clone)]
pub(crate) enum InputStep {
    Bytes(Vec<u8>),
    Eof,
    Fail(Errno),
}

/// What arrives at a readable descriptor, and when.
///
/// ```
/// use std::time::Duration;
/// use molen_wasi_host::Input;
///
/// let ms = Duration::from_millis;
/// let typed = Input::silent().bytes(ms(10), "one\n").bytes(ms(25), "two\n").eof(ms(40));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Input {
    pub(crate) steps: Vec<(u64, InputStep)>,
}

impl Input {
    /// Open, and nothing ever comes. The start of every other input.
    #[must_use]
    pub fn silent() -> Self {
        Input::default()
    }

    /// At its end from the start, like /dev/null.
    #[must_use]
    pub fn null() -> Self {
        Input::silent().eof(Duration::ZERO)
    }

    /// All of this, then the end, from the start, like a redirected file.
    #[must_use]
    pub fn complete(bytes: impl AsRef<[u8]>) -> Self {
        Input::silent().bytes(Duration::ZERO, bytes).eof(Duration::ZERO)
    }

    fn step(mut self, at: Duration, step: InputStep) -> Self {
        let at = nanos(at);
        let place = self.steps.partition_point(|(time, _)| *time <= at);
        self.steps.insert(place, (at, step));
        self
    }

    /// These bytes arrive at `at`.
    #[must_use]
    pub fn bytes(self, at: Duration, bytes: impl AsRef<[u8]>) -> Self {
        self.step(at, InputStep::Bytes(bytes.as_ref().to_vec()))
    }

    /// The other end closes at `at`: after what came before, reads give 0 bytes.
    #[must_use]
    pub fn eof(self, at: Duration) -> Self {
        self.step(at, InputStep::Eof)
    }

    /// At `at` the descriptor fails: unread bytes are lost, one read gives `errno`, and those after it 0 bytes.
    #[must_use]
    pub fn fail(self, at: Duration, errno: Errno) -> Self {
        self.step(at, InputStep::Fail(errno))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Reaction {
    pub(crate) received: usize,
    pub(crate) delay: u64,
    pub(crate) step: InputStep,
}

/// What takes the guest's output away: nothing limits it unless the script says so.
#[derive(Debug, Clone, Default)]
pub struct Output {
    pub(crate) window: Option<usize>,
    pub(crate) drains: Vec<(u64, usize)>,
    pub(crate) broken: Option<(u64, Errno)>,
}

impl Output {
    /// Takes everything at once.
    #[must_use]
    pub fn open() -> Self {
        Output::default()
    }

    /// Takes this many bytes, then nothing until a [`drain`](Self::drain): back-pressure.
    #[must_use]
    pub fn window(mut self, bytes: usize) -> Self {
        self.window = Some(bytes);
        self
    }

    /// At `at` the reader takes this many bytes out of the window, or all if there are fewer.
    #[must_use]
    pub fn drain(mut self, at: Duration, bytes: usize) -> Self {
        let at = nanos(at);
        let place = self.drains.partition_point(|(time, _)| *time <= at);
        self.drains.insert(place, (at, bytes));
        self
    }

    /// From `at` on, writes fail with `errno` (usually [`Errno::Pipe`]).
    #[must_use]
    pub fn breaks(mut self, at: Duration, errno: Errno) -> Self {
        self.broken = Some((nanos(at), errno));
        self
    }
}

/// The other end of a connection: what it sends and when, how fast it reads, and how it goes away.
///
/// ```
/// use std::time::Duration;
/// use molen_wasi_host::Peer;
///
/// let ms = Duration::from_millis;
/// let alice = Peer::named("alice")
///     .sends(ms(1), "PING\n")
///     .sends_after(5, ms(2), "PING\n") // 2 ms after it has received 5 bytes: the first reply
///     .closes_after(10, ms(0));
/// ```
#[derive(Debug, Clone)]
pub struct Peer {
    pub(crate) name: String,
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) reactions: Vec<Reaction>,
}

impl Peer {
    /// A peer that does nothing, and takes whatever is sent to it. The name finds its record in the outcome.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Peer {
            name: name.into(),
            input: Input::silent(),
            output: Output::open(),
            reactions: Vec::new(),
        }
    }

    /// Sends these bytes at `at`.
    #[must_use]
    pub fn sends(mut self, at: Duration, bytes: impl AsRef<[u8]>) -> Self {
        self.input = self.input.bytes(at, bytes);
        self
    }

    /// Sends these bytes `delay` after it has received `received` bytes in all.
    #[must_use]
    pub fn sends_after(self, received: usize, delay: Duration, bytes: impl AsRef<[u8]>) -> Self {
        self.reacts(received, delay, InputStep::Bytes(bytes.as_ref().to_vec()))
    }

    /// Closes its sending half `delay` after it has received `received` bytes in all.
    #[must_use]
    pub fn closes_after(self, received: usize, delay: Duration) -> Self {
        self.reacts(received, delay, InputStep::Eof)
    }

    fn reacts(mut self, received: usize, delay: Duration, step: InputStep) -> Self {
        self.reactions.push(Reaction { received, delay: nanos(delay), step });
        self
    }

    /// Closes its sending half at `at`: the guest reads 0 bytes after what came before.
    #[must_use]
    pub fn closes(mut self, at: Duration) -> Self {
        self.input = self.input.eof(at);
        self
    }

    /// Resets the connection at `at`: the guest's next read is `ECONNRESET`, its writes are `EPIPE`.
    #[must_use]
    pub fn resets(mut self, at: Duration) -> Self {
        self.input = self.input.fail(at, Errno::Connreset);
        self.output = self.output.breaks(at, Errno::Pipe);
        self
    }

    /// How it reads; without this it takes everything at once.
    #[must_use]
    pub fn reads(mut self, output: Output) -> Self {
        self.output = output;
        self
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Arrival {
    Peer(Box<Peer>),
    Failure(Errno),
}

/// A listening socket that the host has opened for the guest, and who connects to it.
///
/// It is non-blocking from the start, as `wasmtime run -S tcplisten` gives it.
///
/// ```
/// use std::time::Duration;
/// use molen_wasi_host::{Errno, Listener, Peer};
///
/// let ms = Duration::from_millis;
/// let listener = Listener::new()
///     .connects(ms(5), Peer::named("alice").sends(ms(6), "hello").closes(ms(9)))
///     .fails(ms(7), Errno::Connaborted);
/// ```
#[derive(Debug, Clone)]
pub struct Listener {
    pub(crate) arrivals: Vec<(u64, Arrival)>,
    pub(crate) flags: u16,
}

impl Default for Listener {
    fn default() -> Self {
        Listener::new()
    }
}

impl Listener {
    /// Non-blocking, and nobody ever connects.
    #[must_use]
    pub fn new() -> Self {
        Listener { arrivals: Vec::new(), flags: FDFLAG_NONBLOCK }
    }

    /// As [`new`](Self::new), but `sock_accept` waits until the guest has set NONBLOCK.
    #[must_use]
    pub fn blocking() -> Self {
        Listener { arrivals: Vec::new(), flags: 0 }
    }

    fn arrival(mut self, at: Duration, arrival: Arrival) -> Self {
        let at = nanos(at);
        let place = self.arrivals.partition_point(|(time, _)| *time <= at);
        self.arrivals.insert(place, (at, arrival));
        self
    }

    /// The peer's connection is in the queue from `at` on. What it sends before is there when it is accepted.
    #[must_use]
    pub fn connects(self, at: Duration, peer: Peer) -> Self {
        self.arrival(at, Arrival::Peer(Box::new(peer)))
    }

    /// From `at` on, one accept at this place in the queue fails with `errno`: `ECONNABORTED` for a client that was gone
    /// before, `EMFILE` for a host out of descriptors.
    #[must_use]
    pub fn fails(self, at: Duration, errno: Errno) -> Self {
        self.arrival(at, Arrival::Failure(errno))
    }
}
