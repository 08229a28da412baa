//! Connections and servers of desktops alone: sockets that come from elsewhere
//! (asyncio's `sock=`), ports that servers share, and resolvers of one's own.

use crate::case::Case;

cases_where! {
    not(any(target_os = "none", target_os = "wasi")),
    "sockets come from the platform alone",
    real {
        1968 servers_that_share_a_port_share_its_connections
        1969 an_accepted_socket_of_the_standard_library_gets_a_protocol
        1970 addresses_in_numbers_ask_no_resolver
        1971 a_connection_that_stands_gets_streams_or_a_protocol
        1972 a_server_accepts_from_the_sockets_that_it_is_given
        1973 sockets_from_elsewhere_carry_tls
    }
}
