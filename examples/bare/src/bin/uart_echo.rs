//! Sends back what comes in on the UART; ends after a byte 4 (Ctrl-D) and prints how much there was.
//!
//! `cargo run --release --target thumbv7em-none-eabihf --bin uart_echo`, and type; Ctrl-A X leaves QEMU.
#![no_std]
#![no_main]

use molen::io::source::{SourceError, read, write_all};
use molen_bare_examples::{board, entry, serial_interrupts};

const END_OF_TRANSMISSION: u8 = 4;

async fn echo() -> Result<u32, SourceError> {
    let (mut buffer, mut total) = ([0; 48], 0);
    loop {
        let count = read(&board::SERIAL, &mut buffer).await?;
        let bytes = &buffer[..count];
        write_all(&board::SERIAL, bytes).await?;
        total += bytes.len() as u32;
        if bytes.contains(&END_OF_TRANSMISSION) {
            return Ok(total);
        }
    }
}

serial_interrupts!();

#[molen::main(backend = { board::start(); &board::BOARD })]
#[entry]
async fn main() -> ! {
    board::start_serial();
    match echo().await {
        Ok(total) => {
            semihosting::println!("echoed {total} bytes");
            semihosting::process::exit(0)
        }
        Err(error) => semihosting::println!("echoing what comes in on the UART: {error}"),
    }
    semihosting::process::exit(1)
}

#[panic_handler]
fn panic(panic: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::println!("{panic}");
    semihosting::process::exit(101)
}
