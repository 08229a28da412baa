//! Messages of Unix sockets that are longer than those of UDP: our own case 2167.

use crate::case::Case;

cases_where! {
    unix,
    "there are no Unix sockets on this platform",
    real {
        2167 a_long_message_arrives_whole
    }
}
