//! Instructions that the loop takes for each of its small deeds, counted under QEMU.
//!
//! With `-icount shift=0` an instruction takes one nanosecond, and SysTick at 25 MHz counts one tick every forty. Each
//! deed is done so often that the rest does not matter. `cargo xtask size` runs this and holds the numbers to
//! ceilings. The clock here is a number that the selector moves to the next deadline, so that what is counted is the
//! loop, not a board's clock.
//!
//! `cargo run --release --target thumbv7em-none-eabihf --features counts --bin counts`
#![no_std]
#![no_main]

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU32, Ordering};
use core::task::{Context, Poll};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use molen::io::{Clock, SelectError, Selector, Wait};
use molen::schedule::{ExceptionContext, HandlerFailed, WheelStore};
use molen::{Duration, EventLoop, Instant, create_task, sleep, yield_now};
use molen_bare_examples::entry;

/// Instructions in a tick of SysTick.
const PER_TICK: u32 = 40;
/// How often a deed is done that is short, and one that is long.
const OFTEN: u32 = 1000;
const SOME: u32 = 100;

/// A clock that only the selector moves.
struct Leaping(AtomicU32);

impl Clock for Leaping {
    fn now(&self) -> Instant {
        Instant::from_nanos(u64::from(self.0.load(Ordering::Relaxed)))
    }
}

impl Selector for Leaping {
    fn select(&self, _event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        if let Wait::Until(when) = wait {
            self.0.store(when.as_nanos() as u32, Ordering::Relaxed);
        }
        Ok(())
    }

    fn report(&self, _context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        Err(HandlerFailed)
    }
}

static BACKEND: Leaping = Leaping(AtomicU32::new(0));
static LOOP: EventLoop = EventLoop::new();
static WHEEL: WheelStore<4> = WheelStore::new();

/// Wakes itself, one poll a wake, so many times.
struct WakesItself(u32);

impl Future for WakesItself {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Wakes itself so many times in one poll; all but the first are for nothing.
struct WakesInVain(u32);

impl Future for WakesInVain {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        for _ in 0..core::mem::take(&mut self.0) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Says how many instructions each of `times` deeds took since `start`.
#[inline(never)]
fn say(name: &str, start: u32, times: u32) {
    // SysTick counts down, in 24 bits.
    let ticks = start.wrapping_sub(SYST::get_current()) & 0x00ff_ffff;
    semihosting::println!("count {name} {}", ticks * PER_TICK / times);
}

/// Starts a task; a refused one would show as a missing count, which is a failure.
fn start<T: molen::task::IntoTask>(task: T) {
    let _ = create_task(task);
}

#[molen::task]
async fn wake_to_poll() {
    let started = SYST::get_current();
    WakesItself(OFTEN).await;
    say("wake-to-poll", started, OFTEN);
    start(redundant_wake());
}

#[molen::task]
async fn redundant_wake() {
    let started = SYST::get_current();
    WakesInVain(OFTEN).await;
    say("redundant-wake", started, OFTEN);
    start(arm_and_fire("timer-0-sleepers", 0));
}

/// Sleeps longer than the counting takes.
#[molen::task(pool_size = 250)]
async fn sleeper(number: u32) {
    sleep(Duration::from_secs(1) + Duration::from_micros(u64::from(number))).await;
}

#[molen::task(pool_size = 2)]
async fn arm_and_fire(name: &'static str, sleepers: u32) {
    // The sleepers that were just started go to sleep first.
    yield_now().await;
    yield_now().await;
    let started = SYST::get_current();
    for _ in 0..SOME {
        sleep(Duration::from_nanos(3)).await;
    }
    say(name, started, SOME);
    let (name, more) = match sleepers {
        0 => ("timer-10-sleepers", 10),
        10 => ("timer-100-sleepers", 100),
        100 => ("timer-250-sleepers", 250),
        _ => semihosting::process::exit(0),
    };
    for number in sleepers..more {
        start(sleeper(number));
    }
    arm_and_fire_with(name, more);
}

/// A plain function, so that the size of the task does not depend on itself.
fn arm_and_fire_with(name: &'static str, sleepers: u32) {
    start(arm_and_fire(name, sleepers));
}

#[entry]
fn main() -> ! {
    // SAFETY: nothing else in this program uses SysTick.
    let mut systick = unsafe { cortex_m::Peripherals::steal() }.SYST;
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(0x00ff_ffff);
    systick.clear_current();
    systick.enable_counter();
    if let Ok(event_loop) = LOOP.start(&BACKEND) {
        event_loop.set_wheel(&WHEEL, 0);
        let _ = event_loop.create_task(wake_to_poll());
        let ended = event_loop.run_forever();
        semihosting::println!("the loop ended: {ended:?}");
    }
    semihosting::process::exit(1)
}

#[panic_handler]
fn panic(panic: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::println!("{panic}");
    semihosting::process::exit(101)
}
