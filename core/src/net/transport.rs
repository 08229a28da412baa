//! What one calls: the handle of a connection.

use super::error::WriteError;
use super::flow_control::WriteBufferLimits;
use super::machine::{Machine, Phase};
use crate::io::source::End;
use core::fmt;
use core::net::SocketAddr;

#[cfg(feature = "std")]
use super::{error::ConnectionError, machine::Verdict};
#[cfg(feature = "std")]
use crate::io::source::SourceError;
#[cfg(feature = "std")]
use core::task::{Context, Poll};

#[cfg(feature = "alloc")]
use super::{
    error::RefusedWrite,
    owned_bytes::OwnedBytes,
    protocol::{BufferedProtocol, Protocol},
    receiver::{Buffered, Receiver, Streamed},
};
#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec::Vec};

/// How connections are held: counted where there is a heap, else in statics.
#[cfg(feature = "alloc")]
pub(crate) type Ref<T> = alloc::rc::Rc<T>;
/// How connections are held: counted where there is a heap, else in statics.
#[cfg(not(feature = "alloc"))]
pub(crate) type Ref<T> = &'static T;

/// Another reference to the same.
#[allow(clippy::clone_on_copy, reason = "where there is no heap it is copied")]
#[allow(noop_method_call, suspicious_double_ref_op, reason = "a `Ref` is one of two types")]
pub(crate) fn another<T: ?Sized>(reference: &Ref<T>) -> Ref<T> {
    reference.clone()
}

/// What writing says about the writer's future.
///
/// asyncio says it by calling `pause_writing` from inside `write`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// Go on.
    Open,
    /// The bytes were taken, but more waits than the high mark: write no more
    /// until `resume_writing`. `pause_writing` is called when the running
    /// callback has returned.
    Paused,
    /// The connection is closing or lost: the bytes were dropped.
    Dropped,
}

/// Whether a call left something for a turn of the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    Nothing,
    Turn,
}

impl Follow {
    pub(crate) fn when(changed: bool) -> Follow {
        if changed { Follow::Turn } else { Follow::Nothing }
    }
}

/// How far a write has come whose bytes can be kept.
#[cfg(feature = "alloc")]
pub(crate) enum Begun {
    /// Nothing is left to be kept.
    Done(Flow, Follow),
    /// So many bytes are gone, and the others are to be kept.
    Sent(usize),
}

