//! Callbacks for descriptors that are ready, and operations on sockets that stay the program's:
//! behaviours 229 to 245, with real sockets and, at the other end, threads that block.
//!
//! | file | what it holds |
//! |---|---|
//! | `watching` | `add_reader` and its family |
//! | `numbers` | descriptors that are closed, and their numbers used again |
//! | `receiving`, `sending`, `connecting` | the `sock_…` calls |
//! | `ending` | calls that are cancelled, or whose loop is closed |
//! | `sharing` | several that use one socket |
//! | `refusing` | what is refused, and how the error says so |
//! | `files` | `sock_sendfile` |

use crate::case::Case;

/// Why there are none of these.
#[cfg(target_os = "none")]
const NO_SOCKETS: &str = "there are no descriptors on bare metal";
/// Why there are none of these.
#[cfg(target_os = "wasi")]
const NO_SOCKETS: &str = "WASI's sockets are not a program's own descriptors, but its host's";

cases_where! {
    not(any(target_os = "none", target_os = "wasi")), super::NO_SOCKETS,
    watching {
        229 a_reader_is_called_until_its_descriptor_is_drained
        230 a_second_reader_cancels_the_first_and_leaves_the_writer
        231 the_halves_of_a_registration_end_one_by_one
        232 what_is_not_there_is_not_removed
        233 a_cancelled_handle_is_deregistered_by_its_event
        234 a_closed_loop_watches_nothing
        235 a_connections_descriptor_is_not_watched
        1750 a_writer_is_called_while_there_is_room
        1751 a_descriptor_cancelled_in_the_batch_of_its_event_is_not_called
    }
    numbers {
        245 a_descriptor_closed_at_once_leaves_no_event
        1752 a_number_used_again_in_the_tick_brings_no_stale_event
        1753 a_receivers_number_used_again_brings_no_stale_event
        1754 a_reader_that_was_left_behind_hides_no_event
    }
    receiving {
        1755 receiving_waits_for_the_peer_and_ends_with_it
        1756 receiving_into_a_buffer_fills_what_there_is
        1757 datagrams_come_with_their_senders
        1758 no_bytes_stand_for_the_whole_buffer
    }
    sending {
        1760 sending_all_waits_for_a_slow_reader
        1761 a_broken_connection_is_an_error_and_no_signal
    }
    connecting {
        243 accepting_gives_a_peer_that_does_not_block_and_its_address
        1765 connecting_waits_for_the_system
        1766 a_refused_connection_names_the_socket_and_the_address
        1767 a_datagram_socket_is_connected_at_once
        1768 a_full_listener_of_unix_refuses
    }
    ending {
        241 a_cancelled_operation_ends_at_once_and_leaves_nothing
        1770 a_cancelled_accept_loses_no_connection
        1771 a_cancelled_connect_ends_at_once
        1772 operations_end_when_their_loop_is_closed
        1773 an_operation_may_be_dropped_at_every_poll
    }
    sharing {
        1775 one_receives_while_another_sends
        1776 two_receive_on_one_socket
        1777 a_cancelled_operation_leaves_the_others
        1778 a_reader_and_a_receiver_do_not_rob_each_other
        1779 removing_a_reader_leaves_a_receiver
    }
    refusing {
        237 a_blocking_socket_is_refused_by_every_operation
        242 more_bytes_than_the_buffer_holds_are_refused
        1780 a_connections_socket_is_refused
        1781 what_is_no_socket_is_refused_by_the_system
        1782 another_loops_operation_is_refused
        1783 too_much_memory_is_refused
        1784 a_loop_without_a_selector_of_the_system_refuses
    }
    files {
        1790 a_file_is_sent_whole_or_in_part
        1791 a_large_file_waits_for_a_slow_reader
        1792 a_pipe_is_read_and_sent
        1793 without_a_fallback_a_pipe_is_refused
        1794 files_are_sent_on_streams_only
        1795 a_cancelled_file_stands_where_it_was_sent_to
    };
    not_applicable!(
        244,
        connecting_resolves_a_name_as_the_socket_wants_it,
        "sock_connect takes an address, which is typed; a name is resolved before"
    ),
}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod fixture;
