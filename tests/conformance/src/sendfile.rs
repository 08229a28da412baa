//! Files over connections: behaviours 401 to 406, and our own from 1990.
//! `sock_sendfile` is also in `readiness`.

use crate::case::Case;

cases_where! {
    not(any(target_os = "none", target_os = "wasi")),
    "files are sent over the system's sockets, of which there are none on this platform",
    real {
        401 what_is_written_before_and_after_a_file_is_sent_before_and_after_it
        406 a_failure_before_the_first_byte_is_another_than_one_after_it
        1990 a_file_is_sent_in_part_and_stands_where_that_ends
        1991 while_a_file_is_sent_others_may_not_write_but_read
        1992 closing_waits_for_the_file_and_aborting_does_not
        1993 a_cancelled_file_leaves_the_connection_alive
        1994 a_peer_that_goes_in_the_middle_is_an_error
        1995 a_pipe_is_read_and_written_unless_that_is_refused
        1996 a_file_that_is_cut_off_meanwhile_ends_early
        1997 connections_without_a_socket_get_their_files_by_hand
        1998 a_connection_that_ends_sends_no_file
    }
}
