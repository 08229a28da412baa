//! TLS over real connections: behaviours 313 and 387 to 400, and our own from
//! 1900. Certificates are made when they are needed.

use crate::case::Case;

cases_where! {
    any(target_os = "linux", windows),
    "no TLS engine is built for this platform: its cryptography needs a C compiler for it",
    real {
        313 a_name_without_tls_or_tls_without_a_name_is_refused
        387 a_timeout_of_zero_is_refused
        388 a_peer_that_goes_in_the_handshake_fails_it
        389 closing_a_server_s_client_in_its_handshake_ends_the_connection
        390 a_cancelled_connect_to_a_silent_peer_ends_the_connection
        392 draining_to_a_broken_connection_fails
        393 an_upgraded_protocol_is_told_of_one_connection
        394 an_upgrade_that_takes_too_long_ends_the_connection
        396 what_is_left_is_delivered_after_the_peer_s_close_notify
        398 a_certificate_that_nobody_trusts_is_refused
        400 tls_in_tls_carries_data_and_ends_in_order
        1900 what_came_before_an_upgrade_belongs_to_the_handshake
        1901 plain_text_slipped_in_behind_an_agreement_is_an_error
        1902 both_sides_know_what_was_agreed_on
        1903 sides_without_a_common_protocol_do_not_connect
        1904 an_end_without_close_notify_is_an_error
        1905 a_close_is_answered_and_both_end_without_an_error
        1906 an_expired_certificate_is_refused
        1907 a_certificate_of_another_name_is_refused
        1908 a_handshake_byte_by_byte_is_a_handshake
        1909 connecting_can_be_dropped_at_every_poll
        1910 a_silent_client_holds_nobody_up
        1911 a_server_may_know_its_clients
        1912 a_peer_that_does_not_read_pauses_the_writer
        1913 much_data_goes_both_ways_unchanged
        1914 a_goodbye_without_an_answer_ends_in_time
        1915 abort_says_nothing
        1916 an_address_is_a_name
        1917 a_changed_record_ends_both_sides_with_an_error
        1918 closing_a_server_s_clients_says_goodbye
        1919 what_comes_after_close_is_dropped
        1920 a_connection_of_the_older_version_works_too
        1921 upgrading_can_be_dropped_at_every_poll
        1922 an_upgrade_writes_what_was_waiting_first
        1923 a_reader_that_does_not_read_holds_the_peer_up
        1924 closing_the_loop_frees_connections_through_tls
        1925 connections_by_name_are_secured_for_that_name
        1926 a_file_goes_through_tls_before_the_goodbye
        1927 what_was_lent_before_an_upgrade_is_not_read_after_it
        1989 tls_goes_over_unix_sockets
        2166 what_was_looked_at_belongs_to_the_handshake
        2179 a_server_is_closed_when_its_clients_have_lost
        2173 an_accepted_connection_is_served_through_tls
    }
}
