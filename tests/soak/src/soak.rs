//! The warm-up, the soak, and the comparison.

use crate::Options;
use crate::activities::{ACTIVITIES, Activity, Place};
use crate::allocations;
use crate::state::State;
use crate::threads;
use molen::testing::Chance;
use molen::{EventLoop, create_task, sleep, timeout};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Longer than any activity takes on any machine; then it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long what is over may take to be gone: children that were killed,
/// connections whose peers must hear of their end.
const SETTLING: Duration = Duration::from_secs(20);

/// How often it says how far it is.
const PROGRESS: Duration = Duration::from_secs(30);

/// Runs the soak.
pub fn run(options: &Options) -> Result<(), String> {
    let whole = Duration::try_from_secs_f64(options.minutes * 60.0)
        .map_err(|error| format!("--minutes: {error}"))?;
    let chosen: Vec<Activity> = ACTIVITIES
        .iter()
        .filter(|activity| options.only.as_ref().is_none_or(|only| only == activity.name))
        .copied()
        .collect();
    if chosen.is_empty() {
        return Err("--only: there is no such activity".to_owned());
    }
    let warm_up = (whole / 10).min(Duration::from_secs(10));
    let event_loop = molen::new_event_loop().map_err(|error| error.to_string())?;
    let count = Rc::new(RefCell::new(vec![0_u64; chosen.len()]));
    let soak = async {
        // The standard output has its buffer, and all users have done each
        // thing, so that tables and caches have their size.
        println!("soak: {} users, seed {}", options.users, options.seed);
        threads::start_all().await?;
        phase(options, &chosen, &count, warm_up, options.seed ^ 0xdead).await?;
        let before = settled(&event_loop, None).await;
        println!("soak: at the start {before}");
        count.borrow_mut().fill(0);
        phase(options, &chosen, &count, whole - warm_up, options.seed).await?;
        let after = settled(&event_loop, Some(&before)).await;
        println!("soak: at the end   {after}");
        let more = after.more_than(&before);
        if more.is_empty() { Ok(()) } else { Err(more.join("; ")) }
    };
    let ended = event_loop.run_until_complete(soak).map_err(|error| error.to_string())?;
    for (activity, count) in chosen.iter().zip(count.borrow().iter()) {
        println!("soak: {count:>8} x {}", activity.name);
    }
    println!("soak: {} allocations", allocations::allocated());
    ended
}

/// Every user does one thing after the other for `length`; at least each thing once.
async fn phase(
    options: &Options,
    chosen: &[Activity],
    count: &Rc<RefCell<Vec<u64>>>,
    length: Duration,
    seed: u64,
) -> Result<(), String> {
    let began = Instant::now();
    let place = Place::new().await?;
    let mut users = Vec::new();
    for user in 0..options.users {
        let (chosen, count, place) = (chosen.to_vec(), count.clone(), place.clone());
        let user = use_all(chosen, count, place, seed.wrapping_mul(1000) + user, began + length);
        users.push(create_task(user).map_err(|error| error.to_string())?);
    }
    let mut next = began + PROGRESS;
    while !users.iter().all(|user| user.done()) {
        sleep(Duration::from_millis(50)).await;
        if Instant::now() > next {
            next += PROGRESS;
            let done: u64 = count.borrow().iter().sum();
            println!("soak: {} s, {done} things done", began.elapsed().as_secs());
        }
    }
    for user in users {
        user.await.map_err(|error| error.to_string())??;
    }
    place.close().await
}

/// One user: all things once, and then by chance.
async fn use_all(
    chosen: Vec<Activity>,
    count: Rc<RefCell<Vec<u64>>>,
    place: Place,
    seed: u64,
    until: Instant,
) -> Result<(), String> {
    let chance = Rc::new(Chance::new(seed));
    let mut round = 0;
    while round < chosen.len() || Instant::now() < until {
        let index = if round < chosen.len() { round } else { chance.below(chosen.len()) };
        round += 1;
        let activity = &chosen[index];
        let doing = (activity.run)(place.clone(), chance.clone());
        match timeout(PATIENCE, doing).await {
            Ok(Ok(())) => count.borrow_mut()[index] += 1,
            Ok(Err(why)) => return Err(format!("{}: {why} (user's seed {seed})", activity.name)),
            Err(_) => return Err(format!("{}: it hangs (user's seed {seed})", activity.name)),
        }
    }
    Ok(())
}

/// The state when all that is over is gone: as `before`, or as it stays.
async fn settled(event_loop: &EventLoop, before: Option<&State>) -> State {
    let began = Instant::now();
    let mut last = State::now(event_loop);
    loop {
        sleep(Duration::from_millis(200)).await;
        let now = State::now(event_loop);
        let is_settled = match before {
            Some(before) => now.more_than(before).is_empty(),
            None => now == last && began.elapsed() > SETTLING / 10,
        };
        if is_settled || began.elapsed() > SETTLING {
            return now;
        }
        last = now;
    }
}
