//! Waits for sources, streams, connections and servers, dropped at every point:
//! the part of `dropping_all` that is about I/O.

use crate::case::{Case, Outcome};
use crate::dropping_all::{drops, soon};
use crate::fixture::test;
use crate::wire::source;
use core::cell::{Cell, OnceCell, RefCell};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use molen::io::source::{self, AcceptSource, ByteSource, Source, SourceError};
use molen::io::{Interest, Ready};
use molen::net::PullReader;
use molen::testing::{Fault, FaultUser, Told, static_ref};

macro_rules! cases {
    ($($number:literal $heap:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            case!(1259, waits_for_sources_lose_nothing_at_any_poll),
            case!(2041, reads_of_a_pull_reader_lose_nothing_at_any_poll),
            $(Case { number: $number, name: stringify!($heap), run: on_heap::$heap },)*
            #[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
            unsupported!(2046, a_connection_that_is_driven_no_more_stands_still, "connections are on the heap"),
            #[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
            case!(2046, a_connection_that_is_driven_no_more_stands_still),
        ];

        #[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
        mod on_heap;

        lacking_where! {
            all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")),
            "streams and servers need a heap",
            on_heap { $($heap)* }
        }
    };
}
cases! {
    2042 reads_of_a_stream_lose_nothing_at_any_poll
    2043 waits_for_connections_leave_nothing_at_any_poll
    2045 waits_for_servers_leave_nothing_at_any_poll
}

/// What comes, in two pieces.
const PIECES: &[Fault] = &[Fault::Data(b"he"), Fault::WouldBlock, Fault::Data(b"llo\n")];

/// Something that a future borrows, and gives back wherever it is dropped.
struct Borrowed<T: 'static> {
    place: &'static RefCell<Option<T>>,
    thing: Option<T>,
}

impl<T> Borrowed<T> {
    fn of(place: &'static RefCell<Option<T>>) -> Borrowed<T> {
        Borrowed { place, thing: place.take() }
    }
}

impl<T> Drop for Borrowed<T> {
    fn drop(&mut self) {
        self.place.replace(self.thing.take());
    }
}

/// How many bytes a read gives, if it need not wait.
fn at_once<E>(read: impl Future<Output = Result<usize, E>>) -> usize {
    match pin!(read).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(count)) => count,
        _ => 0,
    }
}

/// A source that has what it was given.
struct Given {
    bytes: Cell<usize>,
    refusals: Cell<usize>,
}

impl Given {
    fn source(&self) -> &'static molen::io::Registration {
        &test().backend.sources()[0]
    }

    /// Has one byte, or one connection, more; and room for it.
    fn give(&self) {
        self.bytes.set(self.bytes.get() + 1);
        self.source().set_ready(Ready::BOTH);
    }

    fn take(&self) -> Result<usize, SourceError> {
        match self.bytes.get().checked_sub(1) {
            Some(left) => {
                self.bytes.set(left);
                Ok(1)
            }
            None => {
                self.source().clear(Ready::BOTH);
                Err(SourceError::WouldBlock)
            }
        }
    }
}

impl Source for &'static Given {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.source().poll_ready(cx, interest)
    }
}

impl ByteSource for &'static Given {
    fn try_read(&self, _buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.take()
    }

    fn try_write(&self, _bytes: &[u8]) -> Result<usize, SourceError> {
        self.take()
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

impl AcceptSource for &'static Given {
    type Connection = &'static Given;

    fn try_accept(&self) -> Result<&'static Given, SourceError> {
        if self.refusals.get() > 0 {
            self.refusals.set(self.refusals.get() - 1);
            return Err(SourceError::NoDescriptors);
        }
        self.take().map(|_| *self)
    }
}

fn waits_for_sources_lose_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    let given = static_ref!(Given = Given { bytes: Cell::new(0), refusals: Cell::new(0) });
    let given: &'static Given = given;
    event_loop.run_until_complete(async {
        let given_soon = || {
            given.bytes.set(0);
            soon(|| given.give());
        };
        let one_is_there = || given.bytes.get() == 1;
        let make = || {
            given_soon();
            async {
                let mut buffer = [0; 1];
                let read = source::read(&given, &mut buffer).await;
                given.bytes.set(given.bytes.get() + read.unwrap_or(0));
            }
        };
        drops(2, make, one_is_there).await?;
        let make = || {
            given_soon();
            async {
                let written = source::write_all(&given, &[1]).await;
                given.bytes.set(given.bytes.get() + usize::from(written.is_ok()));
            }
        };
        drops(2, make, one_is_there).await?;
        let make = || {
            given_soon();
            async {
                let written = source::write_some(&given, &[1]).await;
                given.bytes.set(given.bytes.get() + written.unwrap_or(0));
            }
        };
        drops(2, make, one_is_there).await?;
        let make = || {
            given_soon();
            async {
                let accepted = source::accept(&given).await;
                given.bytes.set(given.bytes.get() + usize::from(accepted.is_ok()));
            }
        };
        drops(2, make, one_is_there).await?;
        let make = || {
            given_soon();
            async {
                given.refusals.set(1);
                let accepted = molen::io::accept_with_backoff(&given).await;
                given.bytes.set(given.bytes.get() + usize::from(accepted.is_ok()));
            }
        };
        drops(2, make, one_is_there).await
    })?
}

