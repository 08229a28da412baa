//! Groups of any number of tasks.

extern crate alloc;

use core::future::Future;
groups!(molen::TaskGroup::<Error>::new(); fail_after_ wait_ give_after_ fail_in_clean_up_ nested_);

pub(super) fn a_task_may_create_others_in_its_group() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let group = molen::TaskGroup::<Error>::new();
        let inner = group.clone();
        group
            .run(async {
                created(group.create_task(async move {
                    sleep(ms(2)).await;
                    created(inner.create_task(give_after_(5, 1)))
                }))
            })
            .await
    })?;
    check!(result.is_ok(), "the group failed");
    check_eq!(event_loop.time(), crate::fixture::at(7));
    Ok(())
}

pub(super) fn a_group_whose_tasks_spawn_for_ever_ends_when_one_fails() -> Outcome {
    async fn spawn(group: molen::TaskGroup<Error>) -> Result<(), Error> {
        sleep(ms(1)).await;
        let next: core::pin::Pin<alloc::boxed::Box<dyn Future<Output = Result<(), Error>>>> =
            alloc::boxed::Box::pin(spawn(group.clone()));
        // Refused once the group shuts down; then this task ends by itself.
        drop(group.create_task(next));
        Ok(())
    }
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let group = molen::TaskGroup::<Error>::new();
        group
            .run(async {
                created(group.create_task(spawn(group.clone())))?;
                created(group.create_task(fail_after_(5, "boom")))
            })
            .await
    })?;
    failed_with!(result, "boom");
    Ok(())
}

pub(super) fn an_eager_task_that_fails_ends_its_creator_later() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let group = molen::TaskGroup::<Error>::new();
        group
            .run(async {
                let eager = molen::task::Builder::new().eager();
                let failing = async { Err::<(), _>("eager") };
                created(group.create_task_with(eager, failing))?;
                event("goes on");
                yield_now().await;
                event("never");
                Ok(())
            })
            .await
    })?;
    failed_with!(result, "eager");
    check_events!["goes on"];
    Ok(())
}

/// Where panics do not unwind, nobody can go on after one.
#[cfg(any(target_os = "none", target_os = "wasi"))]
pub(super) fn a_panic_is_a_failure_of_the_group() -> Outcome {
    Err(Failure::Unsupported("panics abort on this platform"))
}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
pub(super) fn a_panic_is_a_failure_of_the_group() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let group = molen::TaskGroup::<Error>::new();
        group
            .run(async {
                created(group.create_task(async {
                    yield_now().await;
                    if event_is_out() {
                        panic!("on purpose");
                    }
                    Ok(())
                }))?;
                created(group.create_task(wait_("dropped")))
            })
            .await
    })?;
    let Err(TaskGroupError::Exceptions(group)) = result else {
        return Err(Failure::said("the group did not fail"));
    };
    check_eq!(group.exceptions().len(), 1);
    check_matches!(group.exceptions()[0], molen::task_group::Exception::Panicked(_));
    check_events!["panics", "dropped"];
    Ok(())
}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
fn event_is_out() -> bool {
    event("panics");
    true
}

pub(super) fn the_value_of_a_task_is_its_handles() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let group = molen::TaskGroup::<Error>::new();
        group
            .run(async {
                let one = group.create_task(give_after_(3, 1)).map_err(|_| "not created")?;
                let two = group.create_task(give_after_(2, 2)).map_err(|_| "not created")?;
                Ok((one.await.map_err(|_| "one")?, two.await.map_err(|_| "two")?))
            })
            .await
    })?;
    check_matches!(result, Ok(Some((1, 2))));
    Ok(())
}
