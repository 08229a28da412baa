//! What cases about connections work with: a protocol that notes its calls
//! and does what the case says, and a source that misbehaves as the case says.

use crate::case::{Failure, Outcome};
use crate::fixture::event;
use molen::EventLoop;
use molen::io::Ready;
use molen::io::source::SourceError;
use molen::net::{AfterEof, Answer, ConnectionError, Protocol, Transport};
use molen::testing::{Fault, FaultSource, Told, static_ref};

/// A call of a protocol.
pub(crate) enum Call<'a> {
    Made,
    Data(&'a [u8]),
    Eof,
    Pause,
    Resume,
    Lost(Option<&'a ConnectionError>),
}

/// What a protocol does when it is called.
pub(crate) type Reaction = fn(&Transport, Call<'_>) -> Answer<AfterEof>;

/// A protocol that reacts as the case says.
pub(crate) struct Probe(pub(crate) Reaction);

impl Protocol for Probe {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        (self.0)(transport, Call::Made).map(drop)
    }

    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        (self.0)(transport, Call::Data(data)).map(drop)
    }

    fn eof_received(&mut self, transport: &Transport) -> Answer<AfterEof> {
        (self.0)(transport, Call::Eof)
    }

    fn pause_writing(&mut self, transport: &Transport) -> Answer {
        (self.0)(transport, Call::Pause).map(drop)
    }

    fn resume_writing(&mut self, transport: &Transport) -> Answer {
        (self.0)(transport, Call::Resume).map(drop)
    }

    fn connection_lost(
        &mut self,
        transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        (self.0)(transport, Call::Lost(error)).map(drop)
    }
}

/// Notes a call.
pub(crate) fn note(call: &Call<'_>) {
    event(match call {
        Call::Made => "made",
        Call::Data(b"a") => "a",
        Call::Data(b"b") => "b",
        Call::Data(b"hello") => "hello",
        Call::Data(b"") => "nothing",
        Call::Data(_) => "data",
        Call::Eof => "eof",
        Call::Pause => "pause",
        Call::Resume => "resume",
        Call::Lost(None) => "lost",
        Call::Lost(Some(ConnectionError::Source(SourceError::ConnectionReset))) => "lost: reset",
        Call::Lost(Some(ConnectionError::Source(_))) => "lost: source",
        Call::Lost(Some(ConnectionError::Protocol(_))) => "lost: protocol",
        Call::Lost(Some(_)) => "lost: otherwise",
    });
}

/// Notes each call, and lets the connection close at its end.
pub(crate) fn noting(_transport: &Transport, call: Call<'_>) -> Answer<AfterEof> {
    note(&call);
    Ok(AfterEof::Close)
}

/// A source with these scripts, ready in both directions.
pub(crate) fn source(reads: &'static [Fault], writes: &'static [Fault]) -> &'static FaultSource {
    #[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
    link::LINK.reset();
    let source = static_ref!(FaultSource = FaultSource::new());
    source.reset(reads, writes);
    source
}

/// Connects `source` with a protocol that reacts so.
#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
pub(crate) fn connect(
    event_loop: &EventLoop,
    source: &'static FaultSource,
    told: Told,
    reaction: Reaction,
) -> Result<Transport, Failure> {
    Ok(Transport::new(event_loop, source.user(told), Probe(reaction))?)
}

/// Connects `source` with a protocol that reacts so: in a static, driven by a task.
#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
pub(crate) fn connect(
    event_loop: &EventLoop,
    source: &'static FaultSource,
    told: Told,
    reaction: Reaction,
) -> Result<Transport, Failure> {
    use molen::net::Streamed;
    let transport = link::LINK.open(source.user(told), Streamed(Probe(reaction)))?;
    event_loop.create_task(link::drive())?.detach();
    Ok(transport)
}

/// The one connection, where there is no heap.
#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
mod link {
    use super::Probe;
    use molen::net::{Connection, Fixed, Streamed};
    use molen::testing::FaultUser;

    pub(super) static LINK: Connection<FaultUser, Streamed<Probe>, Fixed<600, 8>> =
        Connection::new();

    #[molen::task]
    pub(super) async fn drive() {
        LINK.drive().await;
    }
}

/// Lets `count` batches pass.
pub(crate) async fn batches(count: usize) {
    for _ in 0..count {
        molen::yield_now().await;
    }
}

/// An event in both directions, and time for what follows from it.
pub(crate) async fn wake(source: &FaultSource) {
    source.set_ready(Ready::BOTH);
    batches(3).await;
}

/// Fails unless exactly this was written.
#[track_caller]
pub(crate) fn check_written(source: &FaultSource, expected: &[u8]) -> Outcome {
    if *source.written() == *expected {
        return Ok(());
    }
    Err(Failure::shown(&format_args!("{:?} was written", &*source.written())))
}
