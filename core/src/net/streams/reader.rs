//! The reading half.

use super::incoming::{DEFAULT_LIMIT, ReadError, Scan, are_separators};
use super::stream_protocol::Shared;
use super::unread::Lent;
use crate::net::error::ConnectionError;
use crate::net::transport::Transport;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::{Context, Poll, ready};

/// Reads from a connection. Once it has failed, every read fails with the same
/// error, even if bytes are left.
///
/// ```no_run
/// # use molen_core as molen;
/// # futures::executor::block_on(async {
/// # let mut reader = molen::net::StreamReader::new();
/// # reader.feed_data(b"HTTP/1.1 200 OK\r\nServer: mill\r\n\r\nflour and bran");
/// # reader.feed_eof();
/// // `reader` is of `open_connection`, `start_server` …
/// let status = reader.readline().await?; // with its end; empty at the end of all
/// assert_eq!(status, b"HTTP/1.1 200 OK\r\n");
/// let head = reader.readuntil(&[b"\r\n\r\n", b"\n\n"]).await?;
/// assert_eq!(head, b"Server: mill\r\n\r\n");
/// let mut five = [0; 5];
/// reader.readexactly(&mut five).await?;
/// assert_eq!(&five, b"flour");
/// let mut some = [0; 4096];
/// let count = reader.read(&mut some).await?; // 0 at the end
/// assert_eq!(&some[..count], b" and bran");
/// assert!(reader.at_eof());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// asyncio: `asyncio.StreamReader`.
///
/// # Cancellation
///
/// No read loses bytes: they are taken in the step that returns them.
pub struct StreamReader {
    shared: Rc<Shared>,
    /// What [`fill_buf`](Self::fill_buf) lends. Most never do.
    lent: Option<Rc<Lent>>,
}

type Error = ReadError<Vec<u8>>;

impl StreamReader {
    /// A reader without a connection, for protocols that feed it themselves.
    pub fn new() -> StreamReader {
        StreamReader::with_limit(DEFAULT_LIMIT)
    }

    /// As [`new`](Self::new), for lines of up to `limit` bytes.
    pub fn with_limit(limit: usize) -> StreamReader {
        StreamReader::of(Shared::new(limit))
    }

    pub(crate) fn of(shared: Rc<Shared>) -> StreamReader {
        StreamReader { shared, lent: None }
    }

    /// The connection that is paused when too much comes unread. A reader that
    /// has one keeps it (asyncio: an `AssertionError`).
    ///
    /// asyncio: `set_transport()`.
    pub fn set_transport(&mut self, transport: Transport) {
        self.shared.connect(&transport);
    }

    /// Bytes have come. asyncio: `feed_data()`.
    pub fn feed_data(&self, data: &[u8]) {
        if !data.is_empty()
            && self.shared.feed_data(data)
            && let Some(transport) = self.shared.transport()
        {
            transport.pause_reading();
        }
    }

    /// Nothing more will come. asyncio: `feed_eof()`.
    pub fn feed_eof(&self) {
        self.shared.feed_eof();
    }

    /// Every read fails with `error` from now on. asyncio: `set_exception()`.
    pub fn set_exception(&self, error: ConnectionError) {
        self.shared.set_exception(error);
    }

    /// What every read fails with, if it does. asyncio: `exception()`.
    pub fn exception(&self) -> Option<ConnectionError> {
        self.shared.incoming.borrow().error().cloned()
    }

    /// Whether everything was read and nothing more will come.
    ///
    /// asyncio: `at_eof()`.
    pub fn at_eof(&self) -> bool {
        let incoming = self.shared.incoming.borrow();
        incoming.eof() && incoming.unread() == 0
    }

    /// What was lent is read like anything else again.
    #[inline]
    fn take_back(&mut self) {
        if let Some(lent) = &mut self.lent
            && !lent.data().is_empty()
        {
            self.shared.incoming.borrow_mut().take_back(lent);
        }
    }

    /// Waits until something is there; whether it is not the end.
    fn poll_some(&self, cx: &Context<'_>) -> Poll<Result<bool, ConnectionError>> {
        let incoming = self.shared.incoming.borrow();
        if let Some(error) = incoming.error() {
            return Poll::Ready(Err(error.clone()));
        }
        let (some, eof) = (!incoming.data().is_empty(), incoming.eof());
        drop(incoming);
        if some || eof {
            return Poll::Ready(Ok(some));
        }
        self.shared.poll_more(cx).map(|()| Ok(false))
    }

