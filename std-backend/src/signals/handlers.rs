//! A loop's callbacks for signals, and who waits for them.

use super::delivery::Listening;
use super::signal::Signal;
use super::signal_error::SignalRefused;
use super::system::Installed;
use super::wait::Waiter;
use crate::selector::WakeUp;
use core::cell::{Cell, RefCell};
use core::task::Waker;
use molen_core::schedule::{EventLoop, StandingCallback};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// What is called and woken for one signal: there is a callback, or a waiter.
struct SignalHandler {
    callback: Option<StandingCallback>,
    waiters: Vec<Rc<Waiter>>,
    // In this order: the system is told first, then nobody is woken any more.
    _installed: Installed,
    listening: Listening,
}

/// A selector's part: what is called for which signal.
pub(crate) struct SignalHandlers {
    by_signal: RefCell<BTreeMap<Signal, SignalHandler>>,
    /// There are none, which is all that most loops ever ask.
    none: Cell<bool>,
}

impl SignalHandlers {
    pub(crate) const fn new() -> SignalHandlers {
        SignalHandlers { by_signal: RefCell::new(BTreeMap::new()), none: Cell::new(true) }
    }

    /// Has `callback` called for `signal`, in place of the one before.
    pub(super) fn add(
        &self,
        signal: Signal,
        callback: StandingCallback,
        wake_up: Arc<WakeUp>,
    ) -> Result<(), SignalRefused> {
        let before = self.handle(signal, wake_up, |handler| handler.callback.replace(callback))?;
        // Outside of the borrow: what it captured may use the loop.
        drop(before);
        Ok(())
    }

    /// Has `waiter` woken for `signal`, beside whatever else is done for it.
    pub(super) fn add_waiter(
        &self,
        signal: Signal,
        waiter: &Rc<Waiter>,
        wake_up: Arc<WakeUp>,
    ) -> Result<(), SignalRefused> {
        self.handle(signal, wake_up, |handler| handler.waiters.push(waiter.clone()))
    }

    /// Changes the handler of `signal`, which there is from then on.
    fn handle<R>(
        &self,
        signal: Signal,
        wake_up: Arc<WakeUp>,
        change: impl FnOnce(&mut SignalHandler) -> R,
    ) -> Result<R, SignalRefused> {
        let mut by_signal = self.by_signal.borrow_mut();
        if let Some(handler) = by_signal.get_mut(&signal) {
            return Ok(change(handler));
        }
        // First it is known who is woken: the signal may come at once.
        let listening = Listening::begin(signal, wake_up).ok_or(SignalRefused::OfAnotherLoop)?;
        let installed = Installed::install(signal).map_err(SignalRefused::Os)?;
        let mut handler =
            SignalHandler { callback: None, waiters: Vec::new(), _installed: installed, listening };
        let changed = change(&mut handler);
        by_signal.insert(signal, handler);
        self.none.set(false);
        Ok(changed)
    }

    /// Takes the callback of `signal` away; whether there was one that would
    /// have been called.
    pub(super) fn remove(&self, signal: Signal) -> bool {
        let removed = self.unhandle(signal, |handler| handler.callback.take()).flatten();
        removed.is_some_and(|callback| !callback.cancelled())
    }

    /// Has `waiter` woken for `signal` no more.
    pub(super) fn remove_waiter(&self, signal: Signal, waiter: &Rc<Waiter>) {
        self.unhandle(signal, |handler| handler.waiters.retain(|other| !Rc::ptr_eq(other, waiter)));
    }

    /// Changes the handler of `signal`, if there is one, and takes it away if
    /// it has nothing left to do.
    fn unhandle<R>(
        &self,
        signal: Signal,
        change: impl FnOnce(&mut SignalHandler) -> R,
    ) -> Option<R> {
        let mut by_signal = self.by_signal.borrow_mut();
        let handler = by_signal.get_mut(&signal)?;
        let changed = change(handler);
        if handler.callback.is_none() && handler.waiters.is_empty() {
            by_signal.remove(&signal);
            self.none.set(by_signal.is_empty());
        }
        Some(changed)
    }

    /// The selector was woken, maybe by signals.
    pub(crate) fn look(&self, event_loop: &EventLoop) {
        if self.none.get() {
            return;
        }
        let (mut cancelled, mut woken) = (Vec::new(), Vec::new());
        for (signal, handler) in self.by_signal.borrow().iter() {
            if !handler.listening.take() {
                continue;
            }
            if let Some(callback) = &handler.callback {
                callback.make_ready(event_loop);
                if callback.cancelled() {
                    cancelled.push(*signal);
                }
            }
            woken.extend(handler.waiters.iter().filter_map(|waiter| waiter.came(*signal)));
        }
        // Outside of the borrow: a waker is somebody's code.
        woken.into_iter().for_each(Waker::wake);
        for signal in cancelled {
            self.remove(signal);
        }
    }

    /// The loop closes: signals do again what they did before.
    pub(crate) fn close(&self) {
        let by_signal = self.by_signal.take();
        self.none.set(true);
        drop(by_signal);
    }
}
