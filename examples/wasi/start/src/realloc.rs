//! The canonical ABI's allocator, on top of the program's.

use core::alloc::Layout;

/// Makes room for what the host returns.
///
/// # Safety
///
/// As the canonical ABI calls it: `old` is null and `old_size` 0, or both are
/// of an earlier call with the same `align`.
pub unsafe fn cabi_realloc(
    old: *mut u8,
    old_size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    if new_size == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    let Ok(layout) = Layout::from_size_align(old_size.max(1), align) else {
        core::arch::wasm32::unreachable()
    };
    // SAFETY: the caller's promise; sizes are not zero.
    let new = unsafe {
        if old_size == 0 {
            let layout = Layout::from_size_align_unchecked(new_size, align);
            alloc::alloc::alloc(layout)
        } else {
            alloc::alloc::realloc(old, layout, new_size)
        }
    };
    if new.is_null() {
        // The ABI has no way to say that there is no memory.
        core::arch::wasm32::unreachable()
    }
    new
}
