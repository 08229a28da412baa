//! Signals as callbacks: behaviours 354 to 361, and our own from 1800. Of
//! Windows it is the console's events.

use crate::case::Case;

macro_rules! cases {
    ($($number:literal $name:ident)* ; $($other:expr),* $(,)?) => {
        pub(crate) const CASES: &[Case] = &[
            $(Case { number: $number, name: stringify!($name), run: real::$name },)*
            $($other,)*
        ];

        #[cfg(unix)]
        mod real;

        #[cfg(windows)]
        mod console;

        /// Each in a process with a console of its own.
        #[cfg(windows)]
        mod real {
            use crate::case::Outcome;
            $(pub(super) fn $name() -> Outcome {
                super::console::run_there($number)
            })*
        }

        /// What runs there.
        #[cfg(windows)]
        const THERE: &[(u16, fn() -> Outcome)] = &[$(($number, console::$name),)*];

        lacking_where! {
            not(any(unix, windows)), "there are no signals on this platform",
            real { $($name)* }
        }
    };
}
cases! {
    354 a_signal_wakes_a_waiting_loop_and_is_an_ordinary_callback
    355 handlers_are_refused_replaced_and_removed
    357 a_cancelled_handler_is_removed_when_its_signal_comes
    358 closing_the_loop_removes_its_handlers
    359 a_refusal_of_the_system_leaves_no_handler
    1800 signals_of_one_kind_before_a_turn_are_one_call
    1801 a_signal_has_one_loop_at_a_time
    1802 a_failing_handler_is_reported_and_called_again
    2108 waiting_for_a_signal_listens_only_meanwhile
    2109 all_who_wait_for_a_signal_and_its_handler_learn_of_it;
    not_applicable!(
        361,
        the_wake_up_descriptor_is_as_before,
        "signals are noted in flags; the process has no wake-up descriptor"
    ),
}

#[cfg(any(unix, windows))]
mod each;

#[cfg(windows)]
use crate::case::Outcome;

/// What runs in a console of its own, by number.
#[cfg(windows)]
pub(crate) fn there(number: u16) -> Option<fn() -> Outcome> {
    THERE.iter().find(|(its, _)| *its == number).map(|(_, run)| *run)
}
