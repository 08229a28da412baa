//! Where there is no allocator, only bounded groups exist.

use super::*;

macro_rules! missing {
    ($($name:ident)*) => {
        $(pub(super) fn $name() -> Outcome {
            Err(Failure::Unsupported("a TaskGroup needs an allocator"))
        })*
    };
}
missing! {
    one_failure_cancels_the_others
    the_body_is_asked_to_end_when_a_task_fails
    failures_in_clean_up_count_more_than_the_cancel
    nested_groups_fail_nested
    a_cancel_turned_into_an_error_is_in_the_group
    a_failing_body_cancels_the_tasks
    a_group_takes_no_task_once_it_shuts_down
    misuse_is_told_apart
    a_cancel_and_a_failure_give_the_failure_and_then_the_cancel
    a_cancelled_group_ends_early_without_an_error
    a_cancel_of_who_waits_cancels_the_tasks_and_goes_on
    a_dropped_group_cancels_its_tasks
    the_group_waits_for_its_tasks
    a_task_may_create_others_in_its_group
    a_group_whose_tasks_spawn_for_ever_ends_when_one_fails
    an_eager_task_that_fails_ends_its_creator_later
    a_panic_is_a_failure_of_the_group
    the_value_of_a_task_is_its_handles
}
