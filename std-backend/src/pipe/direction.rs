//! Which way bytes go.

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// To us.
    In,
    /// From us.
    Out,
}

impl Direction {
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Direction::In => "read from",
            Direction::Out => "write to",
        }
    }
}