/// What a transport needs of its connection, whatever its types.
pub(crate) trait Link {
    fn write(&self, pieces: &[&[u8]]) -> Result<(Flow, Follow), WriteError>;
    /// Writes the start of `pieces`, unless something waits before them.
    #[cfg(feature = "alloc")]
    fn begin_write(&self, pieces: &[&[u8]]) -> Result<Begun, WriteError>;
    /// Takes over what a write that has begun has left.
    #[cfg(feature = "alloc")]
    fn keep(&self, bytes: OwnedBytes) -> (Flow, Follow);
    fn write_eof(&self) -> Result<Follow, WriteError>;
    fn can_write_eof(&self) -> bool;
    fn close(&self) -> Follow;
    fn abort(&self) -> Follow;
    /// Reads to `buffer`, if anything is there and is to be read. What else
    /// comes of it, the connection's next turn tells.
    #[cfg(feature = "alloc")]
    fn read_now(&self, _buffer: &mut [u8]) -> (usize, Follow) {
        (0, Follow::Nothing)
    }
    fn pause_reading(&self) -> Follow;
    fn resume_reading(&self) -> Follow;
    fn set_limits(&self, limits: WriteBufferLimits) -> Follow;
    fn machine(&self) -> Machine;
    fn pending(&self) -> usize;
    fn address(&self, end: End) -> Option<SocketAddr>;
    #[cfg(feature = "std")]
    fn unix_address(&self, end: End) -> Option<super::UnixAddress>;
    fn descriptor(&self) -> Option<u64>;
    /// From now on only by `put_held` and `poll_sendfile`; see `hold`.
    #[cfg(feature = "std")]
    fn hold(&self) -> Verdict;
    #[cfg(feature = "std")]
    fn release(&self) -> Follow;
    #[cfg(feature = "std")]
    fn put_held(&self, bytes: &[u8]) -> Result<(Flow, Follow), WriteError>;
    /// Waits until no more than `most` bytes wait to be written.
    #[cfg(feature = "std")]
    fn poll_written(&self, cx: &Context<'_>, most: usize) -> Poll<Result<(), ConnectionError>>;
    #[cfg(feature = "std")]
    fn poll_sendfile(
        &self,
        cx: &Context<'_>,
        file: &std::fs::File,
        offset: u64,
        count: usize,
    ) -> Poll<Result<usize, SourceError>>;
    #[cfg(feature = "std")]
    fn fail_sendfile(&self, error: SourceError) -> Follow;
    #[cfg(feature = "tls")]
    fn tls_info(&self) -> Option<alloc::rc::Rc<super::tls::TlsInfo>>;
    #[cfg(feature = "alloc")]
    fn set_protocol(&self, protocol: Box<dyn Receiver>) -> Follow;
    #[cfg(feature = "alloc")]
    fn with_protocol(&self, f: &mut dyn FnMut(&mut dyn core::any::Any)) -> bool;
    #[cfg(feature = "alloc")]
    fn schedule(self: alloc::rc::Rc<Self>);
    #[cfg(not(feature = "alloc"))]
    fn schedule(&'static self);
}

/// The handle of a stream connection: clones name the same one.
///
/// No call waits, and none calls the protocol. Dropping all handles leaves the
/// connection to its protocol; it ends by `close`, `abort`, the other side, or
/// with the loop.
///
/// asyncio: `asyncio.Transport`.
#[derive(Clone)]
pub struct Transport {
    pub(crate) link: Ref<dyn Link>,
}

impl Transport {
    pub(super) fn follow(&self, follow: Follow) {
        if follow == Follow::Turn {
            another(&self.link).schedule();
        }
    }

    /// Writes all of `bytes`: what the source does not take now is kept, and
    /// written before anything that is written later. Empty bytes do nothing.
    ///
    /// asyncio: `transport.write()`.
    ///
    /// # Errors
    ///
    /// [`WriteError::AfterEof`], also for empty bytes, and so while a file is
    /// being sent; [`WriteError::Full`] when
    /// the write buffer has a fixed size and might not hold them: nothing is
    /// written then. A failure of the source is told to `connection_lost`.
    pub fn write(&self, bytes: &[u8]) -> Result<Flow, WriteError> {
        self.writelines(&[bytes])
    }

    /// Writes all of `pieces`, one after the other, with one call of the
    /// system where it has one for that.
    ///
    /// asyncio: `transport.writelines()`.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub fn writelines(&self, pieces: &[&[u8]]) -> Result<Flow, WriteError> {
        let (flow, follow) = self.link.write(pieces)?;
        self.follow(follow);
        Ok(flow)
    }

    /// Writes all of `bytes` without copying them: what the source does not
    /// take now is kept as it is, and dropped when it is written. For what is
    /// large, or has several readers; for what is small,
    /// [`write`](Self::write) is as good.
    ///
    /// Anything that has bytes and owns or shares them will do: `Vec<u8>`,
    /// `Box<[u8]>`, `String`, `Rc<[u8]>` or `Arc<[u8]>` for what goes to
    /// several, `&'static [u8]`, an array, `bytes::Bytes`, a mapped file.
    ///
    /// ```
    /// # use molen_core::net::{Answer, Protocol, Transport};
    /// /// Says the same to everybody.
    /// struct Motto(std::rc::Rc<[u8]>);
    ///
    /// impl Protocol for Motto {
    ///     fn connection_made(&mut self, transport: &Transport) -> Answer {
    ///         transport.write_owned(self.0.clone())?;
    ///         transport.close();
    ///         Ok(())
    ///     }
    ///
    ///     fn data_received(&mut self, _: &Transport, _: &[u8]) -> Answer {
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// asyncio: `transport.write()`, which keeps what it is given.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write), but never `Full`; `bytes` come back.
    #[cfg(feature = "alloc")]
    pub fn write_owned<B>(&self, bytes: B) -> Result<Flow, RefusedWrite<B>>
    where
        B: AsRef<[u8]> + 'static,
    {
        match self.link.begin_write(&[bytes.as_ref()]) {
            Ok(Begun::Done(flow, follow)) => {
                self.follow(follow);
                Ok(flow)
            }
            Ok(Begun::Sent(sent)) => Ok(self.keep(OwnedBytes::new(bytes, sent))),
            Err(error) => Err(RefusedWrite { error, bytes }),
        }
    }

    /// Writes all of `pieces`, one after the other, as
    /// [`write_owned`](Self::write_owned) writes one, and with as few calls of
    /// the system as it allows.
    ///
    /// asyncio: `transport.writelines()`.
    ///
    /// # Errors
    ///
    /// As for [`write_owned`](Self::write_owned).
    #[cfg(feature = "alloc")]
    pub fn writelines_owned<B>(&self, pieces: Vec<B>) -> Result<Flow, RefusedWrite<Vec<B>>>
    where
        B: AsRef<[u8]> + 'static,
    {
        let slices: Vec<&[u8]> = pieces.iter().map(B::as_ref).collect();
        match self.link.begin_write(&slices) {
            Ok(Begun::Done(flow, follow)) => {
                self.follow(follow);
                Ok(flow)
            }
            Ok(Begun::Sent(mut sent)) => {
                let mut flow = Flow::Open;
                for piece in pieces {
                    let len = piece.as_ref().len();
                    if sent < len {
                        flow = self.keep(OwnedBytes::new(piece, sent));
                    }
                    sent = sent.saturating_sub(len);
                }
                Ok(flow)
            }
            Err(error) => Err(RefusedWrite { error, bytes: pieces }),
        }
    }

    #[cfg(feature = "alloc")]
    fn keep(&self, bytes: OwnedBytes) -> Flow {
        let (flow, follow) = self.link.keep(bytes);
        self.follow(follow);
        flow
    }

    /// Reads what has come and was [left](Protocol::leaves_it), past the
    /// protocol; 0 when nothing was.
    #[cfg(feature = "alloc")]
    pub(crate) fn read_now(&self, buffer: &mut [u8]) -> usize {
        let (count, follow) = self.link.read_now(buffer);
        self.follow(follow);
        count
    }

    /// Says to the other side that nothing more will come, once all that waits
    /// is written; reading goes on. Repeated, or after `close`, it does nothing.
    ///
    /// asyncio: `transport.write_eof()`.
    ///
    /// # Errors
    ///
    /// [`WriteError::NoHalfClose`] unless [`can_write_eof`](Self::can_write_eof).
    pub fn write_eof(&self) -> Result<(), WriteError> {
        let follow = self.link.write_eof()?;
        self.follow(follow);
        Ok(())
    }

    /// Whether one direction can be closed alone. asyncio: `can_write_eof()`.
    pub fn can_write_eof(&self) -> bool {
        self.link.can_write_eof()
    }

    /// Ends the connection when all that waits is written; nothing more is
    /// read. Repeated, it does nothing.
    ///
    /// asyncio: `transport.close()`.
    pub fn close(&self) {
        self.follow(self.link.close());
    }

    /// Ends the connection; what waits to be written is dropped. After the end
    /// it does nothing (asyncio: an internal error after a close that had
    /// written everything).
    ///
    /// asyncio: `transport.abort()`.
    pub fn abort(&self) {
        self.follow(self.link.abort());
    }

    /// Whether the connection is closing or closed. asyncio: `is_closing()`.
    pub fn is_closing(&self) -> bool {
        self.link.machine().is_closing()
    }

    /// Whether it is over: `connection_lost` was called.
    pub fn is_lost(&self) -> bool {
        self.link.machine().phase() == Phase::Lost
    }

    /// Has nothing read, and so nothing received, until `resume_reading`.
    /// Repeated, or on a closing connection, it does nothing.
    ///
    /// asyncio: `transport.pause_reading()`.
    pub fn pause_reading(&self) {
        self.follow(self.link.pause_reading());
    }

    /// Reads again. Repeated, or on a closing connection, it does nothing.
    ///
    /// asyncio: `transport.resume_reading()`.
    pub fn resume_reading(&self) {
        self.follow(self.link.resume_reading());
    }

    /// Whether it reads: neither paused nor closing, nor at the end.
    ///
    /// asyncio: `transport.is_reading()`.
    pub fn is_reading(&self) -> bool {
        self.link.machine().is_reading()
    }

    /// Sets the marks of flow control. Lower ones may pause the protocol,
    /// higher ones do not resume it.
    ///
    /// asyncio: `transport.set_write_buffer_limits()`.
    pub fn set_write_buffer_limits(&self, limits: WriteBufferLimits) {
        self.follow(self.link.set_limits(limits));
    }

    /// The marks of flow control. asyncio: `get_write_buffer_limits()`.
    pub fn get_write_buffer_limits(&self) -> WriteBufferLimits {
        self.link.machine().limits()
    }

    /// How many bytes wait to be written. asyncio: `get_write_buffer_size()`.
    pub fn get_write_buffer_size(&self) -> usize {
        self.link.pending()
    }

    /// Whether the protocol is to write no more for now.
    pub fn is_writing_paused(&self) -> bool {
        self.link.machine().is_writing_paused()
    }

    /// What is known of the connection beside its bytes; asked of the source,
    /// so `None` once it is closed.
    ///
    /// asyncio: `transport.get_extra_info()`.
    pub fn get_extra_info(&self, what: ExtraInfo) -> Option<ExtraValue> {
        match what {
            ExtraInfo::PeerName => self.name(End::Peer),
            ExtraInfo::SockName => self.name(End::Local),
            ExtraInfo::Socket => self.link.descriptor().map(ExtraValue::Descriptor),
            #[cfg(feature = "tls")]
            ExtraInfo::SslObject => self.link.tls_info().map(ExtraValue::Tls),
        }
    }

    /// The other side's address; `None` once the connection is closed, and where
    /// there is no such thing as an IP address (Unix sockets, pipes).
    ///
    /// The system is asked each time, and some forget it when the other side has
    /// reset the connection, before `connection_lost`: who needs it then asks in
    /// `connection_made`.
    ///
    /// asyncio: `get_extra_info('peername')`, which it asks for at the beginning
    /// and keeps.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.link.address(End::Peer)
    }

