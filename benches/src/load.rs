//! What the client does to a server, row by row.

use crate::row::Row;

/// What a client does to a server, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// What goes to and fro.
    pub traffic: Traffic,
    /// Tasks of the server that sleep again and again meanwhile.
    pub sleepers: usize,
    /// Whether it is timed or counted, and for how long.
    pub until: Until,
}

/// What goes to and fro.
#[derive(Clone, Copy, Debug)]
pub enum Traffic {
    /// Over so many connections, each with one message of so many bytes in flight.
    Messages {
        /// Connections.
        conns: usize,
        /// Bytes of a message.
        size: usize,
    },
    /// Connections for one message each, so many at once.
    Connections {
        /// Connections at once.
        at_once: usize,
    },
    /// One message over each of so many connections, which then stay open.
    Idle {
        /// Connections.
        conns: usize,
    },
    /// Datagrams of so many bytes, so many in flight.
    Datagrams {
        /// Datagrams in flight.
        in_flight: usize,
        /// Bytes of a datagram.
        size: usize,
    },
}

/// When the client stops.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After this many milliseconds; CPU time and rate are reported.
    Millis(u64),
    /// After this many requests; the system calls are counted by strace.
    /// The server is left alone for a moment before each, so that it waits
    /// as it does at full speed, although tracing slows it down.
    Requests(u64),
    /// When all is as it should be.
    Done,
}

impl Load {
    /// The receive buffer of a server's connections, in bytes.
    pub fn buffer(self) -> usize {
        match self.traffic {
            // A task has to bring one; ten thousand of these are looked at.
            Traffic::Idle { .. } => 1024,
            // One for each message: not allocating is not what is measured.
            Traffic::Connections { .. } => 1024,
            _ => 64 * 1024,
        }
    }
}

impl Row {
    /// What the client does, when the row runs a server.
    pub fn load(self) -> Option<Load> {
        use Traffic::{Connections, Datagrams, Idle, Messages};
        let second = Until::Millis(1000);
        let (traffic, until) = match self {
            Row::Echo1 => (Messages { conns: 1, size: 64 }, second),
            Row::Echo64 | Row::EchoSleepers => (Messages { conns: 64, size: 64 }, second),
            Row::Echo64Large => (Messages { conns: 64, size: 16 * 1024 }, second),
            Row::Churn => (Connections { at_once: 32 }, second),
            Row::Idle => (Idle { conns: 10_000 }, Until::Done),
            Row::Udp64 => (Datagrams { in_flight: 32, size: 64 }, second),
            Row::Udp1200 => (Datagrams { in_flight: 32, size: 1200 }, second),
            Row::Calls1 => (Messages { conns: 1, size: 64 }, Until::Requests(4_000)),
            Row::Calls64 => (Messages { conns: 64, size: 64 }, Until::Requests(20_000)),
            _ => return None,
        };
        let sleepers = if self == Row::EchoSleepers { 10_000 } else { 0 };
        Some(Load { traffic, sleepers, until })
    }
}
