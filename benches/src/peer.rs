//! What a loop must offer to be a column of the table.

use crate::load::Traffic;
use crate::row::Row;
use crate::rows::combine::Forms;
use std::future::Future;
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

/// An echo server: serves `listener` for ever with receive buffers of the
/// given number of bytes.
pub type Serve = fn(TcpListener, usize);

/// The same with datagrams, each sent back to where it came from.
pub type ServeDatagrams = fn(UdpSocket);

/// One event loop under test. Everything runs on the calling thread.
///
/// An adapter is some forty lines; `peers/smol_rt.rs` is a short one to copy.
pub trait Peer: 'static {
    /// Column name in the report and in `--peers`.
    const NAME: &'static str;

    /// The loop's own TCP echo server, or `None` when it has no sockets.
    const SERVE: Option<Serve> = None;

    /// The loop's own UDP echo server, or `None` when there is none here.
    const SERVE_DATAGRAMS: Option<ServeDatagrams> = None;

    /// Whether the loop has pipes: [`pipe`](Self::pipe).
    const HAS_PIPES: bool = false;

    /// Whether the loop starts programs: [`run_program`](Self::run_program).
    const HAS_PROGRAMS: bool = false;

    /// What the library has to wait for several futures in place, or `None`
    /// when it has nothing of its own.
    const FORMS: Option<Forms> = None;

    /// Runs a row about channels with the loop's own ones. Only Molen has it:
    /// other channels are columns of their own, so that all run on one loop.
    const CHANNELS: Option<fn(Row)> = None;

    /// Whether the loop has threads of its own for functions that block:
    /// [`on_thread`](Self::on_thread).
    const HAS_POOL: bool = false;

    /// Why the loop cannot do `row`, or `None` when it can.
    fn lacks(row: Row) -> Option<&'static str> {
        let _ = row;
        None
    }

    /// Runs `main` to completion on a fresh loop.
    fn block_on<F: Future<Output = ()> + 'static>(main: F);

    /// Starts a task that nobody awaits.
    fn spawn<F: Future<Output = ()> + 'static>(task: F);

    /// Starts a task and returns the loop's own handle as a future.
    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()>;

    /// The loop's own timer.
    fn sleep(delay: Duration) -> impl Future<Output = ()> + 'static;

    /// The loop's own "let others run" call.
    fn yield_now() -> impl Future<Output = ()>;

    /// Has the loop's own pool call `function`, at once, and waits for its value.
    fn on_thread<F>(function: F) -> impl Future<Output = u64>
    where
        F: FnOnce() -> u64 + Send + 'static,
    {
        let _ = function;
        async { unreachable!("`HAS_POOL` keeps functions away") }
    }

    /// Writes `chunk` to a pipe so many times, and reads it all.
    fn pipe(chunk: Vec<u8>, times: u64) -> impl Future<Output = ()> {
        let _ = (chunk, times);
        async { unreachable!("`HAS_PIPES` keeps bytes away") }
    }

    /// The same with callbacks at both ends, where the loop has such a way.
    fn pipe_by_protocols(chunk: Vec<u8>, times: u64) -> impl Future<Output = ()> {
        Self::pipe(chunk, times)
    }

    /// Starts `program` without arguments or streams, and waits for its end.
    fn run_program(program: &'static str) -> impl Future<Output = ()> + 'static {
        let _ = program;
        async { unreachable!("`HAS_PROGRAMS` keeps programs away") }
    }

    /// Lifts a poll budget if the loop has one, so that a row that performs
    /// many operations inside one poll is not cut short.
    fn unbudgeted<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> + 'static {
        task
    }
}

/// The lock and the semaphore that come with a loop, if any do.
pub trait Locks: 'static {
    /// A lock around a number.
    type Lock: 'static;
    /// A semaphore.
    type Semaphore: 'static;

    /// Why the loop cannot do `row`, or `None` when its locks do not keep it from that.
    fn lacks_locks(row: Row) -> Option<&'static str> {
        let _ = row;
        None
    }

    /// A lock around zero.
    fn lock() -> Self::Lock;

    /// A semaphore with so many permits.
    fn semaphore(permits: usize) -> Self::Semaphore;

    /// Holds the lock while `inside` runs, and counts its number up.
    fn with_lock(lock: &Self::Lock, inside: impl Future<Output = ()>) -> impl Future<Output = u64>;

    /// Holds a permit while `inside` runs.
    fn with_permit(
        semaphore: &Self::Semaphore,
        inside: impl Future<Output = ()>,
    ) -> impl Future<Output = ()>;
}

