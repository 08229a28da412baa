//! What came out of the guest: its output, and what each peer saw.

use std::borrow::Cow;
use std::time::Duration;

/// Bytes that one write delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// When, on the monotonic clock.
    pub at: Duration,
    /// What.
    pub bytes: Vec<u8>,
}

/// All bytes that went one way, with their times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    deliveries: Vec<Delivery>,
    total: usize,
}

impl Transcript {
    pub(crate) fn push(&mut self, at: Duration, bytes: Vec<u8>) {
        self.total += bytes.len();
        self.deliveries.push(Delivery { at, bytes });
    }

    /// One entry per write that took at least one byte, in order.
    #[must_use]
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// The number of bytes in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.total
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Everything, joined.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.deliveries.iter().flat_map(|delivery| delivery.bytes.iter().copied()).collect()
    }

    /// Everything as text; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        match String::from_utf8_lossy(&self.bytes()) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        }
    }
}

/// What one peer experienced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRecord {
    /// The name given in the script.
    pub name: String,
    /// The descriptor that the guest got for it, or `None` if the guest never did.
    pub fd: Option<u32>,
    /// When the guest accepted it; time zero for a preopened connection.
    pub accepted_at: Option<Duration>,
    /// What the guest sent.
    pub received: Transcript,
    /// When the guest shut its sending half down, if it did so before closing.
    pub write_shut_at: Option<Duration>,
    /// When the guest closed the descriptor.
    pub closed_at: Option<Duration>,
    /// When the host lost the connection by [`Lie::AcceptFlagsLoseConnection`](crate::Lie::AcceptFlagsLoseConnection).
    pub lost_at: Option<Duration>,
}

impl PeerRecord {
    pub(crate) fn new(name: &str) -> Self {
        PeerRecord {
            name: name.to_owned(),
            fd: None,
            accepted_at: None,
            received: Transcript::default(),
            write_shut_at: None,
            closed_at: None,
            lost_at: None,
        }
    }
}
