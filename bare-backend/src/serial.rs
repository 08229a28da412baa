//! A UART with a ring of bytes each way: non-blocking for the loop, never waiting in the interrupt.
//!
//! ```text
//!            try_write ──▶ [ tx ring ] ──▶ transmitter          (interrupt only while the transmitter is busy)
//!   loop                                                  UART
//!            try_read  ◀── [ rx ring ] ◀── receiver             (interrupt masked while the ring is full)
//! ```
//!
//! **Receiving.** The handler moves what has arrived into the ring. When the ring is full it masks the receiver and leaves
//! the rest to the hardware's own buffer and flow control (RTS, or the socket behind an emulated port):
//!
//! ```text
//!              ring full: mask                       hardware buffer full, line goes on
//!   RECEIVING ─────────────────▶ PAUSED ──────────────────────────▶ bytes lost: Received::Overrun
//!       ▲      try_read made room: unmask, look again │
//!       └─────────────────────────────────────────────┘
//! ```
//!
//! **Overruns** are remembered with their place in the stream. `try_read` delivers what came before, then
//! [`SourceError::Overrun`] once, then what came after. Overruns that nobody has read up to are counted together.
//!
//! **Transmitting.** `try_write` fills the ring and starts the transmitter; the interrupt is unmasked only when
//! the transmitter was busy, and then the handler goes on.
//!
//! Bytes with a framing or parity error are delivered as received.
//!
//! Call [`Serial::on_interrupt`] from each interrupt of the UART. All of a `Serial` is zero bits, for `.bss`.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::task::{Context, Poll};
use critical_section::{CriticalSection, Mutex};
use molen_core::Unsupported;
use molen_core::io::source::{ByteSource, Source, SourceError};
use molen_core::io::{Interest, Ready};

use crate::ring::Ring;
use crate::uart::{Received, Uart};
use crate::wake_slot::WakeSlot;

/// A UART `U` with rings of `RX` and `TX` bytes, powers of two.
///
/// One task may read and one may write at a time: there is one waker for each.
pub struct Serial<U, const RX: usize, const TX: usize> {
    uart: U,
    rx: Ring<RX>,
    tx: Ring<TX>,
    /// The receiver is masked because the ring was full.
    paused: AtomicBool,
    /// Overruns that were not yet told to the reader.
    overruns: AtomicU32,
    /// Position in the receive ring of the first of them.
    overrun_at: Mutex<Cell<usize>>,
    readable: WakeSlot,
    writable: WakeSlot,
}

/// What the interrupt made possible.
struct Progress {
    readable: bool,
    writable: bool,
}

impl<U: Uart, const RX: usize, const TX: usize> Serial<U, RX, TX> {
    /// A `Serial` over a UART that may not be switched on yet.
    pub const fn new(uart: U) -> Self {
        Self {
            uart,
            rx: Ring::new(),
            tx: Ring::new(),
            paused: AtomicBool::new(false),
            overruns: AtomicU32::new(0),
            overrun_at: Mutex::new(Cell::new(0)),
            readable: WakeSlot::new(),
            writable: WakeSlot::new(),
        }
    }

    /// The UART below, to switch it on.
    pub fn uart(&self) -> &U {
        &self.uart
    }

    /// Begins to receive. The UART must be on.
    pub fn start(&self) {
        critical_section::with(|cs| {
            self.uart.unmask_receive();
            self.receive(cs);
        });
    }

    /// To be called from the UART's interrupt handlers. Moves bytes, then wakes who waits for them.
    pub fn on_interrupt(&self) {
        let progress = critical_section::with(|cs| {
            self.uart.acknowledge();
            Progress { readable: self.receive(cs), writable: self.transmit(cs) }
        });
        if progress.readable {
            self.readable.wake();
        }
        if progress.writable {
            self.writable.wake();
        }
    }

    /// Whether everything written has been handed to the hardware (which may still have some bytes in its buffer).
    pub fn is_flushed(&self) -> bool {
        self.tx.is_empty()
    }

    /// The directions in which something can be done.
    fn ready(&self) -> Ready {
        let news = !self.rx.is_empty() || self.overruns.load(Ordering::Acquire) != 0;
        let readable = if news { Ready::READABLE } else { Ready::NONE };
        let writable = if self.tx.is_full() { Ready::NONE } else { Ready::WRITABLE };
        readable.union(writable)
    }

