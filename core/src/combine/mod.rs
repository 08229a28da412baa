//! Combinators: waiting for several things at once.
//!
//! Two families, which differ in who runs what is waited for:
//!
//! ```text
//!   in place: join, select, race             by tasks: gather, wait, as_completed, shield
//!
//!   your task ──polls──▶ future a             your task ◀─ended─ task a ◀── loop
//!             ──polls──▶ future b                       ◀─ended─ task b ◀── loop
//! ```
//!
//! *In place*, the futures are part of your own task's future: nothing is
//! allocated, any future will do, also one that is not Molen's, and any
//! executor may be underneath. They end with the combinator: whoever loses a
//! race is dropped. *By tasks*, each goes on by itself, whatever becomes of who
//! waits for it; these take whatever can become a task
//! ([`IntoTask`](crate::task::IntoTask)).
//!
//! | asyncio | here | ends |
//! |---|---|---|
//! | | [`join`], [`join_all`] | when all are ready, with all outputs |
//! | | [`select`], [`select!`](crate::select!), [`select_all`] | when the first is ready, with its number and output |
//! | | [`race`] | when the first is ready, with its output |
//! | | [`if_some`], [`optional`] | a branch of these that is not always there |
//! | `staggered_race` | [`staggered_race`] | with the first success of attempts that begin one after the other |
//! | `gather` | [`gather`], [`try_gather`] | when all have ended, or the first failed |
//! | `gather(return_exceptions=True)` | [`gather(..).return_exceptions()`](Gather::return_exceptions) | when all have ended, however they did |
//! | `wait` | [`wait`] | when some or all have ended, or the time is over; takes no result |
//! | `as_completed` | [`as_completed`] | again and again, with the next result |
//! | `shield` | [`shield`] | with the task, which goes on if this is dropped |
//!
//! # The order of polling
//!
//! Children are polled in the order in which they were given, always beginning
//! with the first. So a run can be repeated exactly, and `select` can be given
//! what is urgent first: of two that are ready together the earlier wins. A
//! loop around a `select` whose first future is always ready never comes to
//! the second; put the rare one (shut-down, timer) first.
//!
//! A child is polled whenever the task around it is. For a handful of children
//! that costs less than finding out which one was woken. From 48 on,
//! [`join_all`] finds out, because the cost of polling all grows with the square.
//!
//! # Files
//!
//! | file | concept |
//! |---|---|
//! | `maybe_done` | a future, and then its output |
//! | `join`, `join_all` | all of them |
//! | `select`, `either`, `race`, `select_all` | the first of them |
//! | `optional` | a future, or none |
//! | `staggered_race` | the first success of attempts that begin one after the other |
//! | `tasks`, `child_task`, `many_tasks` | tasks that are started together |
//! | `gather`, `wait`, `as_completed`, `shield` | what asyncio defines by tasks |
//! | `children` | which of many was woken |

mod as_completed;
mod child_task;
mod either;
mod gather;
mod join;
mod maybe_done;
mod optional;
mod race;
mod select;
mod shield;
mod staggered_race;
mod tasks;
mod wait;

#[cfg(feature = "alloc")]
mod children;
#[cfg(feature = "alloc")]
mod join_all;
#[cfg(feature = "alloc")]
mod many_tasks;
#[cfg(feature = "alloc")]
mod select_all;

pub use as_completed::{AsCompleted, AsCompletedWithin, as_completed};
pub use either::{Either, Either3, Either4, Either5, Either6, Either7, Either8};
pub use gather::{
    Gather, GatherError, GatherOutcome, Results, TryValues, Values, gather, try_gather,
};
pub use join::{Join, JoinAll, join};
pub use optional::{IfSome, Optional, if_some, optional};
pub use race::{Race, RaceFirst, race};
pub use select::{Select, SelectFirst, select};
pub use shield::{Shield, shield};
pub use staggered_race::{Attempts, RaceLost, RaceWon, StaggeredRace, staggered_race};
pub use tasks::{ChildTasks, Completed, EachTask, IntoTasks, TryChildTasks};
pub use wait::{ReturnWhen, Wait, WaitError, WaitFor, WaitTimeout, Waited, wait};

#[cfg(feature = "alloc")]
pub(crate) use children::parent_of;
#[cfg(feature = "alloc")]
pub use join_all::{JoinVec, join_all};
#[cfg(feature = "alloc")]
pub use select_all::{SelectAll, select_all};

/// Calls `$callback!` once for each number of futures from two to eight, with
/// the enum of that many, and for each future a variant, a type and a variable.
macro_rules! for_each_tuple {
    ($callback:ident) => {
        $callback!(Either: First A a, Second B b);
        $callback!(Either3: First A a, Second B b, Third C c);
        $callback!(Either4: First A a, Second B b, Third C c, Fourth D d);
        $callback!(Either5: First A a, Second B b, Third C c, Fourth D d, Fifth E e);
        $callback!(Either6: First A a, Second B b, Third C c, Fourth D d, Fifth E e, Sixth F f);
        $callback!(Either7: First A a, Second B b, Third C c, Fourth D d, Fifth E e, Sixth F f, Seventh G g);
        $callback!(Either8: First A a, Second B b, Third C c, Fourth D d, Fifth E e, Sixth F f, Seventh G g, Eighth H h);
    };
}
use for_each_tuple;
