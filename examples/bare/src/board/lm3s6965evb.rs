//! lm3s6965evb: 12.5 MHz after reset, with UARTs of PL011 kind.

use cortex_m::peripheral::{NVIC, SYST};
use molen::backend::board::Board;
#[cfg(not(feature = "tick"))]
use molen::backend::cortex_m::systick::SysTick as BoardClock;
#[cfg(feature = "tick")]
use molen::backend::cortex_m::tick::Tick as BoardClock;
use molen::backend::serial::Serial;
use molen::backend::uart::pl011::Pl011;

/// The core's clock, and SysTick's and the UART's with it.
const HZ: u32 = 12_500_000;
/// The UART's interrupts.
const UART_IRQS: &[u16] = &[5];

/// The loop's backend.
pub static BOARD: Board<BoardClock<HZ>> = Board::new(BoardClock::new());

/// UART 0.
// SAFETY: the board has this UART here, and only this static uses it.
pub static SERIAL: Serial<Pl011<0x4000_C000>, 64, 64> =
    Serial::new(unsafe { <Pl011<0x4000_C000>>::new() });

/// Starts the clock. Once, at the beginning of the program.
pub fn start() {
    // SAFETY: nothing else in these programs uses SysTick. (`Peripherals::take` would cost a flag to find that out.)
    let systick: SYST = unsafe { cortex_m::Peripherals::steal() }.SYST;
    BOARD.clock().start(systick);
}

/// Starts the UART.
pub fn start_serial() {
    SERIAL.uart().enable(HZ, 115_200);
    SERIAL.start();
    for number in UART_IRQS {
        // SAFETY: no critical section is built on masking this interrupt alone.
        unsafe { NVIC::unmask(Irq(*number)) };
    }
}

#[derive(Clone, Copy)]
struct Irq(u16);

// SAFETY: only made of UART_IRQS, numbers that this chip has, and they do not change.
unsafe impl cortex_m::interrupt::InterruptNumber for Irq {
    fn number(self) -> u16 {
        self.0
    }
}

#[cortex_m_rt::exception]
fn SysTick() {
    BOARD.clock().on_interrupt();
}
