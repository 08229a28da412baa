//! Signals as callbacks: behaviours 354 to 361, and our own from 1800.

use crate::case::Case;

cases_where! {
    unix, "there are no signals on this platform",
    real {
        354 a_signal_wakes_a_waiting_loop_and_is_an_ordinary_callback
        355 handlers_are_refused_replaced_and_removed
        357 a_cancelled_handler_is_removed_when_its_signal_comes
        358 closing_the_loop_removes_its_handlers
        359 a_refusal_of_the_system_leaves_no_handler
        1800 signals_of_one_kind_before_a_turn_are_one_call
        1801 a_signal_has_one_loop_at_a_time
        1802 a_failing_handler_is_reported_and_called_again
    }
    not_applicable!(
        361,
        the_wake_up_descriptor_is_as_before,
        "signals are noted in flags; the process has no wake-up descriptor"
    ),
}
