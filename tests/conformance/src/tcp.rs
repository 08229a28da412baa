//! Connections and servers of the operating system's, on this machine:
//! behaviours 300 to 307, and our own from 1960. In WASI the host is asked for
//! the network, which it may deny (`wasmtime run -S inherit-network`).

use crate::case::Case;

cases_where! {
    any(
        not(any(target_os = "none", target_os = "wasi")),
        all(target_os = "wasi", target_env = "p2", feature = "alloc"),
    ),
    "there is no call that makes a socket",
    local {
        300 connects_after_close_are_refused
        304 a_server_without_a_host_listens_on_both_families
        305 a_server_listens_on_each_distinct_address
        307 an_address_in_use_is_refused
        1960 streams_talk_by_lines_over_real_sockets
        1961 all_addresses_refusing_is_one_error
        1962 a_connection_comes_from_its_local_address
        1963 an_attempt_without_an_answer_is_given_up
        1964 a_name_is_looked_up_by_the_host
        1965 clients_are_sent_away_over_real_sockets
        1966 a_megabyte_waits_for_a_slow_reader
        1967 what_comes_before_the_end_is_read_and_half_a_connection_stays
        2100 both_ends_of_a_connection_know_their_addresses
    }
}
