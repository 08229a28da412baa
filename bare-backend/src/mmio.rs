//! Device registers, with a safe face.
//!
//! # Invariants
//!
//! - **DEVICE**: `BASE .. BASE + SIZE` is the register block of a device, mapped for as long as the program runs.
//!   Reading or writing those registers has effects on the device only: it moves no memory behind Rust's back.
//!   Whoever makes a [`Block`] vouches for it.
//! - **INSIDE**: an access is naturally aligned and inside the block. Checked here; offsets are constants,
//!   so the check costs nothing.

/// The `SIZE` bytes of device registers at address `BASE`.
#[derive(Clone, Copy)]
pub(crate) struct Block<const BASE: usize, const SIZE: usize>(());

// Host builds have no chip part that uses all of this.
#[cfg_attr(not(target_os = "none"), allow(dead_code))]
impl<const BASE: usize, const SIZE: usize> Block<BASE, SIZE> {
    /// The registers at `BASE`.
    ///
    /// # Safety
    ///
    /// DEVICE holds.
    pub(crate) const unsafe fn new() -> Self {
        const { assert!(BASE.is_multiple_of(4), "a register block starts at a word") };
        Self(())
    }

    #[inline(always)]
    const fn address(offset: usize, width: usize) -> usize {
        assert!(offset + width <= SIZE && offset.is_multiple_of(width));
        BASE + offset
    }

    /// Reads the 32-bit register at `offset`.
    #[inline(always)]
    pub(crate) fn read(self, offset: usize) -> u32 {
        // SAFETY: DEVICE, INSIDE.
        unsafe { (Self::address(offset, 4) as *const u32).read_volatile() }
    }

    /// Writes the 32-bit register at `offset`.
    #[inline(always)]
    pub(crate) fn write(self, offset: usize, value: u32) {
        // SAFETY: DEVICE, INSIDE.
        unsafe { (Self::address(offset, 4) as *mut u32).write_volatile(value) }
    }

    /// Reads the 8-bit register at `offset`.
    #[inline(always)]
    pub(crate) fn read_byte(self, offset: usize) -> u8 {
        // SAFETY: DEVICE, INSIDE.
        unsafe { (Self::address(offset, 1) as *const u8).read_volatile() }
    }

    /// Writes the 8-bit register at `offset`.
    #[inline(always)]
    pub(crate) fn write_byte(self, offset: usize, value: u8) {
        // SAFETY: DEVICE, INSIDE.
        unsafe { (Self::address(offset, 1) as *mut u8).write_volatile(value) }
    }
}
