//! Sleeping on a Cortex-M until an interrupt, without losing a wake-up.

use cortex_m::{asm, interrupt};

/// Sleeps until an interrupt is pending, unless `is_idle`, asked with interrupts masked, says that there is work.
///
/// With PRIMASK set a handler cannot run between the test and the WFI, and WFI still ends when an interrupt
/// becomes pending. The handler runs when interrupts are unmasked again, just before this returns.
///
/// ```text
///   CPSID ─▶ is_idle? ─no──────────────────▶ CPSIE
///               └─yes─▶ WFI ─(irq pending)─▶ CPSIE ─▶ handler ─▶ return
/// ```
///
/// Any interrupt ends the sleep, also one that made nothing ready: look at the queues and the clock again.
/// Call it in thread mode with interrupts enabled; it leaves them enabled.
#[inline]
pub fn wait_for_interrupt(is_idle: impl FnOnce() -> bool) {
    interrupt::disable();
    if is_idle() {
        // Writes to devices (an alarm, a transmit buffer) must have arrived before the core's clock stops.
        asm::dsb();
        asm::wfi();
    }
    // SAFETY: this is not inside a critical section (the caller's contract above), so unmasking breaks none.
    unsafe { interrupt::enable() };
}
