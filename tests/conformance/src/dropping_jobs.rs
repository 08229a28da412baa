//! Waits for what other threads do, dropped at every point: the part of
//! `dropping_all` that needs threads.

use crate::case::Case;

cases_where! {
    not(any(target_os = "none", target_os = "wasi")), "there are no threads on this platform",
    threaded {
        1229 jobs_of_executors_leave_nothing_at_any_poll
        2044 a_wait_for_a_concurrent_future_cancels_it_at_any_poll
    }
}
