//! Why there is no socket.

use core::fmt;
use core::net::SocketAddr;
use molen_core::io::source::SourceError;

/// Why a socket was not opened: what was being done, to which address, and
/// what refused it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetError {
    /// What was being done, such as "connect to".
    pub operation: &'static str,
    /// The address it was being done to.
    pub address: SocketAddr,
    /// Why it failed.
    pub cause: SourceError,
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.operation, self.address, self.cause)
    }
}

impl core::error::Error for NetError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use molen_core::Unsupported;

    #[test]
    fn it_says_what_was_done_to_what_and_why_it_failed() {
        let cause = SourceError::Unsupported(Unsupported {
            operation: "opening a TCP socket",
            platform: "WASI 0.2",
            reason: "the host denied it",
        });
        let error =
            NetError { operation: "listen on", address: ([127, 0, 0, 1], 6667).into(), cause };
        assert_eq!(
            error.to_string(),
            "cannot listen on 127.0.0.1:6667: opening a TCP socket is not supported on WASI 0.2: \
             the host denied it"
        );
    }
}
