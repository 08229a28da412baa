//! Options of the system's sockets: Molen's own cases.

use crate::case::Case;

cases_where! {
    any(unix, windows), "options of sockets are the operating system's, which this platform has not",
    real {
        2142 a_connections_options_are_its_sockets
        2143 an_endpoints_options_are_its_sockets
        2144 a_listeners_buffers_are_its_connections
        2145 a_connection_without_linger_is_reset_when_it_is_closed
        2146 a_unix_socket_has_no_options_of_tcp
    }
}
