//! The key-value server of `examples/kv`, over the UART: the same `server.rs`.
//!
//! `cargo run --release --target thumbv7em-none-eabihf --bin kv`, and type `PING`; `SHUTDOWN` ends it,
//! Ctrl-A X leaves QEMU.
#![no_std]
#![no_main]

#[allow(dead_code, reason = "a UART accepts nobody")]
#[path = "../../../kv/src/server.rs"]
mod server;

use molen::io::source::SourceError;
use molen::{Duration, create_task, sleep};
use molen_bare_examples::{board, entry, serial_interrupts};
use server::{Limits, Store, serve, sweep};
use static_cell::StaticCell;

static STORE: StaticCell<Store> = StaticCell::new();

#[molen::task]
async fn sweeper(store: &'static Store) {
    sweep(store).await;
}

/// A UART has one client, who may leave and come back without anybody noticing.
#[molen::task]
async fn client(store: &'static Store) -> Result<(), SourceError> {
    while !store.is_closing() {
        serve(&board::SERIAL, store).await?;
    }
    while !board::SERIAL.is_flushed() {
        sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

async fn run(store: &'static Store) -> Result<(), &'static str> {
    create_task(sweeper(store)).map_err(|_| "the sweeper did not start")?.detach();
    let client = create_task(client(store)).map_err(|_| "the client did not start")?;
    match client.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err("the UART failed"),
        Err(_) => Err("the client was cancelled"),
    }
}

serial_interrupts!();

#[molen::main(backend = { board::start(); &board::BOARD })]
#[entry]
async fn main() -> ! {
    board::start_serial();
    let store = STORE.init_with(|| Store::new(Limits::default()));
    match run(store).await {
        Ok(()) => semihosting::process::exit(0),
        Err(error) => semihosting::println!("kv: {error}"),
    }
    semihosting::process::exit(1)
}

#[panic_handler]
fn panic(panic: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::println!("{panic}");
    semihosting::process::exit(101)
}
