//! Flow control: how much may wait to be written before the writer is told.
//!
//! ```text
//!            size > high
//!   open ───────────────────▶ paused
//!     ▲                         │
//!     └──────── size ≤ low ─────┘
//! ```
//!
//! Between the marks nothing changes, so that a writer that is told to go on
//! has something to go on with. Exactly at the high mark it is not paused.

use core::fmt;

/// The high mark, unless told otherwise, in bytes.
///
/// asyncio: 64 KiB.
pub const DEFAULT_HIGH_WATER: usize = 64 * 1024;

/// The marks between which nothing changes, in bytes.
///
/// asyncio: what `get_write_buffer_limits()` returns, as `(low, high)`.
/// The marks reach up to 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WriteBufferLimits {
    // Four bytes each: every connection has them.
    low: u32,
    high: u32,
}

/// As a mark; what is beyond 4 GiB is 4 GiB.
const fn mark(bytes: usize) -> u32 {
    if bytes > u32::MAX as usize { u32::MAX } else { bytes as u32 }
}

/// The low mark was above the high one.
///
/// asyncio: `ValueError: high must be >= low must be >= 0`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitsReversed {
    /// The low mark that was asked for.
    pub low: usize,
    /// The high mark that was asked for.
    pub high: usize,
}

impl fmt::Display for LimitsReversed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitsReversed { low, high } = self;
        write!(f, "cannot set write buffer limits: low ({low}) is above high ({high})")
    }
}

impl core::error::Error for LimitsReversed {}

impl WriteBufferLimits {
    /// 64 KiB and a quarter of it.
    pub const DEFAULT: WriteBufferLimits = WriteBufferLimits::of_high(DEFAULT_HIGH_WATER);

    /// A high mark, and a low one at a quarter of it. With 0, whatever has to
    /// wait pauses the writer until all of it is written.
    pub const fn of_high(high: usize) -> WriteBufferLimits {
        WriteBufferLimits { low: mark(high / 4), high: mark(high) }
    }

    /// A low mark, and a high one at four times that.
    pub const fn of_low(low: usize) -> WriteBufferLimits {
        WriteBufferLimits { low: mark(low), high: mark(low.saturating_mul(4)) }
    }

    /// Both marks.
    ///
    /// # Errors
    ///
    /// [`LimitsReversed`] when `low` is above `high`.
    pub const fn new(low: usize, high: usize) -> Result<WriteBufferLimits, LimitsReversed> {
        if low > high {
            return Err(LimitsReversed { low, high });
        }
        Ok(WriteBufferLimits { low: mark(low), high: mark(high) })
    }

    /// At or below this a paused writer is resumed.
    pub const fn low(self) -> usize {
        self.low as usize
    }

    /// Above this a writer is paused.
    pub const fn high(self) -> usize {
        self.high as usize
    }
}

impl Default for WriteBufferLimits {
    fn default() -> WriteBufferLimits {
        WriteBufferLimits::DEFAULT
    }
}

/// Whether a writer is to pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlowControl {
    limits: WriteBufferLimits,
    paused: bool,
    /// What the protocol was told last.
    told: bool,
}

/// What the protocol has to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlowChange {
    /// To write no more.
    Pause,
    /// To go on writing.
    Resume,
}

impl FlowControl {
    pub(crate) const fn new(limits: WriteBufferLimits) -> FlowControl {
        FlowControl { limits, paused: false, told: false }
    }

    pub(crate) fn limits(&self) -> WriteBufferLimits {
        self.limits
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Other marks: lower ones may pause at once, higher ones resume nobody.
    pub(crate) fn set_limits(&mut self, limits: WriteBufferLimits, size: usize) {
        self.limits = limits;
        self.grown(size);
    }

    /// More waits than before: `size` bytes.
    pub(crate) fn grown(&mut self, size: usize) {
        self.paused |= size > self.limits.high();
    }

    /// Less waits than before: `size` bytes.
    pub(crate) fn shrunk(&mut self, size: usize) {
        self.paused &= size > self.limits.low();
    }

    /// What is to be told, if anything. Who paused and resumed in between is
    /// told nothing, so the calls alternate.
    pub(crate) fn untold(&self) -> Option<FlowChange> {
        (self.told != self.paused).then_some(if self.paused {
            FlowChange::Pause
        } else {
            FlowChange::Resume
        })
    }

    /// The protocol is being told of what is the case now.
    pub(crate) fn tell(&mut self) {
        self.told = self.paused;
    }

    /// Another protocol takes over, which was told nothing yet.
    #[cfg(feature = "alloc")]
    pub(crate) fn forget_told(&mut self) {
        self.told = false;
    }
}
