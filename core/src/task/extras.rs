//! What few tasks have: a name, done callbacks, a cancel message, a context,
//! being hidden.
//!
//! A box that a task gets when it first needs one of them; the others pay
//! nothing (see [`joiner`](super::joiner)).

use super::cancel::CancelMessage;
use super::context::Context;
use crate::schedule::EventLoop;
use crate::schedule::node::Chain;
use alloc::rc::Rc;
use core::cell::Cell;

pub(crate) struct Extras {
    /// The word whose place this box has taken.
    pub(super) joiner: Cell<*mut ()>,
    pub(super) message: Cell<Option<CancelMessage>>,
    name: Cell<Option<Rc<str>>>,
    callbacks: Cell<Chain>,
    context: Cell<Option<Context>>,
    hidden: Cell<bool>,
}

impl Extras {
    pub(super) fn new(joiner: *mut ()) -> Extras {
        Extras {
            joiner: Cell::new(joiner),
            message: Cell::new(None),
            name: Cell::new(None),
            callbacks: Cell::new(Chain::EMPTY),
            context: Cell::new(None),
            hidden: Cell::new(false),
        }
    }

    pub(super) fn name(&self) -> Option<Rc<str>> {
        let name = self.name.take();
        self.name.set(name.clone());
        name
    }

    pub(super) fn set_name(&self, name: Rc<str>) {
        self.name.set(Some(name));
    }

    pub(super) fn context(&self) -> Option<Context> {
        let context = self.context.take();
        self.context.set(context.clone());
        context
    }

    pub(super) fn set_context(&self, context: Context) {
        self.context.set(Some(context));
    }

    /// Whether it is not a program's task, but one that a server or a
    /// connection has: nobody sees it, and no clear-up cancels it.
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden.get()
    }

    pub(super) fn hide(&self) {
        self.hidden.set(true);
    }

    /// The done callbacks, to be added to.
    pub(super) fn callbacks(&self) -> &Cell<Chain> {
        &self.callbacks
    }

    /// Makes the done callbacks ready, once.
    pub(super) fn run_done_callbacks(&self, event_loop: &EventLoop) {
        event_loop.run_done_callbacks(self.callbacks.replace(Chain::EMPTY));
    }
}