    /// Receiver → ring, until one is empty or full. Tells whether there is news for the reader.
    fn receive(&self, cs: CriticalSection<'_>) -> bool {
        let mut news = false;
        loop {
            if self.rx.is_full() {
                self.uart.mask_receive();
                self.paused.store(true, Ordering::Relaxed);
                return news;
            }
            match self.uart.receive() {
                Received::Byte(byte) => {
                    self.rx.push(&[byte]);
                }
                Received::Overrun => {
                    let overruns = self.overruns.load(Ordering::Relaxed);
                    if overruns == 0 {
                        self.overrun_at.borrow(cs).set(self.rx.position_in());
                    }
                    self.overruns.store(overruns.saturating_add(1), Ordering::Release);
                }
                Received::Empty => return news,
            }
            news = true;
        }
    }

    /// Ring → transmitter, until one is empty or busy. Tells whether room was made.
    fn transmit(&self, _cs: CriticalSection<'_>) -> bool {
        let mut room = false;
        while let Some(byte) = self.tx.first() {
            if self.uart.transmit(byte).is_err() {
                self.uart.unmask_transmit();
                // It may have become free before the interrupt was unmasked, and then there would be none.
                if self.uart.transmit(byte).is_err() {
                    return room;
                }
            }
            self.tx.pop(&mut [0]);
            room = true;
        }
        self.uart.mask_transmit();
        room
    }
}

