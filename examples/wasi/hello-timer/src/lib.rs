//! Waits ten milliseconds and says hello, without std and without a heap: the
//! program whose size is in the README's table.
//!
//! ```text
//! cargo build --release --target wasm32-wasip1 -p hello-timer   # or wasm32-wasip2
//! wasmtime run target/wasm32-wasip1/release/hello_timer.wasm
//! ```

#![no_std]

use molen::backend::{BACKEND, stdout};
use molen::{Duration, EventLoop, sleep};

/// A loop of its own: one timer needs no timer wheel.
static LOOP: EventLoop = EventLoop::new();

#[molen::task]
async fn hello() {
    sleep(Duration::from_millis(10)).await;
    if stdout().and_then(|stdout| stdout.write_now(b"hello\n")).is_ok() {
        LOOP.stop();
    }
}

/// A loop that ends otherwise than by `stop` ran out of things to wait for.
fn run() -> Result<Result<(), ()>, ()> {
    let event_loop = LOOP.start(&BACKEND).map_err(|_| ())?;
    event_loop.create_task(hello()).map_err(|_| ())?.detach();
    event_loop.run_forever().map(Ok).map_err(|_| ())
}

start::entry!(Bump, run());
