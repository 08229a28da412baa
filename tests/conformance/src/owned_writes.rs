//! Writes that take their bytes over, and do not copy them: asyncio's `write`
//! keeps what it is given too.

use crate::case::Case;

cases_where! {
    not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))),
    "keeping what a program gives needs a heap",
    kept {
        2120 what_waits_is_the_buffer_itself_and_is_dropped_when_it_is_written
        2121 copied_and_owned_writes_go_in_the_order_in_which_they_came
        2122 owned_bytes_count_for_the_marks
        2123 a_refused_write_gives_its_bytes_back
        2124 closing_and_ending_wait_for_owned_bytes
        2125 an_end_drops_what_waits_when_nothing_is_borrowed
        2126 a_buffer_that_writes_when_it_is_dropped_goes_last
        2127 many_pieces_go_with_few_calls
        2128 a_stream_drains_what_it_took_over
        2129 mixed_writes_arrive_once_and_in_order_over_a_faulty_wire
    }
}
