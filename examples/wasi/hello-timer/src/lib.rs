//! Waits ten milliseconds and says hello, without std and without a heap: the
//! program whose size is in the README's table.
//!
//! ```text
//! cargo build --release --target wasm32-wasip1 -p hello-timer   # or wasm32-wasip2
//! wasmtime run target/wasm32-wasip1/release/hello_timer.wasm
//! ```

#![no_std]

use molen::backend::stdout;
use molen::io::source::SourceError;
use molen::{Duration, EventLoop, sleep};

/// A loop of its own: one timer needs no timer wheel.
static LOOP: EventLoop = EventLoop::new();

async fn hello() -> Result<(), SourceError> {
    sleep(Duration::from_millis(10)).await;
    stdout()?.write_now(b"hello\n")
}

start::command!(hello, Bump, LOOP);
