//! How long a handshake and a goodbye may take.

use super::error::TlsError;
use crate::time::Duration;

/// How long a handshake may take, unless told otherwise.
///
/// asyncio: 60 seconds (`SSL_HANDSHAKE_TIMEOUT`).
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the other side's `close_notify` is waited for, unless told
/// otherwise.
///
/// asyncio: 30 seconds (`SSL_SHUTDOWN_TIMEOUT`).
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the two ends of a TLS connection's life may take.
///
/// asyncio: `ssl_handshake_timeout` and `ssl_shutdown_timeout`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// From the connection below to the end of the handshake.
    pub handshake: Duration,
    /// From our `close_notify` to the end of the connection below.
    pub shutdown: Duration,
}

impl Timeouts {
    /// 60 and 30 seconds.
    pub const DEFAULT: Timeouts =
        Timeouts { handshake: HANDSHAKE_TIMEOUT, shutdown: SHUTDOWN_TIMEOUT };

    /// Refuses a timeout of zero.
    pub(super) fn check(self) -> Result<Timeouts, TlsError> {
        if self.handshake.is_zero() {
            return Err(TlsError::NoTime { of: "handshake" });
        }
        if self.shutdown.is_zero() {
            return Err(TlsError::NoTime { of: "shutdown" });
        }
        Ok(self)
    }
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts::DEFAULT
    }
}

/// In the `impl` of a builder that has its [`Timeouts`] at this place: the
/// methods that set them.
#[doc(hidden)]
#[macro_export]
macro_rules! tls_timeouts {
    ($($place:tt)+) => {
        /// How long the handshake may take, 60 seconds if it is not said.
        ///
        /// asyncio: `ssl_handshake_timeout`.
        pub fn handshake_timeout(mut self, limit: $crate::Duration) -> Self {
            self.$($place)+.handshake = limit;
            self
        }

        /// How long the other side's `close_notify` is waited for at the end, 30
        /// seconds if it is not said.
        ///
        /// asyncio: `ssl_shutdown_timeout`.
        pub fn shutdown_timeout(mut self, limit: $crate::Duration) -> Self {
            self.$($place)+.shutdown = limit;
            self
        }
    };
}
