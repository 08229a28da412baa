//! Reading and writing the host's byte streams without blocking.

use super::error::{read_error, write_error};
use super::watch::Watch;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use wasip2::io::streams::{InputStream, OutputStream};

/// Reads what there is, or says that it would block.
pub(super) fn read(
    watch: &Watch,
    stream: &InputStream,
    buffer: &mut [u8],
) -> Result<usize, SourceError> {
    if buffer.is_empty() {
        return Ok(0);
    }
    match stream.read(buffer.len() as u64) {
        // No bytes is not the end here: there are none now.
        Ok(bytes) if bytes.is_empty() => {
            watch.clear(Ready::READABLE);
            Err(SourceError::WouldBlock)
        }
        Ok(bytes) => {
            // A host that gives more than it was asked for is cut short.
            let count = bytes.len().min(buffer.len());
            buffer[..count].copy_from_slice(&bytes[..count]);
            Ok(count)
        }
        Err(error) => read_error(error),
    }
}

/// Writes as much as the host permits, or says that it would block.
pub(super) fn write(
    watch: &Watch,
    stream: &OutputStream,
    bytes: &[u8],
) -> Result<usize, SourceError> {
    if bytes.is_empty() {
        return Ok(0);
    }
    // Writing more than this permits traps.
    let permitted = stream.check_write().map_err(write_error)?;
    let count = usize::try_from(permitted).unwrap_or(usize::MAX).min(bytes.len());
    if count == 0 {
        watch.clear(Ready::WRITABLE);
        return Err(SourceError::WouldBlock);
    }
    stream.write(&bytes[..count]).map_err(write_error)?;
    Ok(count)
}
