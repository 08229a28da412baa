//! Ctrl-C while a runner runs its main future: our own cases from 2030. The
//! behaviours of runners that need no system are in `runner`.

use crate::case::Case;

cases_where! {
    any(unix, windows), "nobody can press Ctrl-C on this platform",
    real {
        2030 ctrl_c_cancels_the_main_future_which_cleans_up
        2031 a_main_future_that_refuses_returns_its_value
        2032 the_second_ctrl_c_ends_the_process
        2033 after_the_run_ctrl_c_ends_the_process
        2034 a_handler_of_the_loop_has_ctrl_c_instead
        2035 a_program_ends_as_ctrl_c_ends_one
    }
}

#[cfg(any(unix, windows))]
pub(crate) mod programs;

#[cfg(windows)]
pub(crate) use programs::interrupt_self;
