//! Waits for the system's sockets, pipes, signals and programs, dropped at
//! every point: the part of `dropping_all` that is about those.

use crate::case::Case;

cases_where! {
    not(any(target_os = "none", target_os = "wasi")),
    "sockets, pipes and programs are the system's, of which there is none on this platform",
    real {
        2153 waits_for_the_network_leave_nothing_at_any_poll
        2157 waits_for_pipes_and_programs_leave_nothing_at_any_poll
        2158 waits_for_unix_sockets_and_signals_leave_nothing_at_any_poll
    }
}
