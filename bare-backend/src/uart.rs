//! UARTs: what a driver must say about its registers, so that [`Serial`](crate::serial::Serial) can do the rest.

pub mod cmsdk;
pub mod ns16550;
pub mod pl011;

/// What came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// A byte.
    Byte(u8),
    /// At this place one byte or more were lost, because the hardware's buffer was full.
    Overrun,
    /// Nothing more for now.
    Empty,
}

/// The transmitter has no room now; its interrupt will tell when it has, if it is unmasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// The registers of one UART. No method waits.
///
/// [`Serial`](crate::serial::Serial) calls these in a critical section, so that an implementation need not
/// think of two callers at once. Hardware differs in whether an interrupt is a level or an event; an implementation may
/// be either, as long as
///
/// - a byte that arrives while receiving is unmasked raises the interrupt (bytes that were there before may or may
///   not: `Serial` looks after it unmasks), and
/// - if [`transmit`](Uart::transmit) answered [`Busy`] while transmitting was unmasked, the interrupt comes when there is room.
pub trait Uart {
    /// The next thing that came in.
    fn receive(&self) -> Received;
    /// Hands `byte` to the transmitter.
    ///
    /// # Errors
    ///
    /// [`Busy`] if its buffer is full; the byte was not taken.
    fn transmit(&self, byte: u8) -> Result<(), Busy>;
    /// Lets the receiver interrupt.
    fn unmask_receive(&self);
    /// Stops the receiver's interrupt.
    fn mask_receive(&self);
    /// Lets the transmitter interrupt.
    fn unmask_transmit(&self);
    /// Stops the transmitter's interrupt.
    fn mask_transmit(&self);
    /// Takes back the request of an interrupt that is an event. First thing in each handler.
    fn acknowledge(&self);
}
