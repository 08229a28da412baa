//! Streams: behaviours 363 to 385. Buffers that grow need a heap; what has a
//! given buffer is in `pull_reader`.

use crate::case::Case;

cases_where! {
    any(not(any(target_os = "none", target_os = "wasi")), feature = "alloc"),
    "stream buffers need a heap",
    separators {
        363 a_line_over_the_limit_is_dropped_and_the_next_is_intact
        364 an_overrun_of_readuntil_leaves_everything
        365 a_separator_in_pieces_is_found
        366 the_separator_that_ends_first_counts
        367 separators_of_different_lengths_are_looked_for_in_bounds
        368 an_early_end_gives_what_was_left
        369 the_last_line_needs_no_end
    }
    reading {
        370 reading_numbers_of_bytes_knows_no_limit
        371 reading_to_the_end_passes_the_limit
        372 reading_nothing_takes_nothing
        373 reading_is_paused_above_twice_the_limit
        375 a_stored_error_comes_before_bytes
        376 a_waiting_read_gets_the_error
        377 an_error_after_a_cancelled_read_is_no_harm
        2080 a_read_that_is_dropped_when_bytes_have_come_leaves_them
        2081 a_read_of_less_than_has_come_leaves_the_rest
        2082 a_waiting_read_meets_the_end_behind_the_bytes
        2083 a_waiting_read_meets_a_failure_behind_the_bytes
    }
    lending {
        2101 bytes_are_lent_and_read_when_consumed
        2106 bytes_that_come_while_some_are_lent_come_behind_them
        2107 lent_bytes_count_for_the_limit
    }
    writing {
        380 all_who_drain_go_on
        381 a_loop_that_never_waits_learns_of_the_end
        382 writing_after_close_drains_to_an_error
        383 unread_bytes_do_not_keep_a_connection
        384 a_closed_writer_ends_its_reader
        1622 a_dropped_writer_closes_its_connection
        1623 who_waits_learns_that_nobody_drives_the_connection
    }
    handlers {
        385 a_failing_handler_is_reported
        2047 a_handler_that_is_cancelled_at_any_poll_closes_silently
        1957 clearing_up_leaves_driven_connections_alone
    }
}

#[cfg(any(not(any(target_os = "none", target_os = "wasi")), feature = "alloc"))]
mod fixture;
