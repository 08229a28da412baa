//! Molen on desktops: what mio and the standard library give to the core.
//!
//! | file | what it is |
//! |---|---|
//! | `platform` | threads and unwinding, for the core's link-time hook |
//! | `policy` | each thread's current loop |
//! | `selector` | events to sources and callbacks, and the clock |
//! | `wait_epoll`, `wait_mio` | the wait itself, exact on Linux |
//! | `registrations` | the table from events to sources, with generations |
//! | `place`, `source_state` | a source's place in that table; its readiness |
//! | `registered` | a source in the selector |
//! | `posted` | a source of which another thread tells, on Windows |
//! | `runner`, [`interrupt`] | what a desktop adds to a runner; Ctrl-C |
//! | [`concurrent`] | results and coroutines across threads |
//! | [`executor`] | threads that run functions for a loop |
//! | `watches`, `watched`, [`SelectorEventLoop`] | `add_reader` and its family |
//! | `waiting`, `waiters` | tasks that wait for such a descriptor |
//! | [`sock`] | the `sock_…` calls, on any socket |
//! | `descriptor` | what a descriptor is: of Unix any, of Windows a socket |
//! | [`signals`] | signals as callbacks |
//! | `pipe` | pipes, terminals, the standard streams |
//! | `subprocess` | other programs, their pipes and their end |
//! | [`dns`] | names to addresses and back |
//! | [`net`] | TCP, UDP and Unix sockets, transports and streams over them |
//! | `sendfile` | from files to sockets and connections |
//! | `tls` | TLS by rustls: contexts, and the core's engine |
//! | [`host`] | a loop inside another loop |
//! | `trace`, `introspect` | exporters of traces; the tasks of a living process |
//!
//! Nothing here decides what runs when, and nothing here knows a protocol.

pub mod concurrent;
mod descriptor;
pub mod dns;
pub mod executor;
pub mod host;
pub mod interrupt;
#[cfg(feature = "introspect")]
pub mod introspect;
pub mod net;
pub mod pipe;
mod place;
mod platform;
mod policy;
#[cfg(windows)]
mod posted;
mod reader_writer;
mod registered;
mod registrations;
mod runner;
mod selector;
mod sendfile;
pub mod signals;
pub mod sock;
mod source_error;
mod source_state;
pub mod subprocess;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "trace")]
pub mod trace;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod wait_epoll;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod wait_mio;
mod waiters;
mod waiting;
mod watched;
mod watches;

pub use concurrent::{ConcurrentError, ConcurrentFuture, run_coroutine_threadsafe, wrap_future};
pub use executor::ThreadPoolExecutor;
pub use policy::{get_event_loop, set_event_loop};
pub use reader_writer::{SelectorEventLoop, WatchError, WatchRefused};
pub use runner::Desktop;
pub use selector::StdSelector;

use molen_core::LoopRef;
use std::io;

/// A new loop for this thread, turned by the operating system's selector.
///
/// asyncio: `asyncio.new_event_loop()`.
///
/// # Errors
///
/// The operating system's, when it has no descriptors left for a selector.
pub fn new_event_loop() -> io::Result<LoopRef> {
    let (selector, waker) = StdSelector::new()?;
    let event_loop = LoopRef::new(selector);
    event_loop.set_unparker(waker);
    #[cfg(feature = "trace")]
    if trace::debug_mode_by_environment() {
        event_loop.set_debug(true);
    }
    Ok(event_loop)
}