/// What kind of thing a column is; the judged column is compared with peers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A bound that is no library: a bare queue, a bare kernel loop.
    Floor,
    /// A library: Molen and those it is measured against.
    Peer,
    /// Another way of doing it with Molen: neither.
    Own,
}

/// A column with its generic code already chosen.
#[derive(Clone, Copy)]
pub struct Column {
    /// Name in the report and in `--peers`.
    pub name: &'static str,
    /// Floor or peer.
    pub kind: Kind,
    /// Runs one row in this process, for a column that has a scheduler.
    pub micro: Option<fn(Row)>,
    /// The echo server.
    pub serve: Option<Serve>,
    /// The echo server for datagrams.
    pub serve_datagrams: Option<ServeDatagrams>,
    /// Runs one row about channels in this process.
    pub channels: Option<fn(Row)>,
    /// See [`Peer::lacks`].
    pub lacks: fn(Row) -> Option<&'static str>,
}

impl Column {
    /// The column of a loop.
    pub fn of<P: Peer + Locks>(kind: Kind) -> Self {
        Column {
            name: P::NAME,
            kind,
            micro: Some(crate::rows::run::<P>),
            serve: P::SERVE,
            serve_datagrams: P::SERVE_DATAGRAMS,
            channels: P::CHANNELS,
            lacks: |row| {
                if row.needs_pool() && !P::HAS_POOL {
                    Some("no thread pool")
                } else if row.needs_pipes() && !P::HAS_PIPES {
                    Some("pipes are compared with tokio's only")
                } else if row.starts_programs() && !P::HAS_PROGRAMS {
                    Some("starting programs is compared with tokio only")
                } else if row.combines() && P::FORMS.is_none() {
                    Some("no combinators of its own")
                } else {
                    P::lacks(row).or_else(|| P::lacks_locks(row))
                }
            },
        }
    }

    /// A column that only serves echo.
    pub fn server(name: &'static str, kind: Kind, serve: Serve) -> Self {
        Column {
            name,
            kind,
            micro: None,
            serve: Some(serve),
            serve_datagrams: None,
            channels: None,
            lacks: |_| None,
        }
    }

    /// This one, which also echoes datagrams.
    pub fn with_datagrams(self, serve: ServeDatagrams) -> Self {
        Column { serve_datagrams: Some(serve), ..self }
    }

    /// This one, which cannot do what `lacks` says.
    pub fn but(self, lacks: fn(Row) -> Option<&'static str>) -> Self {
        Column { lacks, ..self }
    }

    /// The column of a library of channels, which run on Molen's loop.
    #[cfg(feature = "channels")]
    pub fn library<L: crate::channels::Library>() -> Self {
        Column {
            name: L::NAME,
            kind: Kind::Peer,
            micro: None,
            serve: None,
            serve_datagrams: None,
            channels: Some(crate::rows::channels::run::<L>),
            lacks: L::lacks,
        }
    }

    /// What runs `row` in this process.
    pub fn run(&self, row: Row) -> Option<fn(Row)> {
        if row.is_about_channels() { self.channels } else { self.micro }
    }

    /// Why this column has no cell in `row`, or `None` when it has one.
    pub fn missing(&self, row: Row) -> Option<&'static str> {
        let traffic = row.load().map(|load| load.traffic);
        let serves = match traffic {
            Some(Traffic::Datagrams { .. }) => self.serve_datagrams.is_some(),
            _ => self.serve.is_some(),
        };
        match (traffic, self.run(row), serves) {
            (Some(Traffic::Datagrams { .. }), _, false) => Some("no datagrams here"),
            (Some(_), _, false) => Some("no sockets"),
            (None, None, _) if row.is_about_channels() => Some("no channels in this column"),
            (None, None, _) => Some("no scheduler, a server or channels only"),
            _ => (self.lacks)(row),
        }
    }
}
