//! Who awaits whom: behaviour 417, and Molen's own.

use crate::case::{Case, Outcome};
use crate::fixture::{Slot, ms, stop, test};
use core::fmt::{self, Write as _};
use core::future::poll_fn;
use core::task::Poll;
use molen::testing::{Text, static_ref};
use molen::{
    Duration, EventLoop, Task, TaskRef, capture_call_graph, current_task, print_call_graph, sleep,
};

pub(crate) const CASES: &[Case] = &[
    case!(417, the_awaited_by_chain_names_each_parent),
    case!(1540, a_task_that_nobody_awaits_has_no_awaiter),
    case!(1541, the_edge_goes_with_the_task_and_with_its_handle),
    case!(1542, a_tree_shows_what_each_task_awaits),
    case!(1543, tasks_that_await_each_other_are_shown_as_a_circle),
    case!(1544, a_call_graph_goes_round_a_circle_once),
    case!(1545, a_circle_of_one),
    case!(1546, a_waker_that_is_no_tasks_is_no_awaiter),
    case!(1547, what_the_main_future_awaits),
    case!(1548, a_callback_has_no_call_graph),
    case!(1549, a_table_has_a_line_for_each_task),
    case!(1550, a_tree_deeper_than_64_is_cut),
    case!(1551, no_tasks_make_no_tree),
    case!(1552, the_tasks_of_a_bounded_group_name_who_runs_it),
    case!(1553, the_tasks_of_a_group_name_who_runs_it),
    case!(1554, the_tasks_of_a_gather_name_who_awaits_it),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Shows only what is the same in every run and with every feature: of each
/// line what comes before a colon or a comma, which is no number and no function.
struct Plain {
    shown: Text<400>,
    rest_of_line: bool,
}

impl fmt::Write for Plain {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            self.rest_of_line = match character {
                '\n' => false,
                ':' | ',' => true,
                _ => self.rest_of_line,
            };
            if !self.rest_of_line {
                self.shown.write_char(character)?;
            }
        }
        Ok(())
    }
}

fn plain(shown: impl fmt::Display) -> Text<400> {
    let mut plain = Plain { shown: Text::new(), rest_of_line: false };
    // Nothing in it fails.
    let _ = write!(plain, "{shown}");
    plain.shown
}

macro_rules! check_shows {
    ($shown:expr, $expected:expr) => {
        check_eq!(plain($shown).as_str(), $expected)
    };
}

#[molen::task(pool_size = 4)]
async fn sleeper() {
    sleep(ms(1000)).await;
}

/// Awaits a task.
#[molen::task(pool_size = 4)]
async fn awaiter(task: Task<()>) {
    let _result = task.await;
}

