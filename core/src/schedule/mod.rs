//! The loop: what is ready, what is due, and one turn of the wheel.
//!
//! | file | concept |
//! |---|---|
//! | `event_loop` | the loop, its life: running, stopped, closed |
//! | `turn` | one turn: take in, wait, events, timers, batch |
//! | `node`, `ready` | what can run, and the queue of it |
//! | `inbox`, `remote`, `posted` | what other threads leave for the loop |
//! | `timer`, `timers`, `wheel` | what is to run later |
//! | `callback`, `handle`, `store`, `hooks` | callbacks, their handles, where they are kept |
//! | `policy` | the loop that is current where none runs |
//! | `standing` | callbacks that a selector makes ready each time something happens |
//! | `exception` | what happens when they fail |

mod callback;
mod event_loop;
mod exception;
mod handle;
mod hooks;
#[cfg(feature = "threads")]
pub(crate) mod inbox;
mod loop_memory;
mod loop_ref;
pub(crate) mod node;
#[cfg(not(feature = "threads"))]
mod policy;
#[cfg(feature = "threads")]
pub(crate) mod posted;
mod ready;
#[cfg(feature = "threads")]
mod remote;
mod standing;
mod store;
pub(crate) mod timer;
pub(crate) mod timers;
mod turn;
pub mod wheel;

pub use callback::MissedTicks;
pub use event_loop::EventLoop;
pub use exception::{
    CallbackResult, ExceptionContext, ExceptionHandler, HandlerBox, HandlerFailed, TextSink,
};
pub use handle::{Handle, TimerHandle};
pub use loop_ref::{LoopRef, get_running_loop};
#[cfg(not(feature = "threads"))]
pub use policy::{get_event_loop, set_event_loop};
#[cfg(feature = "threads")]
pub use posted::PostedHandle;
#[cfg(feature = "threads")]
pub use remote::Remote;
pub use standing::StandingCallback;
pub use store::CallbackStore;
#[cfg(not(feature = "threads"))]
pub use timers::WheelStore;
pub use turn::Turn;

pub(crate) use exception::{contain, wake_contained};
pub(crate) use loop_memory::LoopMemory;
pub(crate) use loop_ref::current;
