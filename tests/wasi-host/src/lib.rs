#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod abi;
mod call;
mod clock;
mod descriptor;
mod errno;
mod files;
mod guest;
mod guest_memory;
mod host;
mod lie;
mod link;
mod machine;
mod outcome;
mod poll;
mod process;
mod script;
mod socket;
mod transcript;

pub use abi::{Event, EventKind, Hangup, Interest, Subscription, Timeout};
pub use call::{Call, CallLog, HostCall, Poll};
pub use clock::ClockStep;
pub use errno::Errno;
pub use guest::{CallError, Reactor, Value};
pub use host::Host;
pub use lie::{Lie, When};
pub use outcome::{Ending, LoadError, Outcome};
pub use script::{Input, Listener, Output, Peer};
pub use transcript::{Delivery, PeerRecord, Transcript};
