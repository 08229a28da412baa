//! A child and those whom it starts: a process group.
//!
//! ```text
//!  group of its parent ──process_group, start_new_session──▶ leads its own
//!                                                               │ end_group_with_it
//!                                                               ▼
//!                              its end is noticed ── the rest is killed ──▶ it is reaped
//! ```
//!
//! A group has its leader's number. It is the leader's for as long as that has
//! not been reaped; afterwards the system may give it to another process, which
//! would get what is sent. So a group is sent signals only until then, and what
//! is to be done to it at the leader's end is done before reaping.

/// What is known of a child's group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Group {
    /// It is in its parent's, or in whichever it was put behind our backs.
    Unknown,
    /// It leads one.
    Led,
    /// It leads one, which ends with it.
    EndsWithLeader,
}

impl Group {
    /// Whether the child's number is a group's.
    pub(super) fn is_led(self) -> bool {
        self != Group::Unknown
    }
}
