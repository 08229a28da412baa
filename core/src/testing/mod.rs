//! Deterministic tests: a clock that stands still until it is told, a selector
//! that follows a script, and a log of what happened in which order. Molen's
//! own conformance suite is written with it, and your tests can be too: on a
//! desktop, in a WASI module and on a microcontroller without an allocator.
//!
//! ```text
//!   test ── script ──▶ TestBackend ◀── select(Wait::Until(10 s)) ── loop
//!    ▲                     │                                          │
//!    │                     └─ "then it is 10 s, and source 0 is ready"┘
//!    └── EventLog ◀── "timer" ◀── "connected" ◀── callbacks and tasks ┘
//! ```
//!
//! | piece | what it does |
//! |---|---|
//! | [`TestBackend`] | the hand-advanced clock and the scripted selector; keeps what the loop asked for and what it reported |
//! | [`Step`] | one line of a script: the wait that must be asked for, and what happens then |
//! | [`EventLog`] | what happened, compared as a whole sequence |
//! | [`FaultSource`] | a source of bytes that reads short, stalls, is interrupted or reset, by a script |
//! | [`FaultWire`] | two connected sources that do all of that by chance, which a seed decides |
//! | [`Chance`] | the choices of a seed |
//! | [`drop_at_every_poll`] | drops a future at every point where it can be cancelled, and asks what was lost |
//! | [`WakeFlag`] | a foreign executor's waker, to poll a future by hand |
//! | [`test_loop!`](crate::test_loop) | a new loop on a backend, closed when the test ends |
//! | [`static_ref!`](crate::static_ref) | a `&'static` to something that callbacks and tasks use |
//!
//! No time passes while a callback runs, and none while the loop looks around:
//! the clock moves when the loop sleeps. Without a script a wait until `t` is
//! over at once, and then it *is* `t`; so a program that sleeps for a year is
//! tested in microseconds, and each of its deadlines can be asserted:
//!
//! ```ignore
//! use molen::testing::{EventLog, Step, TestBackend, static_ref, test_loop};
//!
//! let backend = static_ref!(TestBackend = TestBackend::new());
//! let log = static_ref!(EventLog<8> = EventLog::new());
//! let event_loop = test_loop!(backend)?;
//!
//! event_loop.call_later(Duration::from_secs(10), || log.add("ten"))?;
//! event_loop.call_soon(|| log.add("soon"))?;
//! backend.script(const { &[
//!     Step::expect(Wait::No),                                   // "soon" is ready
//!     Step::expect(Wait::Until(Instant::from_nanos(10_000_000_000))),
//! ] });
//! event_loop.run_until_complete(molen::sleep(Duration::from_secs(10)))?;
//!
//! backend.check_script()?;
//! log.check(&["soon", "ten"])?;
//! ```
//!
//! Case 1190 of the conformance suite is this example.
//!
//! CPython: `test_asyncio.utils.TestLoop`, whose generator asserts each timeout
//! and says how far the time then goes.

mod backend;
mod chance;
mod drop_at_every_poll;
mod event_log;
mod fault_source;
mod fault_wire;
mod step;
mod test_loop;
mod text;
mod wake_flag;

pub use crate::{static_ref, test_loop};
pub use backend::{SOURCES, TestBackend};
pub use chance::Chance;
pub use drop_at_every_poll::{DropPoint, drop_at_every_poll};
pub use event_log::{Difference, EventLog};
pub use fault_source::{Fault, FaultSource, FaultUser, Told};
pub use fault_wire::{FaultRates, FaultWire, WireEnd, WireSide};
pub use step::{Mismatch, Step};
#[cfg(feature = "threads")]
#[doc(hidden)]
pub use test_loop::leak;
pub use test_loop::{TestLoop, handler};
pub use text::Text;
pub use wake_flag::WakeFlag;
