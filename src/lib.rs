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
//! This crate is the face: it picks the backend of the target and names
//! everything in one place. What runs when is decided in [`molen_core`].
#![no_std]

pub use molen_core::*;
pub use molen_macros::{main, task, test};

#[doc(hidden)]
pub mod entry;

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod desktop;
#[cfg(not(any(target_os = "none", target_os = "wasi")))]
pub use desktop::*;

/// The backend of this target.
#[cfg(not(any(target_os = "none", target_os = "wasi")))]
pub use molen_std as backend;

/// TCP, UDP and Unix sockets of this target, and transports, protocols and streams over any source.
#[cfg(not(target_os = "none"))]
pub use backend::net;
/// TLS: contexts of this target, and TLS over any connection.
#[cfg(all(
    feature = "tls-without-provider",
    not(any(target_os = "none", target_os = "wasi"))
))]
pub use backend::tls;
/// TLS over any connection.
#[cfg(all(feature = "tls-without-provider", any(target_os = "none", target_os = "wasi")))]
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