/// A pull reader with its buffer and source.
type Pull = PullReader<'static, FaultUser>;

fn reads_of_a_pull_reader_lose_nothing_at_any_poll() -> Outcome {
    /// Which read is dropped.
    #[derive(Clone, Copy)]
    enum How {
        Some,
        Exactly,
        Until,
        Line,
        Lent,
    }
    async fn read(reader: &mut Pull, how: How) -> usize {
        let read = match how {
            How::Some => return reader.read(&mut [0; 8]).await.unwrap_or(0),
            How::Lent => {
                let lent = reader.fill_buf().await.map_or(0, <[u8]>::len);
                reader.consume(lent);
                return lent;
            }
            How::Exactly => reader.readexactly(6).await,
            How::Until => reader.readuntil(&[b"o\n", b"\n"]).await,
            How::Line => reader.readline().await,
        };
        read.map_or(0, <[u8]>::len)
    }
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let source = source(&[], &[]);
        let user = static_ref!(OnceCell<FaultUser> = OnceCell::new());
        let user: &'static FaultUser = user.get_or_init(|| source.user(Told::ByWaiting));
        let place = static_ref!(RefCell<Option<Pull>> = RefCell::new(None));
        let room = static_ref!(RefCell<[u8; 16]> = RefCell::new([0; 16]));
        let taken = static_ref!(Cell<usize> = Cell::new(0));
        // SAFETY: nobody else touches the room.
        let room = unsafe { &mut *room.as_ptr() };
        place.replace(Some(PullReader::new(user, room)));
        let in_one = [(How::Some, 2), (How::Lent, 2)];
        let in_two = [(How::Exactly, 3), (How::Until, 3), (How::Line, 3)];
        for (how, polls) in in_one.into_iter().chain(in_two) {
            let make = || {
                taken.set(0);
                soon(|| source.script(PIECES, &[]));
                soon(|| soon(|| soon(|| source.set_ready(Ready::READABLE))));
                async move {
                    let mut reader = Borrowed::of(place);
                    if let Some(reader) = &mut reader.thing {
                        taken.set(read(reader, how).await);
                    }
                }
            };
            let all_is_there = || {
                let mut left = 0;
                if let Some(reader) = place.borrow_mut().as_mut() {
                    // What is not in the reader is in the source.
                    for _ in 0..3 {
                        source.set_ready(Ready::READABLE);
                        left += at_once(reader.read(&mut [0; 8]));
                    }
                }
                taken.get() + left == 6
            };
            drops(polls, make, all_is_there).await?;
        }
        Ok(())
    })?
}

/// A connection in a static stands still while nobody drives it, and goes on
/// where it was.
#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
fn a_connection_that_is_driven_no_more_stands_still() -> Outcome {
    use crate::fixture::event;
    use crate::wire::{Probe, check_written, noting};
    use molen::net::{Connection, Fixed, Streamed};
    use molen::testing::drop_at_every_poll;
    static LINK: Connection<FaultUser, Streamed<Probe>, Fixed<16, 8>> = Connection::new();
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let source = source(&[], &[]);
        // What has come, and later its end.
        let comes = || {
            soon(|| soon(|| source.set_ready(Ready::BOTH)));
            soon(|| soon(|| soon(|| soon(|| source.set_ready(Ready::BOTH)))));
        };
        let make = || {
            LINK.reset();
            source.reset(&[Fault::Data(b"a"), Fault::WouldBlock, Fault::End], &[Fault::Takes(1)]);
            test().log.clear();
            let transport = LINK.open(source.user(Told::ByWaiting), Streamed(Probe(noting)));
            let written = transport.is_ok_and(|transport| transport.write(b"xy").is_ok());
            event(if written { "written" } else { "not written" });
            comes();
            LINK.drive()
        };
        let polls = drop_at_every_poll(make, async |point| {
            if point.output().is_none() {
                molen::sleep(crate::fixture::ms(5)).await;
                comes();
                LINK.drive().await;
            }
            check_written(source, b"xy")?;
            check_eq!(source.closed(), 1);
            check_events!["written", "made", "a", "eof", "lost"];
            Outcome::Ok(())
        });
        check!(polls.await? > 2, "it was driven to its end at once");
        Ok(())
    })?
}
