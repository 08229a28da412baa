//! What a case works with: clock, selector and log, as new for each case, and
//! some tasks that many cases need.

use core::cell::Cell;
use core::future::poll_fn;
use molen::io::Ready;
use molen::testing::{EventLog, TestBackend};
use molen::{Duration, Instant, Promise, Task};

/// The clock, the selector and the log of the case that runs.
pub(crate) struct Fixture {
    pub(crate) backend: TestBackend,
    pub(crate) log: EventLog<40>,
}

impl Fixture {
    const fn new() -> Fixture {
        Fixture { backend: TestBackend::new(), log: EventLog::new() }
    }
}

/// The fixture. One for each thread where there are several.
#[cfg(not(any(target_os = "none", target_os = "wasi")))]
pub(crate) fn test() -> &'static Fixture {
    use std::boxed::Box;
    std::thread_local! {
        static FIXTURE: &'static Fixture = Box::leak(Box::new(Fixture::new()));
    }
    FIXTURE.with(|fixture| *fixture)
}

/// The fixture.
#[cfg(any(target_os = "none", target_os = "wasi"))]
pub(crate) fn test() -> &'static Fixture {
    // SAFETY: the cases have no interrupt handlers.
    static FIXTURE: molen::OneThread<Fixture> = unsafe { molen::OneThread::new(Fixture::new()) };
    &FIXTURE
}

/// Makes the fixture as new.
pub(crate) fn reset() {
    test().backend.reset();
    test().log.clear();
}

/// Notes an event.
pub(crate) fn event(name: &'static str) {
    test().log.add(name);
}

/// A new loop, closed when the case ends.
macro_rules! new_loop {
    () => {{
        let event_loop = molen::testing::test_loop!(&$crate::fixture::test().backend)?;
        $crate::fixture::give_store(&event_loop);
        event_loop
    }};
}

/// Says that a case needs two open loops, where there can be one.
pub(crate) fn two_loops() -> crate::case::Outcome {
    if cfg!(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))) {
        return Err(crate::case::Failure::Unsupported(
            "without an allocator one loop at a time is open",
        ));
    }
    Ok(())
}

/// Lets callbacks of the loop live in one store for all cases: each case
/// closes its loops, and that frees what it left there.
#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
pub(crate) fn give_store(event_loop: &molen::EventLoop) {
    use molen::schedule::CallbackStore;
    static CALLBACKS: CallbackStore<16, 48> = CallbackStore::new();
    event_loop.set_callback_store(&CALLBACKS);
}

/// Callbacks live on the heap.
#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
pub(crate) fn give_store(_event_loop: &molen::EventLoop) {}

/// Stops the loop that runs.
pub(crate) fn stop() {
    if let Ok(event_loop) = molen::get_running_loop() {
        event_loop.stop();
    }
}

/// The instant `millis` milliseconds after the clock's start.
pub(crate) const fn at(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

/// `millis` milliseconds.
pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Notes an event when it is dropped.
pub(crate) struct OnDrop(pub(crate) &'static str);

impl Drop for OnDrop {
    fn drop(&mut self) {
        event(self.0);
    }
}

/// A place for a handle, that callbacks and tasks can reach.
pub(crate) type Slot<T> = Cell<Option<T>>;

/// Cancels the task in `slot`, and leaves it there.
pub(crate) fn cancel<T>(slot: &Slot<Task<T>>) -> bool {
    with(slot, |task| task.cancel())
}

/// What `f` says about the thing in `slot`; false if there is none.
pub(crate) fn with<T>(slot: &Slot<T>, f: impl FnOnce(&mut T) -> bool) -> bool {
    let mut thing = slot.take();
    let answer = thing.as_mut().is_some_and(f);
    slot.set(thing);
    answer
}

/// Waits until a script makes source `number` readable, and takes that in.
pub(crate) async fn readable(number: usize) {
    let source = &test().backend.sources()[number];
    poll_fn(|cx| source.poll_ready(cx, Ready::READABLE)).await;
    source.clear(Ready::READABLE);
}

/// Notes an event when it runs.
#[molen::task(pool_size = 4)]
pub(crate) async fn say(name: &'static str) {
    event(name);
}

/// Sleeps, then notes an event.
#[molen::task(pool_size = 4)]
pub(crate) async fn say_after(delay: Duration, name: &'static str) {
    molen::sleep(delay).await;
    event(name);
}

/// Sleeps, notes an event, and stops the loop.
#[molen::task(pool_size = 2)]
pub(crate) async fn stop_after(delay: Duration, name: &'static str) {
    molen::sleep(delay).await;
    event(name);
    stop();
}

/// Notes an event each time that source `number` is readable.
#[molen::task(pool_size = 4)]
pub(crate) async fn say_when_readable(number: usize, name: &'static str) {
    loop {
        readable(number).await;
        event(name);
    }
}

/// Waits for `promise`, notes an event, and returns what it got; 0 for a cancelled one.
#[molen::task(pool_size = 4)]
pub(crate) async fn say_when_done(promise: &'static Promise<u8>, name: &'static str) -> u8 {
    let got = promise.wait().await;
    event(name);
    got.unwrap_or(0)
}

/// Notes an event at its start, waits for `promise`, and notes the second when
/// it is dropped while it waits or when it has ended.
#[molen::task(pool_size = 4)]
pub(crate) async fn hold(
    promise: &'static Promise<u8>,
    begun: &'static str,
    dropped: &'static str,
) -> u8 {
    let _guard = OnDrop(dropped);
    event(begun);
    promise.wait().await.unwrap_or(0)
}

/// Ends with `value` after `millis` milliseconds.
#[molen::task(pool_size = 4)]
pub(crate) async fn after(millis: u64, value: u8) -> u8 {
    molen::sleep(ms(millis)).await;
    value
}

/// Ends with `result` after `millis` milliseconds.
#[molen::task(pool_size = 4)]
pub(crate) async fn result_after(
    millis: u64,
    result: Result<u8, &'static str>,
    name: &'static str,
) -> Result<u8, &'static str> {
    molen::sleep(ms(millis)).await;
    event(name);
    result
}
