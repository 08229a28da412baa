//! Task-locals: asyncio's context variables.
//!
//! A [`ContextVar`] has a value for each [`Context`]. Each task has a context:
//! a copy of that of the code which creates it, so that what a task sets is
//! seen by itself and the tasks that it creates from then on, and by nobody else. A copy
//! costs a reference count; the first change after it copies the values.
//!
//! ```ignore
//! static REQUEST: ContextVar<u32> = ContextVar::new("request");
//!
//! REQUEST.set(7)?;
//! let child = create_task(async { REQUEST.get() })?;
//! assert_eq!(child.await?, Some(7));
//! ```
//!
//! | code that runs | its context |
//! |---|---|
//! | inside of [`Context::run`] | that one |
//! | in a task | the task's |
//! | in the handler of a stream server's connection | a copy of that in which the server was made |
//! | in a callback, outside of a loop | none: nothing is set, and nothing can be |
//!
//! A callback that needs one captures it: `let context = copy_context();
//! call_soon(move || context.run(|| …))`. Programs that use none pay nothing:
//! contexts are with what [few tasks have](super::extras).

use super::header::Header;
use super::task_ref::TaskRef;
use crate::error::NoRunningLoop;
use crate::schedule::EventLoop;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::RefCell;
use core::fmt;
use core::marker::PhantomData;

/// A variable's value, with the variable's address.
#[derive(Clone)]
struct Entry {
    variable: usize,
    value: Rc<dyn Any>,
}

/// Values of context variables. Clones share them; [`copy`](Self::copy) does not.
///
/// asyncio: `contextvars.Context`.
#[derive(Clone, Default)]
pub struct Context(Rc<RefCell<Rc<Vec<Entry>>>>);

impl Context {
    /// A context in which no variable has a value.
    pub fn new() -> Context {
        Context::default()
    }

    /// One with the same values, changed by nobody else.
    #[must_use]
    pub fn copy(&self) -> Context {
        let entries = self.0.borrow().clone();
        Context(Rc::new(RefCell::new(entries)))
    }

    /// Calls `f` in this context: variables have its values, and what is set is set in it.
    ///
    /// asyncio: `Context.run()`.
    ///
    /// # Errors
    ///
    /// [`NoRunningLoop`] when no loop runs on this thread; `f` is then not called.
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> Result<R, NoRunningLoop> {
        let event_loop = crate::schedule::current().ok_or(NoRunningLoop)?;
        let _entered = Entered::enter(event_loop, self.clone());
        Ok(f())
    }

    fn get(&self, variable: usize) -> Option<Rc<dyn Any>> {
        let entries = self.0.borrow().clone();
        entries.iter().find(|entry| entry.variable == variable).map(|entry| entry.value.clone())
    }

    /// Sets a value, or takes it away; returns what was there.
    fn replace(&self, variable: usize, value: Option<Rc<dyn Any>>) -> Option<Rc<dyn Any>> {
        let mut shared = self.0.borrow_mut();
        let entries = Rc::make_mut(&mut shared);
        let place = entries.iter().position(|entry| entry.variable == variable);
        match (place, value) {
            (Some(place), Some(value)) => {
                Some(core::mem::replace(&mut entries[place].value, value))
            }
            (Some(place), None) => Some(entries.swap_remove(place).value),
            (None, Some(value)) => {
                entries.push(Entry { variable, value });
                None
            }
            (None, None) => None,
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("variables", &self.0.borrow().len()).finish()
    }
}

/// While it lives, code on the loop is in another context.
struct Entered<'a> {
    event_loop: &'a EventLoop,
    outer: Option<Context>,
}

