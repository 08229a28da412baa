//! The event loop of Molen, without an operating system and without an
//! allocator: PEP 3156's loop, callbacks, timers, tasks and promises.
//!
//! A *backend* supplies what turns the wheel: a [`Clock`](io::Clock) and a
//! [`Selector`](io::Selector). Everything that decides **what runs when** is here.
//!
//! ```text
//!  call_soon   call_later   wake   call_soon_threadsafe / ISR
//!      │            │         │               │
//!      │       timer wheel    │             inbox
//!      ▼            ▼         ▼               ▼
//!   ┌──────────────── ready queue (FIFO) ────────────────┐
//!   └────────────────────────┬───────────────────────────┘
//!                 one batch a turn: run each once
//! ```
//!
//! # Where to look
//!
//! | module | what it holds |
//! |---|---|
//! | [`schedule`] | the loop, its turn, ready queue, timer wheel, handles |
//! | [`runner`] | running a program, and clearing up behind it |
//! | [`task`] | tasks on the heap and in statics, cancellation, promises, `sleep` |
//! | [`net`] | transports, protocols, flow control, streams, servers |
//! | [`combine`] | waiting for several things at once |
//! | `executor` | functions that block, on other threads (`threads` only) |
//! | [`sync`] | what tasks wait for in one another: locks, events, queues …; signals and channels for interrupts and threads |
//! | [`io`] | what a backend implements: clock, selector, readiness, byte sources |
//! | [`task_group`] | tasks that are all over when a block is |
//! | [`timeouts`] | waiting, but not for ever |
//! | [`testing`] | a scripted selector, a hand-advanced clock, an event log |
//! | `trace` | what the loop does, told while it does it; needs the feature |
//!
//! # Features
//!
//! * `alloc`: boxed callbacks and heap tasks.
//! * `threads`: one loop a thread, wakes from other threads; needs the hook
//!   of [`platform`]. Without it there is one thread of control (and its
//!   interrupts), and nothing is paid for more.
//! * `std`: errors as `std::io::Error`, with the system's texts.
//! * `trace`: tracers, counters and debug mode.

#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod atomic;
pub mod combine;
pub mod error;
#[cfg(feature = "threads")]
pub mod executor;
pub mod io;
#[cfg(feature = "std")]
mod io_error;
pub mod net;
#[cfg(not(feature = "threads"))]
mod one_thread;
pub mod platform;
#[cfg(all(test, feature = "threads", not(loom)))]
extern crate self as molen_core;
#[cfg(all(test, feature = "threads", not(loom)))]
#[allow(
    unused_attributes,
    reason = "`inline` of the macro is for backends, which others link with"
)]
mod platform_of_tests;
pub mod runner;
pub mod schedule;
pub mod sync;
pub mod task;
pub mod task_group;
pub mod testing;
pub mod time;
pub mod timeouts;
#[cfg(not(feature = "trace"))]
mod trace;
#[cfg(feature = "trace")]
pub mod trace;

pub use combine::{
    Either, ReturnWhen, as_completed, gather, join, race, select, shield, staggered_race,
    try_gather, wait,
};
#[cfg(feature = "alloc")]
pub use combine::{join_all, select_all};
pub use error::{
    Closed, Full, InvalidState, NoEventLoop, NoRunningLoop, NothingToWaitFor, RunError,
    ScheduleError, TaskError, Unsupported,
};
#[cfg(feature = "threads")]
pub use executor::{run_in_executor, to_thread};
#[cfg(not(feature = "threads"))]
pub use one_thread::OneThread;
pub use schedule::{EventLoop, Handle, LoopRef, MissedTicks, TimerHandle, Turn, get_running_loop};
#[cfg(not(feature = "threads"))]
pub use schedule::{get_event_loop, set_event_loop};
pub use sync::{Barrier, BoundedSemaphore, Condition, Event, Lock, Semaphore};
pub use sync::{LifoQueue, PriorityQueue, Queue};
#[cfg(feature = "alloc")]
pub use task::all_tasks;
pub use task::{
    CallGraph, Cancelled, Promise, Task, TaskRef, capture_call_graph, catch_cancel, create_task,
    current_task, current_time, print_call_graph, sleep, sleep_until, yield_now,
};
#[cfg(feature = "alloc")]
pub use task_group::TaskGroup;
pub use time::{Duration, Instant};
pub use timeouts::{Deadline, TimeoutError, timeout, timeout_at, wait_for};
