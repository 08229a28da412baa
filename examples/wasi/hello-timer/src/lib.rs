//! hello
#![no_std]

use core::panic::PanicInfo;
use molen::backend::stdout;
use molen::io::source::write_all;
use molen::{Duration, sleep};

#[unsafe(no_mangle)]
extern "C" fn _start() {
    let _ = molen::run(async {
        sleep(Duration::from_millis(10)).await;
        if let Ok(stdout) = stdout() {
            let _ = write_all(&stdout, b"hello\n").await;
        }
    });
}

#[panic_handler]
fn panicked(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
