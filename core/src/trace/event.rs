//! What is told, and who is told.

use super::Counters;
use crate::io::Wait;
use crate::schedule::EventLoop;
use crate::schedule::node::Node;
use crate::task::TaskRef;
use crate::time::{Duration, Instant};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// Is told what a loop does. [`EventLoop::set_tracer`] installs it.
///
/// One tracer may serve several loops, also on several threads. On a
/// microcontroller it is called from interrupts too, where they wake tasks,
/// also while it is being called by the code that they interrupt: that is why
/// it is `Sync`.
///
/// It may look at the loop, and must not run it. A panic of it counts as one of
/// the step that it comes in.
pub trait Trace: Sync {
    /// `event` happens now, which is [`event_loop.time()`](EventLoop::time).
    fn record(&self, event_loop: &EventLoop, event: Event<'_>);
}

/// Something that happens in a loop; the [module](crate::trace) says in which
/// order.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A turn begins.
    TurnBegin,
    /// It ends; this is what it did.
    TurnEnd(Counters),
    /// The selector is about to wait.
    SleepBegin(Wait),
    /// It has returned.
    SleepEnd,
    /// A callback is called, or a task polled.
    StepBegin(Step<'a>),
    /// The step that began last is over.
    StepEnd(Step<'a>),
    /// A step took at least
    /// [`slow_callback_duration`](EventLoop::slow_callback_duration), in debug mode.
    Slow(Step<'a>, Duration),
    /// A task was created. Its first step follows when it is woken, which is at once.
    TaskCreated(Step<'a>),
    /// A task that waited was made ready, by the step that runs, the selector, or an interrupt.
    TaskWoken(Step<'a>),
    /// A task has ended.
    TaskEnded(Step<'a>),
    /// A timer was set.
    TimerSet {
        /// Which one; later another timer may have the same number.
        timer: usize,
        /// When it is due.
        when: Instant,
    },
    /// The loop was closed: nothing more comes of it.
    LoopClosed,
    /// A timer was due. It wakes its task or makes its callback ready.
    TimerFired {
        /// Which one.
        timer: usize,
    },
}

/// What takes a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A task; its step is one poll.
    Task,
    /// A callback.
    Callback,
}

/// A task or a callback, as long as one is told of it.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Alive for `'a` if it is a task; of a callback only the address is used.
    node: NonNull<Node>,
    described: &'static Described,
    alive: PhantomData<&'a Node>,
}

impl Step<'_> {
    /// What `node` is.
    ///
    /// # Safety
    ///
    /// It is alive; and stays so for the result's lifetime, if it is a task's.
    pub(crate) unsafe fn of<'a>(node: NonNull<Node>) -> Step<'a> {
        // SAFETY: alive, and what is told of has been in a chain or soon is.
        let described = unsafe { &node.as_ref().table().described };
        Step { node, described, alive: PhantomData }
    }

    /// Task or callback.
    pub fn kind(&self) -> Kind {
        self.described.kind
    }

    /// A number that no other task or callback has at the same time.
    pub fn id(&self) -> usize {
        self.node.addr().get()
    }

    /// The task, if it is one: its name, and who awaits it.
    pub fn task(&self) -> Option<TaskRef> {
        match self.kind() {
            // SAFETY: alive for 'a; a tracer is called on its loop's thread or
            // in an interrupt of it.
            Kind::Task => Some(unsafe { TaskRef::of(self.node.cast()) }),
            Kind::Callback => None,
        }
    }

    /// The function that it runs, by its path. What an `async fn` returns is
    /// named as the function; a closure ends in `{{closure}}`, an `async` block is
    /// named as the function around it, and the future of
    /// `run_until_complete` as that.
    pub fn function(&self) -> &'static str {
        let name = (self.described.type_name)();
        match self.kind() {
            Kind::Task => function_of_future(name),
            Kind::Callback => name,
        }
    }
}

/// The function in the name of a future's type.
fn function_of_future(type_name: &'static str) -> &'static str {
    if type_name == "molen_core::schedule::turn::root::Root" {
        return "run_until_complete";
    }
    // Where pools only count, they wrap the future of a `#[molen::task]` function.
    let counted = type_name.strip_prefix("molen_core::task::pool::counted::");
    let function = match counted.and_then(|wrapper| wrapper.split_once('<')) {
        Some((_, arguments)) => arguments.split(", (").next().unwrap_or(arguments),
        // An `async fn` is a closure of itself.
        None => type_name.strip_suffix("::{{closure}}").unwrap_or(type_name),
    };
    // `#[molen::task]` has made it `f::__f`.
    match function.rsplit_once("::__") {
        Some((outer, inner)) if outer.ends_with(inner) => outer,
        _ => function,
    }
}

/// `task app::serve`, `task "accept" (app::serve)` if it has a name, or
/// `callback app::main::{{closure}}`.
impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = self.function();
        match self.task() {
            None => write!(f, "callback {function}"),
            Some(task) => match task.name() {
                None => write!(f, "task {function}"),
                Some(name) => write!(f, "task {name:?} ({function})"),
            },
        }
    }
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:#x})", self.id())
    }
}

impl TaskRef {
    /// The function that it runs, by its path, as [`Step::function`]. Needs the
    /// feature `trace`.
    ///
    /// asyncio: `Task.get_coro().__qualname__`.
    pub fn function(&self) -> &'static str {
        // SAFETY: kept alive by this reference; a started task's table is set.
        unsafe { Step::of(self.header_address().cast()) }.function()
    }
}

/// What is known of a node's kind, in its table.
pub(crate) struct Described {
    kind: Kind,
    type_name: fn() -> &'static str,
}

impl Described {
    /// A task that runs an `F`.
    pub(crate) const fn task<F>() -> Described {
        Described { kind: Kind::Task, type_name: core::any::type_name::<F> }
    }

    /// A callback with payload `P`.
    pub(crate) const fn callback<P>() -> Described {
        Described { kind: Kind::Callback, type_name: core::any::type_name::<P> }
    }
}
