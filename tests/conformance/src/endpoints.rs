//! Datagram endpoints at real addresses: behaviours 320 and 329, and our own
//! from 2000.

use crate::case::Case;

macro_rules! endpoints {
    (
        udp { $($number:literal $name:ident)* }
        unix { $($unix_number:literal $unix_name:ident)* }
    ) => {
        pub(crate) const CASES: &[Case] = &[
            $(Case { number: $number, name: stringify!($name), run: udp::$name },)*
            $(Case { number: $unix_number, name: stringify!($unix_name), run: unix::$unix_name },)*
        ];

        #[cfg(any(
            not(any(target_os = "none", target_os = "wasi")),
            all(target_os = "wasi", target_env = "p2", feature = "alloc"),
        ))]
        mod udp;

        lacking_where! {
            not(any(
                not(any(target_os = "none", target_os = "wasi")),
                all(target_os = "wasi", target_env = "p2", feature = "alloc"),
            )),
            "there is no call that makes a datagram socket",
            udp { $($name)* }
        }

        #[cfg(unix)]
        mod unix;

        lacking_where! {
            not(unix), "there are no Unix sockets on this platform",
            unix { $($unix_name)* }
        }
    };
}
endpoints! {
    udp {
        320 a_dead_receiver_does_not_silence_others
        329 broadcasting_does_not_connect
        2000 a_refusal_is_told_to_a_connected_endpoint_which_goes_on
        2001 an_address_may_be_shared_and_a_taken_one_is_an_error
        2002 a_peer_may_be_a_name_and_the_local_address_anywhere
        2003 a_local_address_of_another_family_than_the_peers_is_an_error
        2004 groups_and_broadcasts_have_their_options
        2005 a_closed_endpoint_has_sent_all_and_is_gone
        2175 an_endpoint_knows_its_socket
    }
    unix {
        2006 endpoints_of_unix_sockets_know_their_peers_by_path
        2007 a_full_receiver_is_waited_for
        2008 an_endpoints_path_is_replaced_and_removed
    }
}

#[cfg(any(
    not(any(target_os = "none", target_os = "wasi")),
    all(target_os = "wasi", target_env = "p2", feature = "alloc"),
))]
mod log;
