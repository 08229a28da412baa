//! How a Unix socket listens.

use super::tcp_listener::DEFAULT_BACKLOG;

/// What becomes of the path of a listening socket when it is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cleanup {
    Remove,
    Leave,
}

/// How a socket listens.
#[derive(Clone, Copy)]
#[cfg_attr(windows, allow(dead_code, reason = "there is no such socket there"))]
pub(super) struct Listening {
    pub(super) backlog: u32,
    pub(super) mode: Option<u32>,
    pub(super) cleanup: Cleanup,
}

impl Listening {
    pub(super) const DEFAULT: Listening =
        Listening { backlog: DEFAULT_BACKLOG, mode: None, cleanup: Cleanup::Remove };
}
