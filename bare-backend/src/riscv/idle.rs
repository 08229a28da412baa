//! Sleeping on a RISC-V hart until an interrupt, without losing a wake-up.

use riscv::{asm, interrupt};

/// Sleeps until an interrupt is pending, unless `is_idle`, asked with interrupts masked, says that there is work.
///
/// With `mstatus.MIE` clear a handler cannot run between the test and the WFI, and WFI still ends when an
/// interrupt that `mie` enables becomes pending. The handler runs when MIE is set again, just before this returns.
///
/// ```text
///   MIE=0 ─▶ is_idle? ─no──────────────────▶ MIE=1
///               └─yes─▶ WFI ─(irq pending)─▶ MIE=1 ─▶ handler ─▶ return
/// ```
///
/// Any interrupt ends the sleep, also one that made nothing ready: look at the queues and the clock again.
/// Call it in machine mode, outside of handlers, with interrupts enabled; it leaves them enabled.
#[inline]
pub fn wait_for_interrupt(is_idle: impl FnOnce() -> bool) {
    interrupt::disable();
    if is_idle() {
        // Writes to devices must have arrived before the hart stops.
        asm::fence();
        asm::wfi();
    }
    // SAFETY: this is not inside a critical section (the caller's contract above), so unmasking breaks none.
    unsafe { interrupt::enable() };
}
