//! The host's errors as the errors of sources.

use super::PLATFORM;
use molen_core::Unsupported;
use molen_core::io::source::SourceError;
use wasip2::io::streams::StreamError;
use wasip2::sockets::network::ErrorCode;

/// What the host's `code` means; `operation` was being done.
pub(super) fn source_error(operation: &'static str, code: ErrorCode) -> SourceError {
    let unsupported =
        |reason| SourceError::Unsupported(Unsupported { operation, platform: PLATFORM, reason });
    match code {
        ErrorCode::WouldBlock => SourceError::WouldBlock,
        ErrorCode::Timeout => SourceError::TimedOut,
        ErrorCode::ConnectionRefused => SourceError::ConnectionRefused,
        ErrorCode::ConnectionReset | ErrorCode::ConnectionAborted => SourceError::ConnectionReset,
        ErrorCode::AddressInUse => SourceError::AddressInUse,
        ErrorCode::AddressNotBindable => SourceError::AddressNotAvailable,
        ErrorCode::NewSocketLimit | ErrorCode::OutOfMemory => SourceError::NoDescriptors,
        ErrorCode::AccessDenied => unsupported(
            "the host denied access to the network (wasmtime grants it with `-S inherit-network`)",
        ),
        ErrorCode::NotSupported => unsupported("the host has no such sockets"),
        // The rest has no number of an operating system; the names' order in
        // WIT is what hosts and tools show, so it serves as one.
        other => SourceError::Os(other as i32),
    }
}

/// What a failed read means: the end, or a broken connection.
pub(super) fn read_error(error: StreamError) -> Result<usize, SourceError> {
    match error {
        StreamError::Closed => Ok(0),
        // 0.2 does not tell what failed, but a stream that fails is at its end.
        StreamError::LastOperationFailed(_) => Err(SourceError::ConnectionReset),
    }
}

/// What a failed write means: nobody reads any more.
pub(super) fn write_error(_error: StreamError) -> SourceError {
    SourceError::ConnectionReset
}
