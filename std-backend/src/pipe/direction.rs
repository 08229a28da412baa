//! Which way bytes go.

use molen_core::io::Ready;

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// To us.
    In,
    /// From us.
    Out,
}

impl Direction {
    pub(crate) fn ready(self) -> Ready {
        match self {
            Direction::In => Ready::READABLE,
            Direction::Out => Ready::WRITABLE,
        }
    }

    pub(crate) fn operation(self) -> &'static str {
        match self {
            Direction::In => "read from",
            Direction::Out => "write to",
        }
    }
}
