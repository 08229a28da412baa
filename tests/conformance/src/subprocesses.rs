//! Pipes and other programs: behaviours 330 to 353, and our own from 1830 and
//! from 2020.
//!
//! | file | what it holds |
//! |---|---|
//! | `pipes` | pipes by themselves |
//! | `starting` | how programs are started |
//! | `streams` | what goes through a child's standard streams |
//! | `ending` | how a child ends, and how that is told |
//! | `leaving` | children for whom nobody waits any more |
//! | `panicking` | a protocol that panics |
//! | `child` | the programs that are started |

use crate::case::Case;

cases_where! {
    any(unix, windows), "there are no child processes on this platform",
    pipes {
        330 a_read_pipe_connects_receives_and_closes
        332 pausing_a_closed_pipe_does_nothing
        333 a_reader_that_vanishes_is_noticed_without_a_write
        334 a_failed_write_loses_the_connection
        335 write_eof_waits_for_what_is_pending
        1830 a_reader_that_vanishes_closes_an_idle_transport
        2026 a_write_that_a_pipe_has_no_room_for_is_written_later
    }
    starting {
        353 a_program_that_is_not_there_is_an_error
        2020 the_shell_runs_a_script
        2021 children_leave_no_descriptors
    }
    streams {
        338 of_each_pipe_a_protocol_hears_data_before_loss
        346 communicate_ignores_a_broken_pipe
        347 empty_input_closes_the_standard_input
        348 the_standard_input_is_not_inherited_by_siblings
        349 a_child_that_is_not_read_waits
        350 output_is_read_after_the_end
        352 errors_are_merged_into_the_output
        1832 large_outputs_and_inputs_do_not_wait_for_each_other
        2027 the_standard_streams_are_pipes_files_and_nothing
        2028 each_line_of_the_standard_input_is_answered_at_once
    }
    ending {
        337 after_the_end_signals_find_no_such_process
        340 wait_returns_at_the_end_though_a_grandchild_holds_the_output
        341 closing_kills_a_running_child_and_no_finished_one
        344 after_a_cancelled_wait_another_works
        351 a_signal_that_races_with_the_end_steals_no_status
        1831 the_end_by_a_signal_is_its_number_below_zero
        2022 a_grandchild_that_holds_the_output_delays_connection_lost_alone
        2025 a_console_event_ends_a_child_in_its_own_group
    }
    leaving {
        342 a_cancelled_creation_leaves_no_child
        1833 closing_the_loop_ends_waiting
        2023 a_dropped_child_is_killed_or_left
        2024 closing_the_loop_kills_a_protocols_child_if_so_wished
    };
    case!(2036, a_call_of_a_protocol_that_panics_closes_its_program),
}

#[cfg(any(unix, windows))]
mod child;
#[cfg(any(unix, windows))]
mod fixture;
#[cfg(any(unix, windows))]
mod panicking;

#[cfg(any(unix, windows))]
use panicking::a_call_of_a_protocol_that_panics_closes_its_program;

#[cfg(not(any(unix, windows)))]
fn a_call_of_a_protocol_that_panics_closes_its_program() -> crate::case::Outcome {
    Err(crate::case::Failure::Unsupported("there are no child processes on this platform"))
}

#[cfg(any(unix, windows))]
pub(crate) use child::in_console;
#[cfg(any(unix, windows))]
pub(crate) use child::program;
#[cfg(any(unix, windows))]
pub use child::run as child;
