//! Several pieces written with one call of the system.

use std::io::IoSlice;

/// How many pieces are written with one call. Systems allow 1024 (`IOV_MAX`);
/// the list is made on the stack for each call.
const VECTORED: usize = 64;

/// Calls `write` with the first of `pieces`, and how many bytes these have.
pub(crate) fn vectored<R>(pieces: &[&[u8]], write: impl FnOnce(usize, &[IoSlice<'_>]) -> R) -> R {
    let mut slices = [IoSlice::new(&[]); VECTORED];
    let (mut count, mut wanted) = (0, 0);
    for piece in pieces.iter().filter(|piece| !piece.is_empty()).take(VECTORED) {
        slices[count] = IoSlice::new(piece);
        count += 1;
        wanted += piece.len();
    }
    write(wanted, &slices[..count])
}
