//! What the attributes `#[molen::main]` and `#[molen::test]` expand to; not
//! for use by hand.

use crate::runner::Runner;
use crate::testing::{TestBackend, TestLoop};
use crate::{LoopRef, RunError};
use core::fmt;
use core::future::Future;

/// What a test's loop must not end with.
#[track_caller]
fn ended<T, E: fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("the test did not run to its end: {error}"),
    }
}

/// Runs a test by the hand-advanced clock, and shows what was reported.
#[track_caller]
pub fn run_manual_test<F: Future>(
    event_loop: Result<TestLoop, RunError>,
    backend: &'static TestBackend,
    main: F,
) -> F::Output {
    struct Show(&'static TestBackend);
    impl Drop for Show {
        fn drop(&mut self) {
            let mut number = 0;
            while let Some(report) = self.0.reported(number) {
                show(&report);
                number += 1;
            }
        }
    }
    let _show = Show(backend);
    let event_loop = ended(event_loop);
    let mut runner = Runner::<()>::with_loop(LoopRef::clone(&event_loop));
    let output = ended(runner.run(main));
    ended(runner.close());
    output
}

/// Runs a test by the hand-advanced clock.
#[doc(hidden)]
#[macro_export]
macro_rules! __run_manual_test {
    ($backend:ident => $main:expr) => {{
        let $backend: &'static $crate::testing::TestBackend = $crate::testing::static_ref!(
            $crate::testing::TestBackend = $crate::testing::TestBackend::new()
        );
        let event_loop = $crate::testing::test_loop!($backend);
        $crate::entry::run_manual_test(event_loop, $backend, $main)
    }};
}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
pub use desktop::*;
#[cfg(target_os = "none")]
pub use microcontroller::*;
#[cfg(target_os = "wasi")]
pub use module::*;

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod desktop {
    extern crate std;
    use super::{Future, ended};

    /// Ends the process as Ctrl-C would have, if that is what `error` says.
    pub fn end_if_interrupted(error: &crate::Error) {
        if error.is_interrupted() {
            molen_std::interrupt::end_process();
        }
    }

    pub(super) fn show(report: &str) {
        std::eprintln!("molen: {report}");
    }

    /// Runs a test by the system's clock.
    #[track_caller]
    pub fn run_test<F: Future>(main: F) -> F::Output {
        ended(crate::run(main))
    }

    /// Runs a test by the system's clock.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __run_test {
        ($main:expr, $($backend:expr)?) => {
            $crate::entry::run_test($main)
        };
    }
}

#[cfg(target_os = "wasi")]
mod module {
    use super::{Future, RunError, ended};
    use crate::EventLoop;
    use crate::io::Selector;
    use crate::schedule::{ExceptionContext, WheelStore};

    /// There is no Ctrl-C in a module: the host ends it.
    pub fn end_if_interrupted(_error: &crate::Error) {}

    pub(super) fn show(report: &str) {
        // A test's output is no part of its result.
        let _ = crate::backend::BACKEND.report(&ExceptionContext::new(report, None));
    }

    /// Runs a test by the host's clock, on a loop of its own: the module's
    /// closes for good.
    #[track_caller]
    pub fn run_test<F: Future>(
        event_loop: &'static EventLoop,
        wheel: &'static WheelStore<16>,
        main: F,
    ) -> F::Output {
        let factory = || {
            let event_loop = event_loop.start(&crate::backend::BACKEND)?;
            event_loop.set_wheel(wheel, 0);
            Ok::<_, RunError>(event_loop)
        };
        ended(crate::run_with_loop_factory(factory, main))
    }

    /// Runs a test by the host's clock.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __run_test {
        ($main:expr, $($backend:expr)?) => {{
            static LOOP: $crate::EventLoop = $crate::EventLoop::new();
            static WHEEL: $crate::schedule::WheelStore<16> = $crate::schedule::WheelStore::new();
            $crate::entry::run_test(&LOOP, &WHEEL, $main)
        }};
    }
}

#[cfg(target_os = "none")]
mod microcontroller {
    use super::{Future, RunError, Runner, ended};
    use crate::EventLoop;
    use crate::io::Backend;
    use crate::schedule::ExceptionContext;

    pub(super) fn show(_report: &str) {}

    /// What a main function on a microcontroller may return.
    #[diagnostic::on_unimplemented(
        message = "the main function of a microcontroller returns `()` or `!`, not `{Self}`",
        label = "nobody is there to take it: handle it in the main function"
    )]
    pub trait Nothing {}

    impl Nothing for () {}

    /// Runs `main`, clears up behind it, and stands still.
    pub fn run<F: Future>(
        event_loop: &'static EventLoop,
        backend: &'static dyn Backend,
        main: F,
    ) -> !
    where
        F::Output: Nothing,
    {
        let result =
            event_loop.start(backend).map(Runner::<()>::with_loop).and_then(|mut runner| {
                let result = runner.run(main).map(|_nothing| ());
                result.and(runner.close())
            });
        stand_still(event_loop, result)
    }

    /// Runs what says that it never ends.
    pub fn run_for_ever<F: Future>(
        event_loop: &'static EventLoop,
        backend: &'static dyn Backend,
        main: F,
    ) -> ! {
        let result = event_loop
            .start(backend)
            .and_then(|event_loop| event_loop.run_until_complete(main).map(|_never| ()));
        stand_still(event_loop, result)
    }

    fn stand_still(event_loop: &EventLoop, result: Result<(), RunError>) -> ! {
        if let Err(error) = result {
            event_loop.call_exception_handler(&ExceptionContext::new(
                "the main function did not run to its end",
                Some(&error),
            ));
        }
        loop {
            core::hint::spin_loop();
        }
    }

    /// Runs a test by the board's clock.
    #[track_caller]
    pub fn run_test<F: Future>(
        event_loop: &'static EventLoop,
        backend: &'static dyn Backend,
        main: F,
    ) -> F::Output {
        let mut runner = Runner::<()>::with_loop(ended(event_loop.start(backend)));
        let output = ended(runner.run(main));
        ended(runner.close());
        output
    }

    /// Runs a test by the board's clock.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __run_test {
        ($main:expr, $backend:expr) => {{
            static LOOP: $crate::EventLoop = $crate::EventLoop::new();
            $crate::entry::run_test(&LOOP, $backend, $main)
        }};
    }
}
