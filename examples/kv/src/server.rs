//! A small key-value server: the same file on a desktop, in a WASI module and
//! on a microcontroller.
//!
//! It talks lines, over anything that is a [`ByteSource`]: a TCP connection or
//! a UART. Every line is a command and gets one line back.
//!
//! | command | answer |
//! |---|---|
//! | `PING` | `+PONG` |
//! | `SET key value` | `+OK`, or `-FULL` |
//! | `GET key` | `=value`, or `-NIL` |
//! | `DEL key` | `:1`, or `:0` |
//! | `EXPIRE key milliseconds` | `:1`, or `:0` when there is no such key |
//! | `COUNT` | `:` and the number of keys |
//! | `CLIENTS` | `:` and the number of clients |
//! | `QUIT` | `+BYE`, and the connection ends |
//! | `SHUTDOWN` | `+BYE`, and the server ends |
//!
//! A client that says nothing for [`Limits::idle`] is told `-IDLE` and left.
//! Nothing here needs a heap.

use core::cell::{Cell, RefCell};
use core::fmt::Write;
use core::future::Future;
use core::pin::pin;
use core::task::Poll;
use heapless::{String, Vec};
use molen::io::source::{self, AcceptSource, ByteSource, SourceError};
use molen::{Duration, Instant, Promise, current_time, sleep};

/// The longest line that is understood, in bytes.
const LINE: usize = 192;

/// What the server allows.
#[derive(Clone, Copy)]
pub struct Limits {
    /// How long a client may say nothing.
    pub idle: Duration,
    /// How often keys whose time is over are swept out.
    pub sweep: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { idle: Duration::from_secs(60), sweep: Duration::from_millis(250) }
    }
}

struct Entry {
    key: String<32>,
    value: String<128>,
    expires: Instant,
}

/// The keys, and who is there.
pub struct Store {
    entries: RefCell<Vec<Entry, 64>>,
    clients: Cell<u32>,
    limits: Limits,
    closing: Promise<()>,
    empty: Promise<()>,
}

impl Store {
    /// A store with nothing in it.
    pub const fn new(limits: Limits) -> Store {
        Store {
            entries: RefCell::new(Vec::new()),
            clients: Cell::new(0),
            limits,
            closing: Promise::new(),
            empty: Promise::new(),
        }
    }

    /// Whether `SHUTDOWN` was said.
    pub fn is_closing(&self) -> bool {
        self.closing.done()
    }

    fn close(&self) {
        // Saying it twice changes nothing.
        let _ = self.closing.set_result(());
        self.note_empty();
    }

    fn note_empty(&self) {
        if self.is_closing() && self.clients.get() == 0 {
            let _ = self.empty.set_result(());
        }
    }

    fn sweep(&self) {
        let now = current_time();
        self.entries.borrow_mut().retain(|entry| entry.expires > now);
    }

    /// Changes the entry of `key`, if it is there and its time is not over.
    fn with<R>(&self, key: &str, change: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        let now = current_time();
        let mut entries = self.entries.borrow_mut();
        entries.iter_mut().find(|entry| entry.key == key && entry.expires > now).map(change)
    }

    fn set(&self, key: &str, value: &str) -> Result<(), &'static str> {
        let value: String<128> = String::try_from(value).map_err(|_| "-ERR value too long")?;
        if self.with(key, |entry| entry.value = value.clone()).is_some() {
            return Ok(());
        }
        self.sweep();
        let key = String::try_from(key).map_err(|_| "-ERR key too long")?;
        let entry = Entry { key, value, expires: Instant::FAR_FUTURE };
        self.entries.borrow_mut().push(entry).map_err(|_| "-FULL")
    }

    fn delete(&self, key: &str) -> bool {
        self.sweep();
        let mut entries = self.entries.borrow_mut();
        let before = entries.len();
        entries.retain(|entry| entry.key != key);
        entries.len() < before
    }
}

/// A client that is counted as long as this lives.
struct Client<'a>(&'a Store);

impl<'a> Client<'a> {
    fn enter(store: &'a Store) -> Client<'a> {
        store.clients.set(store.clients.get() + 1);
        Client(store)
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        self.0.clients.set(self.0.clients.get() - 1);
        self.0.note_empty();
    }
}

/// What a client did next.
enum Input {
    Bytes(usize),
    End,
    Idle,
    Closing,
}

/// Waits until the client says something, or too long nothing, or the server closes.
async fn next_input<S: ByteSource>(
    stream: &S,
    buffer: &mut [u8],
    store: &Store,
) -> Result<Input, SourceError> {
    let mut read = pin!(source::read(stream, buffer));
    let mut idle = pin!(sleep(store.limits.idle));
    let mut closing = pin!(store.closing.wait());
    core::future::poll_fn(|cx| {
        if let Poll::Ready(read) = read.as_mut().poll(cx) {
            return Poll::Ready(read.map(|count| match count {
                0 => Input::End,
                count => Input::Bytes(count),
            }));
        }
        if closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(Input::Closing));
        }
        idle.as_mut().poll(cx).map(|()| Ok(Input::Idle))
    })
    .await
}

