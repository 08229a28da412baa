//! Molen: the asyncio event loop as one small core, the same on desktops, in
//! WASI modules and on microcontrollers.
//!
//! ```
//! use molen::{Duration, create_task, sleep};
//!
//! let greeting = molen::run(async {
//!     let slow = create_task(async {
//!         sleep(Duration::from_millis(10)).await;
//!         "world"
//!     })?;
//!     Ok::<_, Box<dyn std::error::Error>>(format!("hello {}", slow.await?))
//! })??;
//! assert_eq!(greeting, "hello world");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A program begins with [`#[molen::main]`](main) or [`run`]; what happens behind
//! its back when it ends is told in [`runner`]. Tests are
//! [`#[molen::test]`](test)s, by the system's clock or by one that
//! stands still until somebody sleeps.
//!
//! # The way in
//!
//! Who knows asyncio finds its names; the README has a table of what has another
//! shape. Not everything is there on every platform; what is lacking says so.
//!
//! | to do this | there is |
//! |---|---|
//! | run things at once, stop them | [`create_task`], [`gather`], [`TaskGroup`], [`join`](join()), [`select!`], [`timeout`](timeout()), [`catch_cancel`] |
//! | call functions now, later, from elsewhere | [`EventLoop::call_soon`], [`call_later`](EventLoop::call_later), [`call_soon_threadsafe`](schedule::Remote::call_soon_threadsafe), [`to_thread`] |
//! | let tasks wait for each other | [`sync`]: locks, events, queues, semaphores, [`oneshot`](sync::oneshot); [`Promise`] |
//! | connect, serve, as a task | [`net::open_connection`], [`net::start_server`]: [`StreamReader`](net::StreamReader), [`StreamWriter`](net::StreamWriter) |
//! | connect, serve, as callbacks | [`net::create_connection`], [`net::create_server`]: [`Protocol`](net::Protocol), [`Transport`](net::Transport) |
//! | UDP | [`net::create_datagram_endpoint`], [`net::UdpSocket`] |
//! | Unix sockets | [`net::open_unix_connection`], [`net::start_unix_server`] |
//! | plain sockets, without buffers | [`net::TcpStream`], [`net::TcpListener`]; any library's, by [`sock`] |
//! | TLS (feature `tls`) | `tls::ClientContext`, `tls::ServerContext`, and `.tls(&context)` of what connects and serves |
//! | send files | [`net::sendfile`] |
//! | names and addresses | [`dns::getaddrinfo`] |
//! | other programs | [`subprocess::create_subprocess_exec`], [`subprocess::subprocess_exec`] |
//! | signals | [`signals::wait`](signals::wait()), [`SignalEventLoop::add_signal_handler`](signals::SignalEventLoop::add_signal_handler) |
//! | standard input and output, pipes, terminals | [`pipe`] |
//! | descriptors of one's own | [`SelectorEventLoop::add_reader`] |
//!
//! A server and its client, in one program:
//!
//! ```
//! use molen::net::{StreamReader, StreamWriter, open_connection, start_server};
//!
//! async fn echo(mut reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
//!     loop {
//!         let line = reader.readline().await?;
//!         if line.is_empty() {
//!             return Ok(());
//!         }
//!         writer.write(&line)?;
//!         writer.drain().await?;
//!     }
//! }
//!
//! molen::run(async {
//!     let server = start_server(("localhost", 0), echo).await?;
//!     let (mut reader, writer) =
//!         open_connection(("localhost", server.addresses()[0].port())).await?;
//!     writer.write(b"Hello World!\n")?;
//!     assert_eq!(reader.readline().await?, b"Hello World!\n");
//!     server.shutdown(molen::Duration::from_secs(5)).await;
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })??;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Inside
//!
//! This crate is the face: it picks the backend of the target and names
//! everything in one place. What runs when is decided in [`molen_core`].
#![no_std]

#[doc(inline)]
pub use molen_core::*;
pub use molen_macros::{main, task, test};

#[doc(hidden)]
pub mod entry;

/// The programs of the README, compiled.
#[cfg(all(doctest, not(any(target_os = "none", target_os = "wasi"))))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod desktop;
#[cfg(not(any(target_os = "none", target_os = "wasi")))]
pub use desktop::*;

/// The backend of this target.
#[cfg(not(any(target_os = "none", target_os = "wasi")))]
pub use molen_std as backend;

/// TCP, UDP and Unix sockets of this target, and transports, protocols and streams over any source.
#[cfg(not(target_os = "none"))]
#[doc(inline)]
pub use backend::net;
/// TLS: contexts of this target, and TLS over any connection.
#[cfg(all(
    feature = "tls-without-provider",
    not(any(target_os = "none", target_os = "wasi"))
))]
#[doc(inline)]
pub use backend::tls;
/// TLS over any connection.
#[cfg(all(feature = "tls-without-provider", any(target_os = "none", target_os = "wasi")))]
#[doc(inline)]
pub use molen_core::net::tls;
/// Tracers, counters and debug mode of loops, and this target's exporters.
#[cfg(feature = "trace")]
pub mod trace {
    #[cfg(all(target_os = "none", feature = "defmt"))]
    pub use molen_bare::trace::*;
    pub use molen_core::trace::*;
    #[cfg(not(any(target_os = "none", target_os = "wasi")))]
    pub use molen_std::trace::*;
}

#[cfg(target_os = "wasi")]
mod wasi;
#[cfg(target_os = "wasi")]
pub use wasi::*;

/// The backend of this target.
#[cfg(target_os = "wasi")]
pub use molen_wasi as backend;

/// The backend of this target.
#[cfg(target_os = "none")]
pub use molen_bare as backend;

/// Runs futures on a loop, one after the other: see [`runner`].
///
/// ```ignore
/// static LOOP: EventLoop = EventLoop::new();
/// let mut runner = Runner::with_loop(LOOP.start(&BOARD)?);
/// runner.run(main())?;
/// ```
///
/// asyncio: `asyncio.Runner`.
#[cfg(target_os = "none")]
pub type Runner = molen_core::runner::Runner<()>;