impl<'a> Entered<'a> {
    fn enter(event_loop: &'a EventLoop, context: Context) -> Entered<'a> {
        let outer = event_loop.task_hooks().entered.replace(Some(context));
        event_loop.note_how_tasks_are_created();
        Entered { event_loop, outer }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.event_loop.task_hooks().entered.set(self.outer.take());
        self.event_loop.note_how_tasks_are_created();
    }
}

/// The context of the code that runs, if it has one already.
fn present(event_loop: &EventLoop) -> Option<Context> {
    let hooks = event_loop.task_hooks();
    if let Some(entered) = hooks.entered.take() {
        hooks.entered.set(Some(entered.clone()));
        return Some(entered);
    }
    // SAFETY: the task that runs is alive.
    unsafe { event_loop.running_task()?.as_ref() }.joiner.extras()?.context()
}

/// The context of a task that is created now: a copy of the present one.
pub(crate) fn inherited(event_loop: &EventLoop) -> Option<Context> {
    let is_current =
        crate::schedule::current().is_some_and(|running| core::ptr::eq(running, event_loop));
    if is_current { present(event_loop).map(|context| context.copy()) } else { None }
}

/// A copy of the context of the code that runs; an empty one where there is none.
///
/// asyncio: `contextvars.copy_context()`.
pub fn copy_context() -> Context {
    crate::schedule::current().and_then(inherited).unwrap_or_default()
}

/// A variable with a value for each context. Put it in a `static`.
///
/// asyncio: `contextvars.ContextVar`. tokio: `task_local!`.
pub struct ContextVar<T: 'static> {
    name: &'static str,
    default: Option<fn() -> T>,
    value: PhantomData<fn() -> T>,
}

impl<T: Clone + 'static> ContextVar<T> {
    /// A variable without a value.
    pub const fn new(name: &'static str) -> ContextVar<T> {
        ContextVar { name, default: None, value: PhantomData }
    }

    /// A variable that has this value where none is set.
    pub const fn with_default(name: &'static str, default: fn() -> T) -> ContextVar<T> {
        ContextVar { name, default: Some(default), value: PhantomData }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    fn address(&'static self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Its value in the present context, else its default.
    pub fn get(&'static self) -> Option<T> {
        let set =
            crate::schedule::current().and_then(present).and_then(|context| self.get_in(&context));
        set.or_else(|| self.default.map(|default| default()))
    }

    /// Its value in `context`, if it is set there.
    pub fn get_in(&'static self, context: &Context) -> Option<T> {
        context.get(self.address())?.downcast_ref::<T>().cloned()
    }

    /// Sets it in the present context.
    ///
    /// # Errors
    ///
    /// [`NoContext`] in a callback and outside of a loop.
    pub fn set(&'static self, value: T) -> Result<Token<T>, NoContext> {
        let event_loop = crate::schedule::current().ok_or(NoContext)?;
        let context = match present(event_loop) {
            Some(context) => context,
            None => begin(event_loop)?,
        };
        let before = context.replace(self.address(), Some(Rc::new(value)));
        Ok(Token { variable: self, context, before })
    }
}

/// Gives the task that runs an empty context.
fn begin(event_loop: &EventLoop) -> Result<Context, NoContext> {
    let task = event_loop.running_task().ok_or(NoContext)?;
    let context = Context::new();
    // SAFETY: the task that runs is alive.
    give(unsafe { task.as_ref() }, context.clone());
    Ok(context)
}

/// Gives `task` a context, which the tasks that it creates get a copy of.
pub(super) fn give(task: &Header, context: Context) {
    task.joiner.extras_or_new().set_context(context);
    // SAFETY: a task that was started; Outlives Tasks (EventLoop).
    let event_loop = unsafe { task.owner() };
    event_loop.task_hooks().contexts.set(true);
    event_loop.note_how_tasks_are_created();
}

impl TaskRef {
    /// The context of the task, if anything was set in it; shared with the task.
    ///
    /// asyncio: `Task.get_context()`.
    pub fn context(&self) -> Option<Context> {
        self.header()?.joiner.extras()?.context()
    }

    /// Gives the task, which has not begun, a context to share.
    pub(crate) fn share_context(&self, context: Context) {
        if let Some(header) = self.header() {
            give(header, context);
        }
    }
}

impl<T> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContextVar").field(&self.name).finish()
    }
}

/// What a variable was before it was set.
///
/// asyncio: `contextvars.Token`.
#[must_use = "drop it if the variable is not to be set back"]
pub struct Token<T: 'static> {
    variable: &'static ContextVar<T>,
    context: Context,
    before: Option<Rc<dyn Any>>,
}

impl<T: Clone + 'static> Token<T> {
    /// Sets the variable back, in the context where it was set.
    ///
    /// asyncio: `ContextVar.reset(token)`.
    pub fn reset(self) {
        self.context.replace(self.variable.address(), self.before);
    }
}

impl<T> fmt::Debug for Token<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("variable", self.variable).finish_non_exhaustive()
    }
}

/// The code that runs has no context: it is a callback, or no loop runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoContext;

impl fmt::Display for NoContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "cannot set a context variable: neither a task nor Context::run is around this code",
        )
    }
}

impl core::error::Error for NoContext {}