/// Whether the conversation goes on.
#[derive(PartialEq)]
enum Next {
    Go,
    Quit,
    Shutdown,
}

/// Talks with one client until it leaves, is idle too long, or the server closes.
///
/// # Errors
///
/// The stream's.
///
/// # Cancellation
///
/// The client is left where it is; the store stays whole.
pub async fn serve<S: ByteSource>(stream: &S, store: &Store) -> Result<(), SourceError> {
    let _client = Client::enter(store);
    let mut line = Vec::<u8, LINE>::new();
    let mut too_long = false;
    let mut buffer = [0; 64];
    loop {
        let count = match next_input(stream, &mut buffer, store).await {
            Ok(Input::Bytes(count)) => count,
            Ok(Input::End) => return Ok(()),
            Ok(Input::Idle) => return source::write_all(stream, b"-IDLE\n").await,
            Ok(Input::Closing) => return source::write_all(stream, b"-CLOSING\n").await,
            Err(SourceError::Overrun(_)) => {
                line.clear();
                source::write_all(stream, b"-ERR input overrun\n").await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        for &byte in &buffer[..count] {
            if byte != b'\n' {
                too_long |= line.push(byte).is_err();
                continue;
            }
            let mut answer = String::<LINE>::new();
            let next = if too_long {
                put(&mut answer, "-ERR line too long");
                Next::Go
            } else {
                obey(&line, store, &mut answer)
            };
            line.clear();
            too_long = false;
            put(&mut answer, "\n");
            source::write_all(stream, answer.as_bytes()).await?;
            match next {
                Next::Go => {}
                Next::Quit => return Ok(()),
                Next::Shutdown => {
                    store.close();
                    return Ok(());
                }
            }
        }
    }
}

/// An answer is never longer than its buffer: a value is 128 bytes at most.
fn put(answer: &mut String<LINE>, text: &str) {
    let _ = answer.push_str(text);
}

fn obey(line: &[u8], store: &Store, answer: &mut String<LINE>) -> Next {
    let Ok(line) = core::str::from_utf8(line) else {
        put(answer, "-ERR not UTF-8");
        return Next::Go;
    };
    let (command, rest) = split(line);
    let (key, value) = split(rest);
    let mut next = Next::Go;
    let is = |name: &str| command.eq_ignore_ascii_case(name);
    if is("PING") {
        put(answer, "+PONG");
    } else if is("SET") && !value.is_empty() {
        put(answer, store.set(key, value).err().unwrap_or("+OK"));
    } else if is("GET") && !key.is_empty() {
        let found = store.with(key, |entry| write!(answer, "={}", entry.value));
        if found.is_none() {
            put(answer, "-NIL");
        }
    } else if is("DEL") && !key.is_empty() {
        put(answer, if store.delete(key) { ":1" } else { ":0" });
    } else if is("EXPIRE") && !value.is_empty() {
        match value.parse() {
            Ok(millis) => {
                let expires = current_time() + Duration::from_millis(millis);
                let found = store.with(key, |entry| entry.expires = expires);
                put(answer, if found.is_some() { ":1" } else { ":0" });
            }
            Err(_) => put(answer, "-ERR not a number of milliseconds"),
        }
    } else if is("COUNT") {
        store.sweep();
        let _ = write!(answer, ":{}", store.entries.borrow().len());
    } else if is("CLIENTS") {
        let _ = write!(answer, ":{}", store.clients.get());
    } else if is("QUIT") {
        put(answer, "+BYE");
        next = Next::Quit;
    } else if is("SHUTDOWN") {
        put(answer, "+BYE");
        next = Next::Shutdown;
    } else {
        put(answer, "-ERR unknown command");
    }
    next
}

/// The first word, and the rest without the space before it.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    match line.split_once(' ') {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (line, ""),
    }
}

/// Sweeps keys whose time is over, until the server closes.
///
/// # Cancellation
///
/// Nothing is lost.
pub async fn sweep(store: &Store) {
    while !store.is_closing() {
        sleep(store.limits.sweep).await;
        store.sweep();
    }
}

/// Accepts clients and gives them to `start`, until the server closes and the
/// last client has left. A client that `start` gives back is told `-BUSY`.
///
/// # Errors
///
/// The listener's.
///
/// # Cancellation
///
/// The listener is closed; clients go on.
pub async fn accept<L: AcceptSource>(
    listener: L,
    store: &Store,
    mut start: impl FnMut(L::Connection) -> Result<(), L::Connection>,
) -> Result<(), SourceError> {
    while let Some(stream) = next_client(&listener, store).await? {
        if let Err(stream) = start(stream) {
            // It is going to be closed anyway.
            let _ = stream.try_write(b"-BUSY\n");
        }
    }
    drop(listener);
    let _ = store.empty.wait().await;
    Ok(())
}

async fn next_client<L: AcceptSource>(
    listener: &L,
    store: &Store,
) -> Result<Option<L::Connection>, SourceError> {
    let mut accept = pin!(source::accept(listener));
    let mut closing = pin!(store.closing.wait());
    core::future::poll_fn(|cx| {
        if closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(None));
        }
        accept.as_mut().poll(cx).map(|stream| stream.map(Some))
    })
    .await
}
