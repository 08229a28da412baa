//! A program that was just started, given to a protocol.

use crate::case::Outcome;
use crate::dropping_all::drops;
use crate::wire::{batches, source};
use core::cell::{Cell, RefCell};
use molen::net::{
    Answer, Child, ChildPipes, ConnectionError, ExitWatcher, SignalRefusal, SubprocessProtocol,
    SubprocessTransport, connect_subprocess,
};
use molen::testing::{FaultUser, Told};
use std::rc::Rc;

/// What became of the program and of who was told of it.
#[derive(Default)]
struct State {
    killed: Cell<u32>,
    watcher: RefCell<Option<ExitWatcher>>,
    made: Cell<u32>,
    lost: Cell<u32>,
}

struct Program(Rc<State>);

impl Child for Program {
    fn pid(&self) -> u32 {
        7
    }

    fn returncode(&self) -> Option<i32> {
        (self.0.killed.get() > 0).then_some(-9)
    }

    fn watch_exit(&self, watcher: ExitWatcher) {
        self.0.watcher.replace(Some(watcher));
    }

    fn send_signal(&self, _signal: i32) -> Result<(), SignalRefusal> {
        Err(SignalRefusal::NoSuchProcess)
    }

    fn terminate(&self) -> Result<(), SignalRefusal> {
        self.kill()
    }

    fn kill(&self) -> Result<(), SignalRefusal> {
        self.0.killed.set(self.0.killed.get() + 1);
        if let Some(watcher) = self.0.watcher.take() {
            watcher.exited();
        }
        Ok(())
    }
}

struct Informed(Rc<State>);

impl SubprocessProtocol for Informed {
    fn connection_made(&mut self, _transport: &SubprocessTransport) -> Answer {
        self.0.made.set(self.0.made.get() + 1);
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &SubprocessTransport,
        _error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.lost.set(self.0.lost.get() + 1);
        Ok(())
    }
}

pub(super) fn connecting_a_program_leaves_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let source = source(&[], &[]);
        let state: RefCell<Rc<State>> = RefCell::default();
        let begun = Cell::new(false);
        let make = || {
            state.replace(Rc::default());
            source.reset(&[], &[]);
            begun.set(false);
            let (program, protocol) =
                (Program(state.borrow().clone()), Informed(state.borrow().clone()));
            // Given to the future even if it never runs.
            let stdout: Option<FaultUser> = Some(source.user(Told::ByEvents));
            async {
                begun.set(true);
                let pipes = ChildPipes { stdin: None::<FaultUser>, stdout, stderr: None };
                let transport = connect_subprocess(program, pipes, protocol).await.ok()?;
                transport.close();
                batches(1).await;
                Some(())
            }
        };
        let over = || {
            let state = state.borrow();
            let told = (state.killed.get(), state.made.get(), state.lost.get());
            // Who was never asked for has no protocol that could be told.
            let expected = if begun.get() { (1, 1, 1) } else { (0, 0, 0) };
            told == expected && source.closed() == 1 && Rc::strong_count(&state) == 1
        };
        drops(3, make, over).await
    })?
}