impl<U: Uart, const RX: usize, const TX: usize> Source for Serial<U, RX, TX> {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        if self.ready().intersects(interest) {
            return Poll::Ready(());
        }
        if interest.contains(Interest::READABLE) {
            self.readable.register(cx.waker());
        }
        if interest.contains(Interest::WRITABLE) {
            self.writable.register(cx.waker());
        }
        // The interrupt may have come before the waker was in its slot.
        if self.ready().intersects(interest) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl<U: Uart, const RX: usize, const TX: usize> ByteSource for Serial<U, RX, TX> {
    /// Takes bytes that have arrived. A UART's input has no end: zero only if `into` is empty.
    ///
    /// # Errors
    ///
    /// [`SourceError::WouldBlock`] if none has arrived; [`SourceError::Overrun`] once where bytes were lost, with the number of
    /// times that the hardware said so, each for one byte or more.
    fn try_read(&self, into: &mut [u8]) -> Result<usize, SourceError> {
        if into.is_empty() {
            return Ok(0);
        }
        // How much waits must be looked at before the overruns: whatever is lost later is lost behind it.
        let mut limit = self.rx.len().min(into.len());
        if self.overruns.load(Ordering::Acquire) != 0 {
            let (before, times) = critical_section::with(|cs| {
                let before = self.overrun_at.borrow(cs).get().wrapping_sub(self.rx.position_out());
                let times = self.overruns.load(Ordering::Relaxed);
                if before == 0 {
                    self.overruns.store(0, Ordering::Relaxed);
                }
                (before, times)
            });
            if before == 0 {
                return Err(SourceError::Overrun(times));
            }
            limit = before.min(into.len());
        }
        let count = self.rx.pop(&mut into[..limit]);
        if count == 0 {
            return Err(SourceError::WouldBlock);
        }
        if self.paused.load(Ordering::Relaxed) {
            critical_section::with(|cs| {
                self.paused.store(false, Ordering::Relaxed);
                self.uart.unmask_receive();
                self.receive(cs);
            });
        }
        Ok(count)
    }

    fn try_write(&self, from: &[u8]) -> Result<usize, SourceError> {
        if from.is_empty() {
            return Ok(0);
        }
        let count = self.tx.push(from);
        if count == 0 {
            return Err(SourceError::WouldBlock);
        }
        critical_section::with(|cs| self.transmit(cs));
        Ok(count)
    }

    fn can_shut_down(&self) -> bool {
        false
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Err(SourceError::Unsupported(Unsupported {
            operation: "shutting down the sending direction",
            platform: "a UART",
            reason: "its line has no end-of-stream signal",
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uart::Busy;
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::task::{Wake, Waker};
    use std::vec::Vec;

    /// A UART whose far end is the test.
    #[derive(Default)]
    struct Wire {
        incoming: RefCell<VecDeque<Received>>,
        outgoing: RefCell<Vec<u8>>,
        /// Bytes the transmitter takes before it is busy.
        room: Cell<usize>,
        receive_masked: Cell<bool>,
        transmit_unmasked: Cell<bool>,
    }

    impl Wire {
        fn arrive(&self, bytes: &[u8]) {
            self.incoming.borrow_mut().extend(bytes.iter().map(|byte| Received::Byte(*byte)));
        }
    }

    impl Uart for Wire {
        fn receive(&self) -> Received {
            self.incoming.borrow_mut().pop_front().unwrap_or(Received::Empty)
        }
        fn transmit(&self, byte: u8) -> Result<(), Busy> {
            let room = self.room.get().checked_sub(1).ok_or(Busy)?;
            self.room.set(room);
            self.outgoing.borrow_mut().push(byte);
            Ok(())
        }
        fn unmask_receive(&self) {
            self.receive_masked.set(false);
        }
        fn mask_receive(&self) {
            self.receive_masked.set(true);
        }
        fn unmask_transmit(&self) {
            self.transmit_unmasked.set(true);
        }
        fn mask_transmit(&self) {
            self.transmit_unmasked.set(false);
        }
        fn acknowledge(&self) {}
    }

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn serial() -> Serial<Wire, 8, 4> {
        Serial::new(Wire::default())
    }

    #[test]
    fn a_full_receive_ring_pauses_the_receiver_and_loses_nothing() {
        let serial = serial();
        serial.start();
        serial.uart().arrive(b"0123456789abcdef");
        serial.on_interrupt();
        assert!(serial.uart().receive_masked.get());
        let (mut got, mut chunk) = (Vec::new(), [0; 3]);
        while let Ok(count) = serial.try_read(&mut chunk) {
            got.extend_from_slice(&chunk[..count]);
        }
        assert_eq!(got, b"0123456789abcdef");
        assert!(!serial.uart().receive_masked.get());
        assert_eq!(serial.try_read(&mut chunk), Err(SourceError::WouldBlock));
    }

    #[test]
    fn overruns_are_told_once_where_they_happened() {
        let serial = serial();
        serial.uart().arrive(b"ab");
        serial.uart().incoming.borrow_mut().extend([Received::Overrun, Received::Overrun]);
        serial.uart().arrive(b"cd");
        serial.on_interrupt();
        let mut chunk = [0; 8];
        assert_eq!(serial.try_read(&mut chunk), Ok(2));
        assert_eq!(&chunk[..2], b"ab");
        assert_eq!(serial.try_read(&mut chunk), Err(SourceError::Overrun(2)));
        assert_eq!(serial.try_read(&mut chunk), Ok(2));
        assert_eq!(&chunk[..2], b"cd");
        assert_eq!(serial.try_read(&mut chunk), Err(SourceError::WouldBlock));
    }

    #[test]
    fn a_busy_transmitter_is_fed_by_the_interrupt() {
        let serial = serial();
        serial.uart().room.set(1);
        assert_eq!(serial.try_write(b"hello"), Ok(4));
        assert!(serial.uart().transmit_unmasked.get());
        assert_eq!(serial.try_write(b"o!"), Ok(1));
        assert_eq!(serial.try_write(b"!"), Err(SourceError::WouldBlock));
        serial.uart().room.set(9);
        serial.on_interrupt();
        assert!(!serial.uart().transmit_unmasked.get());
        assert!(serial.is_flushed());
        assert_eq!(*serial.uart().outgoing.borrow(), b"hello");
    }

    #[test]
    fn nothing_asked_is_nothing_done() {
        let serial = serial();
        assert_eq!(serial.try_read(&mut []), Ok(0));
        assert_eq!(serial.try_write(&[]), Ok(0));
    }

    #[test]
    fn waiters_are_woken_by_bytes_and_by_room() {
        let serial = serial();
        let (reader, writer) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let mut chunk = [0; 8];
        let reading = Waker::from(reader.clone());
        let writing = Waker::from(writer.clone());
        let (mut reading, mut writing) =
            (Context::from_waker(&reading), Context::from_waker(&writing));
        assert!(serial.poll_ready(&mut reading, Interest::READABLE).is_pending());
        assert_eq!(serial.try_write(b"full"), Ok(4));
        assert!(serial.poll_ready(&mut writing, Interest::WRITABLE).is_pending());
        serial.on_interrupt();
        assert_eq!((reader.0.load(Ordering::Relaxed), writer.0.load(Ordering::Relaxed)), (0, 0));

        serial.uart().arrive(b"x");
        serial.uart().room.set(2);
        serial.on_interrupt();
        assert_eq!((reader.0.load(Ordering::Relaxed), writer.0.load(Ordering::Relaxed)), (1, 1));
        assert!(serial.poll_ready(&mut reading, Interest::READABLE).is_ready());
        assert_eq!(serial.try_read(&mut chunk), Ok(1));
        assert_eq!(serial.try_write(b"more"), Ok(2));
    }
}
