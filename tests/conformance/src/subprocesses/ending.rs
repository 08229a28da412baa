//! How a child ends, by itself or by a signal, and how that is told.

use crate::case::{Failure, Outcome};
use crate::fixture::event;
use crate::real::{ok, run};
use molen::{Duration, create_task, sleep, timeout, yield_now};
use molen::signals::Signal;
use molen::subprocess::{Process, ProcessError, SignalRefusal, StandardStream, create_subprocess_exec, subprocess_exec};
use super::child::program;
use super::fixture::{A_WHILE, Telling, all_of, start, until_reaped};

pub(super) fn after_the_end_signals_find_no_such_process() -> Outcome {
    run(async {
        let process = start(&["exit", "3"]).await?;
        check_eq!(ok(process.wait().await)?.code(), Some(3));
        check_eq!(process.returncode(), Some(3));
        check_matches!(process.terminate(), Err(ProcessError::NoSuchProcess { .. }));
        check_matches!(process.kill(), Err(ProcessError::NoSuchProcess { .. }));
        let sent = process.send_signal(Signal::INT);
        check_matches!(sent, Err(ProcessError::NoSuchProcess { .. }));
        // To a protocol the same.
        let telling = Telling::default();
        let transport =
            ok(subprocess_exec(&mut program(&["exit", "4"])?, telling.clone()).await)?;
        telling.0.until_over().await?;
        telling.0.check_order(&["made", "exited", "lost"])?;
        check_eq!(transport.get_returncode(), Some(4));
        for sent in
            [transport.kill(), transport.terminate(), transport.send_signal(Signal::INT)]
        {
            check_matches!(sent.map_err(|error| error.cause), Err(SignalRefusal::NoSuchProcess));
        }
        Ok(())
    })
}

pub(super) fn wait_returns_at_the_end_though_a_grandchild_holds_the_output() -> Outcome {
    run(async {
        // The grandchild reads what the child has inherited, until we close it.
        let mut process = start(&["orphan", "5"]).await?;
        check_eq!(ok(process.wait().await)?.code(), Some(5));
        event("ended");
        let output = process.stdout.take();
        let reading = create_task(async move {
            let output = all_of(output).await;
            event("pipe lost");
            output
        })?;
        sleep(A_WHILE).await;
        event("closing");
        drop(process.stdin.take());
        reading.await??;
        check_events!("ended", "closing", "pipe lost");
        Ok(())
    })
}

pub(super) fn a_grandchild_that_holds_the_output_delays_connection_lost_alone() -> Outcome {
    run(async {
        let telling = Telling::default();
        let transport =
            ok(subprocess_exec(program(&["orphan"])?.pipes(), telling.clone()).await)?;
        while transport.get_returncode().is_none() {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(A_WHILE).await;
        telling.0.position("exited")?;
        check!(!transport.is_lost(), "the grandchild's pipes are lost");
        let stdin = transport.get_pipe_transport(StandardStream::Stdin);
        let Some(stdin) = stdin else { return Err(Failure::said("it has no input")) };
        ok(stdin.write(b"to the grandchild"))?;
        stdin.close();
        telling.0.until_over().await?;
        telling.0.check_order(&["exited", "data of stdout", "lost stdout", "lost"])
    })
}

pub(super) fn closing_kills_a_running_child_and_no_finished_one() -> Outcome {
    run(async {
        let telling = Telling::default();
        let transport = ok(subprocess_exec(program(&["sleep"])?.pipes(), telling.clone()).await)?;
        transport.close();
        telling.0.until_over().await?;
        for call in ["exited", "lost stdin", "lost stdout", "lost stderr"] {
            telling.0.check_order(&[call, "lost"])?;
        }
        check_eq!(transport.get_returncode(), Some(if cfg!(windows) { 1 } else { -9 }));
        until_reaped(transport.get_pid()).await?;
        let telling = Telling::default();
        let transport = ok(subprocess_exec(&mut program(&["exit"])?, telling.clone()).await)?;
        telling.0.until_over().await?;
        transport.close();
        check_eq!(transport.get_returncode(), Some(0));
        Ok(())
    })
}

pub(super) fn after_a_cancelled_wait_another_works() -> Outcome {
    run(async {
        let mut process = start(&["wait", "4"]).await?;
        check!(timeout(A_WHILE, process.wait()).await.is_err(), "it has ended");
        drop(process.stdin.take());
        check_eq!(ok(process.wait().await)?.code(), Some(4));
        Ok(())
    })
}

/// What a child takes no notice of.
#[cfg(unix)]
fn bother(process: &Process) -> Result<(), ProcessError> {
    process.send_signal(Signal::CONT)
}

/// Nothing leaves a process of Windows as it was: this ends it.
#[cfg(windows)]
fn bother(process: &Process) -> Result<(), ProcessError> {
    process.terminate()
}

pub(super) fn a_signal_that_races_with_the_end_steals_no_status() -> Outcome {
    run(async {
        for _ in 0..if cfg!(windows) { 4 } else { 20 } {
            let process = start(&["exit"]).await?;
            while process.returncode().is_none() {
                match bother(&process) {
                    Ok(()) | Err(ProcessError::NoSuchProcess { .. }) => yield_now().await,
                    Err(other) => return Err(Failure::shown(&other)),
                }
            }
            check_matches!(process.returncode(), Some(0) | Some(1));
            check!(cfg!(windows) || process.returncode() == Some(0), "a status was stolen");
        }
        Ok(())
    })
}

pub(super) fn the_end_by_a_signal_is_its_number_below_zero() -> Outcome {
    #[cfg(windows)]
    return Err(Failure::Unsupported("Windows ends no process by a signal"));
    #[cfg(unix)]
    run(async {
        let process = ok(create_subprocess_exec(&mut program(&["sleep"])?).await)?;
        ok(process.terminate())?;
        ok(process.wait().await)?;
        check_eq!(process.returncode(), Some(-Signal::TERM.as_raw()));
        Ok(())
    })
}

pub(super) fn a_console_event_ends_a_child_in_its_own_group() -> Outcome {
    #[cfg(unix)]
    return Err(Failure::Unsupported("consoles and their events are Windows'"));
    #[cfg(windows)]
    run(async {
        let mut command = super::child::in_console(&["group"])?;
        let mut process = ok(create_subprocess_exec(command.pipes()).await)?;
        let output = ok(process.communicate(None).await)?;
        match output.status.code() {
            Some(0) => Ok(()),
            Some(77) => Err(Failure::Unsupported("this system's console sends no Ctrl-Break")),
            _ => Err(Failure::shown(&std::string::String::from_utf8_lossy(&output.stderr.unwrap_or_default()))),
        }
    })
}

/// In a process with a console of its own.
#[cfg(windows)]
pub(super) fn in_its_group() -> Outcome {
    run(async {
        let mut command = program(&["sleep"])?;
        let process = ok(create_subprocess_exec(command.process_group()).await)?;
        sleep(Duration::from_millis(300)).await;
        // Wine 8 knows Ctrl-C alone.
        if let Err(ProcessError::NotSent { .. }) = process.send_signal(Signal::BREAK) {
            ok(process.kill())?;
            ok(process.wait().await)?;
            return Err(Failure::Unsupported("it was refused"));
        }
        let ended = timeout(Duration::from_secs(10), process.wait()).await;
        // It may have ended just now.
        let _ = process.kill();
        check_eq!(ok(ok(ended)?)?.code(), Some(0xC000_013A_u32.cast_signed()));
        Ok(())
    })
}
