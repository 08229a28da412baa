//! Children and those whom they start; descriptors that a child inherits: Molen's own cases.

use crate::case::Case;

cases_where! {
    any(unix, windows), "there are no child processes on this platform",
    real {
        2137 a_group_is_sent_signals_as_one
        2138 what_is_left_of_a_group_ends_with_its_leader
        2139 a_dropped_child_takes_its_group_along
        2140 a_child_may_lead_a_session_of_its_own
        2141 a_passed_descriptor_reaches_that_child_alone
    }
}
