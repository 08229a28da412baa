//! Programs told to a protocol: behaviours 337 and 338 as the core decides
//! them, for a child and pipes that the case scripts. Our own from 2010.

use crate::case::Case;

cases_on_the_heap! {
    "subprocess protocols need a heap",
    2010 of_each_pipe_its_data_comes_before_its_loss_and_connection_lost_is_last
    2011 what_came_before_connection_made_is_told_after_it
    2012 closing_kills_a_running_child_once_and_closes_its_pipes
    2013 closing_after_the_end_kills_nobody
    2014 a_failing_connection_made_closes
    2015 a_cancelled_connecting_closes
    2016 a_pipe_that_got_another_protocol_is_not_waited_for
    2017 a_full_input_pauses_the_protocol
    2018 a_failing_pipe_is_lost_with_its_error_and_the_child_goes_on
    2019 without_pipes_the_end_is_enough
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::fixture::event;
    use crate::wire::{Probe, batches, check_written, noting};
    use core::cell::Cell;
    use molen::EventLoop;
    use molen::create_task;
    use molen::io::source::SourceError;
    use molen::net::{
        Answer, Child, ChildPipes, ConnectionError, ExitWatcher, ProtocolError, SignalRefusal,
        StandardStream, SubprocessProtocol, SubprocessTransport, WriteBufferLimits,
        connect_subprocess,
    };
    use molen::testing::{Fault, FaultSource, FaultUser, Told, static_ref};
    use std::rc::Rc;

    /// A child that ends when the case says so, or when it is killed.
    #[derive(Clone, Default)]
    struct Scripted(Rc<State>);

    #[derive(Default)]
    struct State {
        watcher: Cell<Option<ExitWatcher>>,
        returncode: Cell<Option<i32>>,
    }

    impl Scripted {
        fn ends(&self, returncode: i32) {
            self.0.returncode.set(Some(returncode));
            if let Some(watcher) = self.0.watcher.take() {
                watcher.exited();
            }
        }
    }

    impl Child for Scripted {
        fn pid(&self) -> u32 {
            7
        }

        fn returncode(&self) -> Option<i32> {
            self.0.returncode.get()
        }

        fn watch_exit(&self, watcher: ExitWatcher) {
            match self.0.returncode.get() {
                Some(_) => watcher.exited(),
                None => self.0.watcher.set(Some(watcher)),
            }
        }

        fn send_signal(&self, signal: i32) -> Result<(), SignalRefusal> {
            match (self.returncode(), signal) {
                (Some(_), _) => Err(SignalRefusal::NoSuchProcess),
                (None, 1..) => Ok(()),
                (None, _) => Err(SignalRefusal::InvalidSignal),
            }
        }

        fn terminate(&self) -> Result<(), SignalRefusal> {
            self.send_signal(15)
        }

        fn kill(&self) -> Result<(), SignalRefusal> {
            self.send_signal(9)?;
            event("killed");
            self.ends(-9);
            Ok(())
        }
    }

    /// Notes what it is told, and answers `made` to connection_made.
    struct Noting {
        made: Answer,
    }

    impl SubprocessProtocol for Noting {
        fn connection_made(&mut self, transport: &SubprocessTransport) -> Answer {
            event(match transport.get_pipe_transport(StandardStream::Stdin) {
                Some(_) => "made with an input",
                None => "made",
            });
            self.made.clone()
        }

        fn pipe_data_received(
            &mut self,
            _transport: &SubprocessTransport,
            fd: StandardStream,
            data: &[u8],
        ) -> Answer {
            event(match (fd, data) {
                (StandardStream::Stdout, b"a") => "out: a",
                (StandardStream::Stdout, b"b") => "out: b",
                (StandardStream::Stderr, b"a") => "err: a",
                _ => "other data",
            });
            Ok(())
        }

        fn pipe_connection_lost(
            &mut self,
            _transport: &SubprocessTransport,
            fd: StandardStream,
            error: Option<&ConnectionError>,
        ) -> Answer {
            event(match (fd, error) {
                (StandardStream::Stdin, None) => "in: lost",
                (StandardStream::Stdout, None) => "out: lost",
                (StandardStream::Stderr, None) => "err: lost",
                (_, Some(_)) => "lost by an error",
            });
            Ok(())
        }

        fn pause_writing(&mut self, _transport: &SubprocessTransport) -> Answer {
            event("pause");
            Ok(())
        }

        fn resume_writing(&mut self, _transport: &SubprocessTransport) -> Answer {
            event("resume");
            Ok(())
        }

        fn process_exited(&mut self, transport: &SubprocessTransport) -> Answer {
            event(match transport.get_returncode() {
                Some(_) => "exited",
                None => "exited, but it runs",
            });
            Ok(())
        }

        fn connection_lost(
            &mut self,
            transport: &SubprocessTransport,
            error: Option<&ConnectionError>,
        ) -> Answer {
            event(if error.is_none() && transport.is_lost() { "lost" } else { "lost, but how" });
            Ok(())
        }
    }

    const NOTING: Noting = Noting { made: Ok(()) };

    /// A source for each standard stream, as new.
    fn sources() -> [&'static FaultSource; 3] {
        let sources = [
            static_ref!(FaultSource = FaultSource::new()),
            static_ref!(FaultSource = FaultSource::new()),
            static_ref!(FaultSource = FaultSource::new()),
        ];
        for source in sources {
            source.reset(&[], &[]);
        }
        sources
    }

    fn pipes(sources: [&'static FaultSource; 3]) -> ChildPipes<FaultUser, FaultUser> {
        let [stdin, stdout, stderr] = sources.map(|source| Some(source.user(Told::ByEvents)));
        ChildPipes { stdin, stdout, stderr }
    }

    const NO_PIPES: ChildPipes<FaultUser, FaultUser> =
        ChildPipes { stdin: None, stdout: None, stderr: None };

    fn only_output(stdout: &'static FaultSource) -> ChildPipes<FaultUser, FaultUser> {
        ChildPipes { stdout: Some(stdout.user(Told::ByEvents)), ..NO_PIPES }
    }

    /// After these events, the child was killed and everything told in order.
    macro_rules! check_killed {
        ($($before:literal),*) => {
            check_events!(
                $($before,)*
                "killed",
                "in: lost",
                "out: lost",
                "err: lost",
                "exited",
                "lost"
            )
        };
    }

    fn connect(
        event_loop: &EventLoop,
        child: &Scripted,
        pipes: ChildPipes<FaultUser, FaultUser>,
    ) -> Result<SubprocessTransport, Failure> {
        Ok(SubprocessTransport::new(event_loop, child.clone(), pipes, NOTING)?)
    }

    pub(super) fn of_each_pipe_its_data_comes_before_its_loss_and_connection_lost_is_last()
    -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let (child, sources) = (Scripted::default(), sources());
            let transport = connect(&event_loop, &child, pipes(sources))?;
            check_events!();
            batches(3).await;
            check_events!("made with an input");
            sources[1].script(&[Fault::Data(b"a"), Fault::Data(b"b"), Fault::End], &[]);
            batches(6).await;
            check_events!("made with an input", "out: a", "out: b", "out: lost");
            check!(
                transport.get_pipe_transport(StandardStream::Stdout).is_none(),
                "a lost pipe has a transport"
            );
            child.ends(0);
            check_events!("made with an input", "out: a", "out: b", "out: lost");
            batches(2).await;
            sources[0].script(&[Fault::End], &[]);
            sources[2].script(&[Fault::Data(b"a"), Fault::End], &[]);
            batches(6).await;
            check_eq!(transport.get_returncode(), Some(0));
            check!(transport.kill().is_err(), "it was killed after its end");
            Outcome::Ok(())
        })??;
        check_events!(
            "made with an input",
            "out: a",
            "out: b",
            "out: lost",
            "exited",
            "err: a",
            "in: lost",
            "err: lost",
            "lost"
        );
        Ok(())
    }

    pub(super) fn what_came_before_connection_made_is_told_after_it() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let (child, sources) = (Scripted::default(), sources());
            sources[0].script(&[Fault::End], &[]);
            sources[1].script(&[Fault::Data(b"a"), Fault::End], &[]);
            sources[2].script(&[Fault::Data(b"a"), Fault::End], &[]);
            child.ends(3);
            connect(&event_loop, &child, pipes(sources))?;
            batches(8).await;
            Outcome::Ok(())
        })??;
        check_events!(
            "made with an input",
            "exited",
            "out: a",
            "err: a",
            "in: lost",
            "out: lost",
            "err: lost",
            "lost"
        );
        Ok(())
    }

    pub(super) fn closing_kills_a_running_child_once_and_closes_its_pipes() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let (child, sources) = (Scripted::default(), sources());
            let transport = connect(&event_loop, &child, pipes(sources))?;
            batches(2).await;
            check!(!transport.is_closing(), "it is closing");
            transport.close();
            transport.close();
            check!(transport.is_closing(), "it is not closing");
            check_events!("made with an input", "killed");
            batches(4).await;
            transport.close();
            check_eq!(sources.map(FaultSource::closed), [1, 1, 1]);
            Outcome::Ok(())
        })??;
        check_killed!("made with an input");
        Ok(())
    }

    pub(super) fn closing_after_the_end_kills_nobody() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let (child, [_, stdout, _]) = (Scripted::default(), sources());
            let transport = connect(&event_loop, &child, only_output(stdout))?;
            child.ends(1);
            batches(3).await;
            transport.close();
            batches(4).await;
            Outcome::Ok(())
        })??;
        check_events!("made", "exited", "out: lost", "lost");
        Ok(())
    }

    pub(super) fn a_failing_connection_made_closes() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_exception_handler(Some(molen::testing::handler(&|_loop, context| {
            event(match context.message {
                "a subprocess protocol's connection_made failed" => "reported",
                _ => "reported something else",
            });
            Ok(())
        })));
        event_loop.run_until_complete(async {
            let protocol = Noting { made: Err(ProtocolError::new("half made")) };
            let pipes = pipes(sources());
            SubprocessTransport::new(&event_loop, Scripted::default(), pipes, protocol)?;
            batches(6).await;
            Outcome::Ok(())
        })??;
        check_killed!("made with an input", "reported");
        Ok(())
    }

    pub(super) fn a_cancelled_connecting_closes() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let pipes = pipes(sources());
            let connecting = async move {
                let connected = connect_subprocess(Scripted::default(), pipes, NOTING).await;
                event("connected");
                connected.is_ok()
            };
            let task = create_task(connecting)?;
            batches(1).await;
            task.cancel();
            check!(task.await.is_err(), "it was not cancelled");
            batches(4).await;
            Outcome::Ok(())
        })??;
        check_killed!("made with an input");
        Ok(())
    }

    pub(super) fn a_pipe_that_got_another_protocol_is_not_waited_for() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let (child, [_, stdout, _]) = (Scripted::default(), sources());
            let transport = connect(&event_loop, &child, only_output(stdout))?;
            batches(2).await;
            let pipe = transport.get_pipe_transport(StandardStream::Stdout);
            let Some(pipe) = pipe else { return Err(Failure::said("there is no pipe")) };
            pipe.set_protocol(Probe(noting));
            child.ends(0);
            batches(3).await;
            check_events!("made", "exited", "lost");
            stdout.script(&[Fault::Data(b"a"), Fault::End], &[]);
            batches(5).await;
            Ok(())
        })??;
        check_events!("made", "exited", "lost", "a", "eof", "lost");
        Ok(())
    }

    pub(super) fn a_full_input_pauses_the_protocol() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let (child, sources) = (Scripted::default(), sources());
            let pipes = ChildPipes { stdin: pipes(sources).stdin, ..NO_PIPES };
            let transport = connect(&event_loop, &child, pipes)?;
            batches(2).await;
            let stdin = transport.get_pipe_transport(StandardStream::Stdin);
            let Some(stdin) = stdin else { return Err(Failure::said("there is no pipe")) };
            stdin.set_write_buffer_limits(WriteBufferLimits::new(2, 4)?);
            sources[0].script(&[], &[Fault::Takes(1)]);
            stdin.write(b"sixsix")?;
            batches(2).await;
            check_events!("made with an input", "pause");
            sources[0].set_ready(molen::io::Ready::BOTH);
            batches(3).await;
            check_written(sources[0], b"sixsix")?;
            check_events!("made with an input", "pause", "resume");
            stdin.write_eof()?;
            batches(3).await;
            check_eq!(sources[0].shutdowns(), 1);
            // Its reader goes.
            sources[0].script(&[Fault::End], &[]);
            batches(3).await;
            Ok(())
        })??;
        check_events!("made with an input", "pause", "resume", "in: lost");
        Ok(())
    }

    pub(super) fn a_failing_pipe_is_lost_with_its_error_and_the_child_goes_on() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let (child, [_, stdout, _]) = (Scripted::default(), sources());
            stdout.script(&[Fault::Fails(SourceError::Os(5))], &[]);
            let transport = connect(&event_loop, &child, only_output(stdout))?;
            batches(4).await;
            check_events!("made", "lost by an error");
            check_eq!(transport.get_returncode(), None);
            check_eq!(transport.send_signal(1), Ok(()));
            check_matches!(
                transport.send_signal(0).map_err(|error| error.cause),
                Err(SignalRefusal::InvalidSignal)
            );
            child.ends(0);
            batches(3).await;
            Outcome::Ok(())
        })??;
        check_events!("made", "lost by an error", "exited", "lost");
        Ok(())
    }

    pub(super) fn without_pipes_the_end_is_enough() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let child = Scripted::default();
            let transport = connect(&event_loop, &child, NO_PIPES)?;
            batches(2).await;
            child.ends(-15);
            batches(3).await;
            check_eq!(transport.get_returncode(), Some(-15));
            check_eq!(transport.get_pid(), 7);
            Outcome::Ok(())
        })??;
        check_events!("made", "exited", "lost");
        Ok(())
    }
}
