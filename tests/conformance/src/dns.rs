//! Names and addresses: our own from 1850. asyncio's tests of them are about
//! connections, where they are found again.

use crate::case::Case;

cases_where! {
    not(any(target_os = "none", target_os = "wasi")), "there is no resolver on this platform",
    real {
        1850 localhost_is_this_machine
        1851 an_address_in_numbers_asks_nobody
        1852 a_resolver_of_ones_own_is_asked
        1853 a_full_default_executor_does_not_hold_names_up
        1854 a_cancelled_question_is_withdrawn
        1855 what_is_no_name_is_not_found
        1856 an_address_has_a_name_and_its_port_a_service
        1857 closing_the_loop_lets_go_of_its_resolver
    }
}