/// Awaits two tasks at once.
#[molen::task]
async fn awaiter_of_two(mut first: Task<()>, mut second: Task<()>) {
    poll_fn(|cx| {
        use core::future::Future;
        use core::pin::Pin;
        let first = Pin::new(&mut first).poll(cx).is_ready();
        let second = Pin::new(&mut second).poll(cx).is_ready();
        if first && second { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Awaits the task that will be in `slot` when it runs.
#[molen::task(pool_size = 4)]
async fn awaiter_of_slot(slot: &'static Slot<Task<()>>) {
    if let Some(task) = slot.take() {
        let _result = task.await;
    }
}

/// Named, because what is shown is its name.
fn named(
    task: Task<()>,
    name: &'static str,
) -> Result<Task<()>, molen::error::Full<molen::task::TaskName>> {
    task.set_name(name)?;
    Ok(task)
}

macro_rules! spawn {
    ($event_loop:expr, $name:literal, $call:expr) => {
        match named($event_loop.create_task($call)?, $name) {
            Ok(task) => task,
            Err(_) => return Err(crate::case::Failure::said("no room for a name")),
        }
    };
}

/// `child` is awaited by `parent`, which is awaited by `grandparent`.
fn family(event_loop: &EventLoop) -> Result<(TaskRef, Task<()>), crate::case::Failure> {
    let child = spawn!(event_loop, "child", sleeper());
    let task = child.task_ref();
    let parent = spawn!(event_loop, "parent", awaiter(child));
    let grandparent = spawn!(event_loop, "grandparent", awaiter(parent));
    event_loop.turn(NOW)?;
    Ok((task, grandparent))
}

fn the_awaited_by_chain_names_each_parent() -> Outcome {
    let event_loop = new_loop!();
    let (child, grandparent) = family(&event_loop)?;
    check_shows!(
        capture_call_graph(Some(&child)).map_or_else(Text::new, Text::<400>::of),
        "* Task(name=\"child\"\n  + Awaited by\n    * Task(name=\"parent\"\n      + Awaited by\n        * Task(name=\"grandparent\"\n"
    );
    let mut printed = Text::<400>::new();
    check!(print_call_graph(Some(&child), &mut printed).is_ok(), "it was not written");
    check!(printed.as_str().contains("grandparent"), "another graph was written");
    let graph = capture_call_graph(Some(&child)).and_then(|graph| graph.awaited_by());
    let Some(graph) = graph.and_then(|graph| graph.awaited_by()) else {
        return Err(crate::case::Failure::said("the chain is too short"));
    };
    check!(*graph.task() == grandparent.task_ref(), "the chain ends in another task");
    check!(graph.awaited_by().is_none(), "the chain goes on");
    Ok(())
}

fn a_task_that_nobody_awaits_has_no_awaiter() -> Outcome {
    let event_loop = new_loop!();
    let task = spawn!(event_loop, "alone", sleeper());
    event_loop.turn(NOW)?;
    check!(task.task_ref().awaited_by().is_none(), "somebody awaits it");
    check_shows!(event_loop.pstree(), "└── (T) alone\n");
    Ok(())
}

fn the_edge_goes_with_the_task_and_with_its_handle() -> Outcome {
    let event_loop = new_loop!();
    let (child, grandparent) = family(&event_loop)?;
    check!(child.awaited_by().is_some(), "nobody awaits it");
    // The parent is dropped, and with it the handle of the child, which goes on.
    grandparent.abort();
    let Some(parent) = child.awaited_by() else {
        return Err(crate::case::Failure::said("the parent was ended with the grandparent"));
    };
    check!(parent.awaited_by().is_none(), "a task that has ended awaits another");
    parent.cancel();
    event_loop.turn(NOW)?;
    check!(child.awaited_by().is_none(), "a task that was cancelled awaits another");
    check!(!child.done(), "the child has ended");
    event_loop.turn(None)?;
    check!(child.done() && child.awaited_by().is_none(), "it sleeps on");
    Ok(())
}

fn a_tree_shows_what_each_task_awaits() -> Outcome {
    let event_loop = new_loop!();
    let a = spawn!(event_loop, "a", sleeper());
    let b = spawn!(event_loop, "b", sleeper());
    let above = spawn!(event_loop, "above a", awaiter(a));
    let _both = spawn!(event_loop, "both", awaiter_of_two(above, b));
    let _alone = spawn!(event_loop, "alone", sleeper());
    event_loop.turn(NOW)?;
    // Which of several is first depends, without an allocator, on which static was used first.
    let shown = plain(event_loop.pstree());
    let trees = [
        "└── (T) both\n    ├── (T) b\n    └── (T) above a\n        └── (T) a\n└── (T) alone\n",
        "└── (T) both\n    ├── (T) above a\n    │   └── (T) a\n    └── (T) b\n└── (T) alone\n",
        "└── (T) alone\n└── (T) both\n    ├── (T) b\n    └── (T) above a\n        └── (T) a\n",
        "└── (T) alone\n└── (T) both\n    ├── (T) above a\n    │   └── (T) a\n    └── (T) b\n",
    ];
    if !trees.contains(&shown.as_str()) {
        check_eq!(shown.as_str(), trees[0]);
    }
    Ok(())
}

/// Two tasks that await each other, and one that awaits the first.
fn circle(event_loop: &EventLoop) -> Result<(TaskRef, TaskRef), crate::case::Failure> {
    let (left, right) = (
        static_ref!(Slot<Task<()>> = Slot::new(None)),
        static_ref!(Slot<Task<()>> = Slot::new(None)),
    );
    let one = spawn!(event_loop, "one", awaiter_of_slot(right));
    let two = spawn!(event_loop, "two", awaiter_of_slot(left));
    let refs = (one.task_ref(), two.task_ref());
    left.set(Some(one));
    right.set(Some(two));
    event_loop.turn(NOW)?;
    Ok(refs)
}

fn tasks_that_await_each_other_are_shown_as_a_circle() -> Outcome {
    let event_loop = new_loop!();
    let (one, two) = circle(&event_loop)?;
    check!(one.awaited_by() == Some(two.clone()), "two does not await one");
    check!(two.awaited_by() == Some(one), "one does not await two");
    let shown = Text::<400>::of(event_loop.pstree());
    let lines = shown.as_str().lines().count();
    let (cycle, roots) =
        (shown.as_str().contains("cycle: "), shown.as_str().matches("(T)").count());
    check_eq!((lines, cycle, roots), (3, true, 2));
    check_eq!(shown.as_str().matches('→').count(), 2);
    Ok(())
}

fn a_call_graph_goes_round_a_circle_once() -> Outcome {
    let event_loop = new_loop!();
    let (one, two) = circle(&event_loop)?;
    let Some(graph) = capture_call_graph(Some(&one)) else {
        return Err(crate::case::Failure::said("no graph"));
    };
    check_shows!(
        &graph,
        "* Task(name=\"one\"\n  + Awaited by\n    * Task(name=\"two\"\n      + Awaited by\n        * Task(name=\"one\"\n"
    );
    check!(Text::<400>::of(&graph).as_str().ends_with("again\n"), "the circle is not closed");
    check!(graph.awaited_by().is_some_and(|graph| *graph.task() == two), "another task is next");
    Ok(())
}

fn a_circle_of_one() -> Outcome {
    let event_loop = new_loop!();
    let own = static_ref!(Slot<Task<()>> = Slot::new(None));
    let task = spawn!(event_loop, "narcissus", awaiter_of_slot(own));
    let task_ref = task.task_ref();
    own.set(Some(task));
    event_loop.turn(NOW)?;
    if task_ref.awaited_by().is_none() {
        // Awaiting itself is refused.
        return Ok(());
    }
    check!(task_ref.awaited_by() == Some(task_ref.clone()), "another task awaits it");
    let shown = Text::<400>::of(event_loop.pstree());
    check_eq!(shown.as_str().lines().count(), 2);
    check_eq!(shown.as_str().matches("narcissus").count(), 3);
    Ok(())
}

fn a_waker_that_is_no_tasks_is_no_awaiter() -> Outcome {
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Waker};
    let event_loop = new_loop!();
    let mut task = spawn!(event_loop, "polled", sleeper());
    let mut cx = Context::from_waker(Waker::noop());
    check!(pin!(&mut task).poll(&mut cx).is_pending(), "it has ended");
    check!(task.task_ref().awaited_by().is_none(), "a task awaits it");
    Ok(())
}

fn what_the_main_future_awaits() -> Outcome {
    let event_loop = new_loop!();
    let task = spawn!(event_loop, "awaited", sleeper());
    let awaited = task.task_ref();
    event_loop.call_later(ms(1), move || {
        let Some(graph) = capture_call_graph(Some(&awaited)) else { return };
        if let Some(main) = graph.awaited_by()
            && main.awaited_by().is_none()
        {
            crate::fixture::event("awaited by the main task");
        }
        awaited.cancel();
    })?;
    let ended = event_loop.run_until_complete(async {
        if current_task().is_some() {
            crate::fixture::event("in a task");
        }
        task.await
    })?;
    check!(ended.is_err(), "it was not cancelled");
    check_events!["in a task", "awaited by the main task"];
    Ok(())
}

fn a_callback_has_no_call_graph() -> Outcome {
    let event_loop = new_loop!();
    check!(capture_call_graph(None).is_none(), "a graph outside of the loop");
    event_loop.call_soon(|| {
        let mut printed = Text::<8>::new();
        if capture_call_graph(None).is_none()
            && print_call_graph(None, &mut printed).is_ok()
            && printed.as_str().is_empty()
        {
            crate::fixture::event("none");
        }
        stop();
    })?;
    event_loop.run_forever()?;
    check_events!["none"];
    Ok(())
}

fn a_table_has_a_line_for_each_task() -> Outcome {
    let event_loop = new_loop!();
    let (_child, _grandparent) = family(&event_loop)?;
    let shown = Text::<1200>::of(event_loop.ps());
    for (name, times) in [("child", 1), ("parent", 4), ("grandparent", 2)] {
        check_eq!((name, shown.as_str().matches(name).count()), (name, times));
    }
    Ok(())
}

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
fn a_tree_deeper_than_64_is_cut() -> Outcome {
    let event_loop = new_loop!();
    let mut task = event_loop.create_task(async { sleep(ms(1000)).await })?;
    for _ in 0..70 {
        task = event_loop.create_task(async move {
            let _result = task.await;
        })?;
    }
    event_loop.turn(NOW)?;
    let shown = std::string::ToString::to_string(&event_loop.pstree());
    check_eq!(shown.lines().count(), 65);
    check!(shown.ends_with("└── …\n"), "the rest is not hinted at");
    drop(task);
    Ok(())
}

#[cfg(any(target_os = "none", target_os = "wasi"))]
fn a_tree_deeper_than_64_is_cut() -> Outcome {
    Err(crate::case::Failure::Unsupported("no pool of tasks is that large here"))
}

fn no_tasks_make_no_tree() -> Outcome {
    let event_loop = new_loop!();
    check_shows!(event_loop.pstree(), "");
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

/// What a group's tasks are awaited by: with an allocator and without.
macro_rules! group_case {
    ($name:ident, $group:expr, $created:expr) => {
        fn $name() -> Outcome {
            use molen::task_group::*;
            let event_loop = new_loop!();
            let child = static_ref!(Slot<TaskRef> = Slot::new(None));
            event_loop.call_later(ms(5), move || {
                let Some(child) = child.take() else { return };
                let Some(graph) = capture_call_graph(Some(&child)) else { return };
                let Some(parent) = graph.awaited_by() else {
                    return crate::fixture::event("awaited by nobody");
                };
                crate::fixture::event(if parent.awaited_by().is_none() {
                    "awaited by the main task"
                } else {
                    "awaited by another task"
                });
            })?;
            let result = event_loop.run_until_complete(async {
                let group = $group;
                let body = async {
                    let () = $created(&group, child);
                    Ok::<(), &'static str>(())
                };
                group.run(body).await.is_ok()
            })?;
            check!(result, "the group failed");
            check_events!["awaited by the main task"];
            Ok(())
        }
    };
}

#[molen::task]
async fn member() -> Result<(), &'static str> {
    sleep(ms(10)).await;
    Ok(())
}

group_case!(
    the_tasks_of_a_bounded_group_name_who_runs_it,
    BoundedTaskGroup::<(), &'static str, 2>::new(),
    |group: &BoundedTaskGroup<(), &'static str, 2>, child: &Slot<TaskRef>| {
        // The group keeps the handle: the task is found as the youngest.
        let created = group.create_task(member());
        if let (Ok(_), Ok(event_loop)) = (created, molen::get_running_loop()) {
            let main = current_task();
            event_loop.for_each_task(|task| {
                if Some(&task) != main.as_ref() {
                    child.set(Some(task));
                }
            });
        }
    }
);

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
group_case!(
    the_tasks_of_a_group_name_who_runs_it,
    TaskGroup::<&'static str>::new(),
    |group: &TaskGroup<&'static str>, child: &Slot<TaskRef>| {
        let created = group.create_task(async {
            sleep(ms(10)).await;
            Ok(())
        });
        child.set(created.ok().map(|task| task.task_ref()));
    }
);

#[cfg(any(target_os = "none", target_os = "wasi"))]
fn the_tasks_of_a_group_name_who_runs_it() -> Outcome {
    Err(crate::case::Failure::Unsupported("a group of any size needs an allocator"))
}

fn the_tasks_of_a_gather_name_who_awaits_it() -> Outcome {
    #[molen::task]
    async fn gatherer(first: Task<()>, second: Task<()>) {
        if let Ok(all) = molen::gather([first.spawned(), second.spawned()]) {
            let _both = all.await;
        }
    }
    let event_loop = new_loop!();
    let first = spawn!(event_loop, "first", sleeper());
    let second = spawn!(event_loop, "second", sleeper());
    let (one, two) = (first.task_ref(), second.task_ref());
    let parent = spawn!(event_loop, "parent", gatherer(first, second));
    event_loop.turn(NOW)?;
    check!(one.awaited_by() == Some(parent.task_ref()), "the first names another");
    check!(two.awaited_by() == Some(parent.task_ref()), "the second names another");
    check_shows!(
        capture_call_graph(Some(&two)).map_or_else(Text::new, Text::<400>::of),
        "* Task(name=\"second\"\n  + Awaited by\n    * Task(name=\"parent\"\n"
    );
    parent.cancel();
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check!(one.done() && one.awaited_by().is_none(), "the edge is still there");
    Ok(())
}