    /// Reads what is there, at least one byte and at most the buffer's length.
    /// 0 means the end, or an empty buffer.
    ///
    /// asyncio: `read(n)`, which makes a new `bytes` each time.
    ///
    /// # Errors
    ///
    /// The connection's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    // No `async fn`, which would hold what it was given twice: each idle
    // connection's task holds one of these.
    pub fn read<'a>(
        &'a mut self,
        buffer: &'a mut [u8],
    ) -> impl Future<Output = Result<usize, ConnectionError>> + use<'a> {
        poll_fn(move |cx| self.poll_read(cx, buffer))
    }

    /// As [`read`](Self::read), for futures made by hand.
    ///
    /// # Errors
    ///
    /// The connection's.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, ConnectionError>> {
        self.take_back();
        if buffer.is_empty() {
            return Poll::Ready(self.exception().map_or(Ok(0), Err));
        }
        let incoming = self.shared.incoming.borrow();
        if incoming.error().is_none() && incoming.data().is_empty() && !incoming.eof() {
            drop(incoming);
            return self.shared.poll_past(cx, buffer).map(Ok);
        }
        drop(incoming);
        ready!(self.poll_some(cx))?;
        Poll::Ready(Ok(self.shared.consume(buffer.len(), |data| {
            buffer[..data.len()].copy_from_slice(data);
            data.len()
        })))
    }

    /// Waits until something is there, and lends it: at least one byte, or none
    /// at the end. It is read only when [`consume`](Self::consume) says so, and
    /// else lent again; a wait for more than was lent is one of the other reads.
    ///
    /// Who waits so holds no buffer, and nothing is copied.
    ///
    /// ```no_run
    /// # use molen_core as molen;
    /// # use molen::net::StreamReader;
    /// # futures::executor::block_on(async {
    /// let mut reader = StreamReader::new();
    /// reader.feed_data(b"GET /");
    /// assert_eq!(reader.fill_buf().await?, b"GET /");
    /// reader.consume(4);
    /// assert_eq!(reader.fill_buf().await?, b"/");
    /// # Ok::<(), molen::net::ConnectionError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// std: `BufRead::fill_buf`; asyncio has none.
    ///
    /// # Errors
    ///
    /// The connection's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn fill_buf(&mut self) -> Result<&[u8], ConnectionError> {
        self.take_back();
        let some = poll_fn(|cx| self.poll_some(cx)).await?;
        if !some {
            return Ok(&[]);
        }
        let lent = self.lent.get_or_insert_default();
        self.shared.incoming.borrow_mut().lend(lent);
        Ok(lent.data())
    }

    /// Reads `count` bytes of those that [`fill_buf`](Self::fill_buf) has lent,
    /// or all if there are fewer. As with any read, a connection that was paused
    /// goes on when few enough are left.
    ///
    /// std: `BufRead::consume`.
    pub fn consume(&mut self, count: usize) {
        self.take_back();
        self.shared.consume(count, |_consumed| {});
    }

    /// Reads everything until the end, whatever the limit.
    ///
    /// asyncio: `read(-1)`.
    ///
    /// # Errors
    ///
    /// The connection's.
    ///
    /// # Cancellation
    ///
    /// What was read up to then is lost.
    pub async fn read_to_end(&mut self) -> Result<Vec<u8>, ConnectionError> {
        self.take_back();
        let mut all = Vec::new();
        while poll_fn(|cx| self.poll_some(cx)).await? {
            self.shared.consume(usize::MAX, |data| {
                all.extend_from_slice(data);
            });
        }
        Ok(all)
    }

    /// Reads exactly as many bytes as the buffer has, whatever the limit.
    ///
    /// asyncio: `readexactly(n)`.
    ///
    /// # Errors
    ///
    /// [`ReadError::Incomplete`] with what was left, or the connection's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn readexactly(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        self.take_back();
        let wanted = buffer.len();
        poll_fn(|cx| {
            let incoming = self.shared.incoming.borrow();
            if let Some(error) = incoming.error() {
                return Poll::Ready(Err(ReadError::Lost(error.clone())));
            }
            let (there, eof) = (incoming.data().len(), incoming.eof());
            drop(incoming);
            if there >= wanted {
                self.shared.consume(wanted, |data| buffer.copy_from_slice(data));
                return Poll::Ready(Ok(()));
            }
            if eof {
                let partial = self.shared.consume(there, <[u8]>::to_vec);
                let expected = Some(wanted);
                return Poll::Ready(Err(ReadError::Incomplete { partial, expected }));
            }
            self.shared.poll_more(cx).map(Ok)
        })
        .await
    }

    /// Reads until any of `separators`, and it too. The one that ends first
    /// counts.
    ///
    /// asyncio: `readuntil()`.
    ///
    /// # Errors
    ///
    /// [`ReadError::Incomplete`] with what was left; [`ReadError::LimitOverrun`],
    /// then all is still there; [`ReadError::NoSeparator`]; the connection's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn readuntil(&mut self, separators: &[&[u8]]) -> Result<Vec<u8>, Error> {
        if !are_separators(separators) {
            return Err(ReadError::NoSeparator);
        }
        self.take_back();
        let mut scan = Scan::default();
        poll_fn(|cx| match self.shared.look(&mut scan, separators) {
            Some(result) => Poll::Ready(result),
            None => self.shared.poll_more(cx).map(|()| Ok(Vec::new())),
        })
        .await
    }

    /// Reads a line with its `\n`; at the end what is left, perhaps nothing.
    ///
    /// asyncio: `readline()`.
    ///
    /// # Errors
    ///
    /// [`ReadError::LimitOverrun`]; then the line is dropped, or if its end is
    /// not there yet all that is. The connection's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn readline(&mut self) -> Result<Vec<u8>, Error> {
        match self.readuntil(&[b"\n"]).await {
            Err(ReadError::Incomplete { partial, .. }) => Ok(partial),
            Err(ReadError::LimitOverrun { found, consumed }) => {
                let dropped = if found { consumed + 1 } else { usize::MAX };
                self.shared.consume(dropped, |_dropped| {});
                Err(ReadError::LimitOverrun { found, consumed })
            }
            done => done,
        }
    }
}

impl Default for StreamReader {
    fn default() -> StreamReader {
        StreamReader::new()
    }
}

impl Drop for StreamReader {
    fn drop(&mut self) {
        // What comes from now on is read and dropped, so that the end is noticed.
        self.shared.abandon();
        self.shared.resume(true);
    }
}

impl fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let incoming = self.shared.incoming.borrow();
        f.debug_struct("StreamReader")
            .field("bytes", &incoming.unread())
            .field("limit", &incoming.limit())
            .field("eof", &incoming.eof())
            .field("exception", &incoming.error())
            .finish()
    }
}
