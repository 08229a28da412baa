//! The whole transport layer over wires that misbehave at random: short reads
//! and writes, interrupts, events that lied or came late, ends, resets and
//! refusals at any moment, by many seeds. Whatever happens,
//!
//! * bytes arrive once and in order, and all of them where nobody broke off;
//! * `connection_made` is first, `connection_lost` last, each once;
//! * pausing and resuming alternate, and who paused reading is given nothing;
//! * nothing is called from inside a call of the transport;
//! * no task, no timer, no source and no registration is left.
//!
//! A failure names its seed; the same seed fails again, on every platform.
//!
//! | file | what it holds |
//! |---|---|
//! | `record` | what a protocol saw, and what was wrong with it |
//! | `judges` | protocols that keep a record |
//! | `lives` | a connection from its beginning to its end |
//! | `lines` | readers without a heap |
//! | `on_heap` | streams, servers, datagram endpoints |

use crate::case::{Case, Outcome};
use judges::link;
use lines::lines_arrive_whole_over_a_faulty_wire;
use lives::all_lives;

mod judges;
mod lines;
mod lives;
mod record;

cases_where! {
    any(not(any(target_os = "none", target_os = "wasi")), feature = "alloc"),
    "streams, servers and datagram endpoints need a heap",
    on_heap {
        2053 streams_at_both_ends_of_a_faulty_wire_hear_what_is_said
        2054 streams_learn_of_a_reset_at_any_moment
        2055 a_server_serves_all_who_come_whatever_accepting_says
        2056 messages_over_a_faulty_wire_arrive_once_or_are_refused
        2057 protocols_that_take_over_lose_nothing
        2058 a_protocol_that_fails_anywhere_loses_its_connection_once
        2059 a_loop_that_closes_at_any_moment_leaves_nothing
    };
    case!(2050, a_connection_keeps_its_promises_over_a_faulty_wire),
    case!(2051, a_buffered_connection_keeps_its_promises_over_a_faulty_wire),
    case!(2052, lines_arrive_whole_over_a_faulty_wire),
}

fn a_connection_keeps_its_promises_over_a_faulty_wire() -> Outcome {
    all_lives(&new_loop!(), link::streamed)
}

fn a_buffered_connection_keeps_its_promises_over_a_faulty_wire() -> Outcome {
    all_lives(&new_loop!(), link::buffered)
}