    /// This side's address; `None` as of [`peer_address`](Self::peer_address).
    ///
    /// asyncio: `get_extra_info('sockname')`.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.link.address(End::Local)
    }

    fn name(&self, end: End) -> Option<ExtraValue> {
        let name = self.link.address(end).map(ExtraValue::Address);
        #[cfg(feature = "std")]
        let name = name.or_else(|| self.link.unix_address(end).map(ExtraValue::UnixAddress));
        name
    }

    /// Has `protocol` told of everything from now on; within a callback, from
    /// its end on. It is told neither that the connection was made nor what
    /// happened before, but that writing is paused if it is. After the end it
    /// does nothing.
    ///
    /// asyncio: `transport.set_protocol()`.
    #[cfg(feature = "alloc")]
    pub fn set_protocol<P: Protocol + 'static>(&self, protocol: P) {
        self.follow(self.link.set_protocol(Box::new(Streamed(protocol))));
    }

    /// As [`set_protocol`](Self::set_protocol), of the buffered kind.
    #[cfg(feature = "alloc")]
    pub fn set_buffered_protocol<P: BufferedProtocol + 'static>(&self, protocol: P) {
        self.follow(self.link.set_protocol(Box::new(Buffered(protocol))));
    }

    /// Calls `f` with the protocol; `None` when it is not a `P`, one of its
    /// callbacks runs, or the connection is over.
    ///
    /// asyncio: `transport.get_protocol()`.
    #[cfg(feature = "alloc")]
    pub fn with_protocol<P: 'static, R>(&self, f: impl FnOnce(&mut P) -> R) -> Option<R> {
        let (mut f, mut result) = (Some(f), None);
        self.link.with_protocol(&mut |protocol| {
            if let Some(protocol) = protocol.downcast_mut::<P>()
                && let Some(f) = f.take()
            {
                result = Some(f(protocol));
            }
        });
        result
    }
}

