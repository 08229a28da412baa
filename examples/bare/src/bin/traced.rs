//! A loop that tells `defmt` what it does: two tasks, a timer and a slow callback. On QEMU:
//!
//! ```text
//! cargo build --release --target thumbv7em-none-eabihf --features defmt --bin traced
//! qemu-system-arm -M mps2-an386 -icount shift=0 -display none -monitor none -serial none \
//!     -semihosting-config enable=on,target=native -kernel PROGRAM | defmt-print -e PROGRAM
//! ```
//!
//! On a board, take `defmt-rtt` in place of `defmt-semihosting`.
#![no_std]
#![no_main]

use defmt_semihosting as _;
use molen::io::Clock;
use molen::schedule::CallbackStore;
use molen::trace::Defmt;
use molen::{Duration, EventLoop, Task, sleep};
use molen_bare_examples::{board, entry};

static LOOP: EventLoop = EventLoop::new();
static CALLBACKS: CallbackStore<1, 8> = CallbackStore::new();

// Microseconds since the start of the board's clock.
defmt::timestamp!("{=u64:us}", board::BOARD.now().as_nanos() / 1000);

#[molen::task]
async fn fetch() {
    sleep(Duration::from_millis(2)).await;
}

#[molen::task]
async fn serve(fetching: Task<()>) {
    let _done = fetching.await;
}

/// Turns for three milliseconds.
fn slow_callback() {
    let start = board::BOARD.now();
    while board::BOARD.now().saturating_since(start) < Duration::from_millis(3) {}
}

#[entry]
fn main() -> ! {
    board::start();
    let result = run();
    semihosting::process::exit(if result.is_some() { 0 } else { 1 });
}

fn run() -> Option<()> {
    let event_loop = LOOP.start(&board::BOARD).ok()?;
    event_loop.set_callback_store(&CALLBACKS);
    event_loop.set_tracer(Some(&Defmt));
    event_loop.set_debug(true);
    event_loop.set_slow_callback_duration(Duration::from_millis(3));
    let fetching = event_loop.create_task(fetch()).ok()?;
    let serving = event_loop.create_task(serve(fetching)).ok()?;
    event_loop.call_soon(slow_callback).ok()?;
    event_loop.run_until_complete(serving).ok()?.ok()?;
    event_loop.close().ok()
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(2)
}
