//! What other threads may do to a loop, and what they do for it: behaviours 53
//! to 69 and 115. Where there are none, nobody else can.
//!
//! | file | what it holds |
//! |---|---|
//! | `posting` | callbacks and wakes from other threads |
//! | `executors` | functions that the loop has others call |
//! | `shutdown` | the end of executors |
//! | `coroutines` | coroutines that others have the loop run |
//! | `loops` | a loop on each of several threads |

use crate::case::Case;

cases_where! {
    not(any(target_os = "none", target_os = "wasi")), "there are no threads on this platform",
    posting {
        53 a_post_wakes_a_sleeping_loop
        54 a_post_of_the_loops_own_thread_keeps_its_place
        56 a_post_cancelled_by_another_thread_never_runs
        57 a_post_that_cancels_itself_runs_to_its_end
        1160 posts_of_one_thread_run_in_order
        1161 a_closed_loop_gives_a_post_back
        1162 a_remote_outlives_its_loop
        1163 a_wake_from_another_thread_makes_its_task_ready
    }
    executors {
        58 an_executor_runs_a_function
        59 a_cancelled_job_schedules_nothing
        60 a_job_cancelled_in_the_queue_never_runs
        1480 an_executor_of_ones_own_runs_a_function
        1481 a_panic_in_a_job_comes_with_its_payload
        1482 a_job_that_its_executor_drops_is_cancelled
        1483 a_refusal_gives_the_function_back
        1484 the_default_executor_is_kept_and_replaced
        1485 to_thread_begins_when_it_is_polled
        1486 threads_start_when_needed_and_are_used_again
        1487 a_pool_drops_cancelled_jobs_from_a_long_queue
        1488 a_job_is_awaited_where_no_loop_runs
    }
    shutdown {
        1490 after_the_shutdown_jobs_are_refused
        1491 the_shutdown_waits_while_the_loop_goes_on
        1492 a_shutdown_that_takes_too_long_is_given_up
        1493 closing_shuts_the_default_executor_down
        1494 a_pool_that_is_dropped_runs_its_queue
        1495 an_executor_that_panics_at_its_shutdown_is_reported
    }
    coroutines {
        63 a_thread_sees_a_cancelled_task
        64 a_thread_is_told_that_no_task_was_made
        65 cancelling_a_wrapper_cancels_its_source
        115 a_coroutine_cancelled_by_another_thread
        1500 a_coroutine_of_another_thread_runs_on_the_loop
        1501 a_coroutine_cancelled_before_it_begins_never_runs
        1502 a_coroutine_catches_the_cancel_of_another_thread
        1503 a_panic_in_a_coroutine_comes_with_its_payload
        1504 a_closed_loop_makes_no_task_for_others
        1505 closing_cancels_the_coroutines_of_others
        1506 a_result_that_takes_too_long_is_not_lost
        1507 waiting_on_the_loops_own_thread_is_refused
        1508 a_concurrent_future_is_done_once
        1512 an_eager_coroutine_of_another_thread
        1509 done_callbacks_are_called_in_order_whatever_they_do
    }
    loops {
        69 all_tasks_of_loops_in_threads
        1510 a_loop_awaits_a_coroutine_of_another_loop
        1511 loops_cancel_each_others_coroutines
    };
    not_applicable!(
        67,
        a_full_wake_up_pipe_is_no_error,
        "the selector's own waker has no pipe of ours"
    ),
}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod fixture;