/// A transport that one does not hold on to.
#[cfg(feature = "alloc")]
#[derive(Clone)]
pub struct WeakTransport(alloc::rc::Weak<dyn Link>);

#[cfg(feature = "alloc")]
impl fmt::Debug for WeakTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakTransport").field(&self.upgrade()).finish()
    }
}

#[cfg(feature = "alloc")]
impl WeakTransport {
    /// The transport, if the connection is still there.
    pub fn upgrade(&self) -> Option<Transport> {
        self.0.upgrade().map(|link| Transport { link })
    }
}

#[cfg(feature = "alloc")]
impl Transport {
    /// The same transport, not held on to.
    pub fn downgrade(&self) -> WeakTransport {
        WeakTransport(alloc::rc::Rc::downgrade(&self.link))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("phase", &self.link.machine().phase())
            .field("reading", &self.is_reading())
            .field("write_buffer_size", &self.get_write_buffer_size())
            .finish()
    }
}

/// What can be asked of a connection beside its bytes.
///
/// asyncio: the names that `get_extra_info` knows.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExtraInfo {
    /// The other side's address. asyncio: `'peername'`.
    PeerName,
    /// This side's address. asyncio: `'sockname'`.
    SockName,
    /// The operating system's number of it. asyncio: `'socket'`.
    Socket,
    /// What was agreed on by TLS: version, cipher, protocol, certificates.
    ///
    /// asyncio: `'ssl_object'`, and what there is of it by names of their own:
    /// `'cipher'`, `'peercert'`.
    #[cfg(feature = "tls")]
    SslObject,
}

/// What is known.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExtraValue {
    /// An address.
    Address(SocketAddr),
    /// The name of a Unix socket.
    #[cfg(feature = "std")]
    UnixAddress(super::UnixAddress),
    /// The operating system's number.
    Descriptor(u64),
    /// What was agreed on by TLS.
    #[cfg(feature = "tls")]
    Tls(alloc::rc::Rc<super::tls::TlsInfo>),
}
