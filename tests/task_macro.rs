//! `#[molen::task]`: what it takes, and what it says to what it refuses.

#[test]
fn refusals_say_what_is_wrong() {
    trybuild::TestCases::new().compile_fail("tests/task_macro/refused_*.rs");
}

#[molen::task(pool_size = 2)]
async fn add(left: u32, mut right: u32) -> u32 {
    molen::yield_now().await;
    right += left;
    right
}

#[molen::task]
async fn pair((left, right): (u8, u8)) -> u16 {
    u16::from(left) + u16::from(right)
}

#[test]
fn arguments_are_taken_by_value_and_patterns_work() {
    let result = molen::run(async {
        let sum = molen::create_task(add(1, 2)).unwrap();
        let pair = molen::create_task(pair((3, 4))).unwrap();
        (sum.await.unwrap(), pair.await.unwrap())
    });
    assert_eq!(result.unwrap(), (3, 7));
}

#[test]
fn a_full_pool_gives_the_arguments_back_and_has_room_again_later() {
    molen::run(async {
        let (first, second) =
            (molen::create_task(add(1, 1)).unwrap(), molen::create_task(add(2, 2)).unwrap());
        let refused = molen::create_task(add(3, 4)).unwrap_err();
        assert!(matches!(refused, molen::ScheduleError::Full(_)));
        assert_eq!(refused.into_inner().into_arguments(), (3, 4));
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (2, 4));
        assert_eq!(molen::create_task(add(3, 4)).unwrap().await.unwrap(), 7);
    })
    .unwrap();
}

#[molen::task(pool_size = 2)]
async fn count_down(left: u32) -> u32 {
    if left == 0 {
        return 0;
    }
    // The place of this task is taken while it waits for the next.
    1 + next(left - 1).await.unwrap()
}

fn next(left: u32) -> molen::Task<u32> {
    molen::create_task(count_down(left)).unwrap()
}

#[test]
fn a_task_may_start_others_of_its_own_function_through_a_plain_one() {
    let counted = molen::run(async { molen::create_task(count_down(1)).unwrap().await });
    assert_eq!(counted.unwrap().unwrap(), 1);
}
