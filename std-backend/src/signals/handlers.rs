//! A loop's callbacks for signals.

use super::delivery::Listening;
use super::signal::Signal;
use super::signal_error::SignalRefused;
use super::system::Installed;
use crate::selector::WakeUp;
use core::cell::{Cell, RefCell};
use molen_core::schedule::{EventLoop, StandingCallback};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is called for one signal.
struct SignalHandler {
    callback: StandingCallback,
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
        let mut by_signal = self.by_signal.borrow_mut();
        if let Some(handler) = by_signal.get_mut(&signal) {
            let before = core::mem::replace(&mut handler.callback, callback);
            drop(by_signal);
            // Outside of the borrow: what it captured may use the loop.
            drop(before);
            return Ok(());
        }
        // First it is known who is woken: the signal may come at once.
        let listening = Listening::begin(signal, wake_up).ok_or(SignalRefused::OfAnotherLoop)?;
        let installed = Installed::install(signal).map_err(SignalRefused::Os)?;
        let handler = SignalHandler { callback, _installed: installed, listening };
        by_signal.insert(signal, handler);
        self.none.set(false);
        Ok(())
    }

    /// Takes the handler of `signal` away; whether there was one that would
    /// have been called.
    pub(super) fn remove(&self, signal: Signal) -> bool {
        let mut by_signal = self.by_signal.borrow_mut();
        let removed = by_signal.remove(&signal);
        self.none.set(by_signal.is_empty());
        drop(by_signal);
        removed.is_some_and(|handler| !handler.callback.cancelled())
    }

    /// The selector was woken, maybe by signals.
    pub(crate) fn look(&self, event_loop: &EventLoop) {
        if self.none.get() {
            return;
        }
        let mut cancelled = Vec::new();
        for (signal, handler) in self.by_signal.borrow().iter() {
            if !handler.listening.take() {
                continue;
            }
            handler.callback.make_ready(event_loop);
            if handler.callback.cancelled() {
                cancelled.push(*signal);
            }
        }
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
