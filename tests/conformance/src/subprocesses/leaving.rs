//! What becomes of a child when nobody waits for it any more.

use crate::case::Outcome;
use crate::fixture::event;
use crate::real::{ok, run};
use molen::{Duration, create_task, sleep, yield_now};
use molen::pipe::ReadPipe;
use molen::subprocess::{OnDrop, Process, ProcessError, Redirect, create_subprocess_exec, subprocess_exec};
use std::rc::Rc;
use super::child::{open_files, program};
use super::fixture::{Lifeline, Telling, until_reaped};

pub(super) fn a_dropped_child_is_killed_or_left() -> Outcome {
    run(async {
        let mut command = program(&["sleep"])?;
        let lifeline = Lifeline::of(&mut command)?;
        let running = ok(create_subprocess_exec(command.on_drop(OnDrop::Kill)).await)?;
        drop(command);
        lifeline.holds().await?;
        let pid = running.pid();
        drop(running);
        lifeline.is_cut().await?;
        until_reaped(pid).await?;
        // One that has ended has its own code, not the killer's.
        let finished =
            ok(create_subprocess_exec(program(&["exit"])?.on_drop(OnDrop::Kill)).await)?;
        check_eq!(ok(finished.wait().await)?.code(), Some(0));
        drop(finished);
        // And without being asked to, it kills none.
        let mut command = program(&["wait"])?;
        command.stdin(Redirect::Pipe);
        let lifeline = Lifeline::of(&mut command)?;
        let mut left = ok(create_subprocess_exec(&mut command).await)?;
        drop(command);
        let (pid, stdin) = (left.pid(), left.stdin.take());
        drop(left);
        lifeline.holds().await?;
        drop(stdin);
        lifeline.is_cut().await?;
        until_reaped(pid).await
    })
}

pub(super) fn a_cancelled_creation_leaves_no_child() -> Outcome {
    run(async {
        // Before its first step nothing is started.
        let early = async { ok(create_subprocess_exec(&mut program(&["sleep"])?).await) };
        let early = create_task(early)?;
        early.cancel();
        check!(early.await.is_err(), "it was not cancelled");
        // While the protocol waits to be told, the child is killed and reaped.
        let mut command = program(&["sleep"])?;
        let lifeline = Lifeline::of(&mut command)?;
        let telling = Telling::default();
        let its = telling.clone();
        let late = create_task(async move {
            let transport = subprocess_exec(&mut command, its).await;
            event("created");
            transport.map(|transport| transport.get_pid())
        })?;
        yield_now().await;
        late.cancel();
        check!(late.await.is_err(), "it was not cancelled");
        check_events!();
        lifeline.is_cut().await?;
        telling.0.until_over().await?;
        telling.0.check_order(&["made", "exited", "lost"])?;
        // A task that has the child kills and reaps it, if it is to.
        let pid = Rc::new(core::cell::Cell::new(0));
        let its = pid.clone();
        let mut command = program(&["sleep"])?;
        let lifeline = Lifeline::of(&mut command)?;
        command.on_drop(OnDrop::Kill);
        let having = create_task(async move {
            let process = create_subprocess_exec(&mut command).await;
            drop(command);
            its.set(process.as_ref().map_or(0, Process::pid));
            sleep(Duration::from_secs(60)).await;
        })?;
        while pid.get() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        having.cancel();
        check!(having.await.is_err(), "it was not cancelled");
        lifeline.is_cut().await?;
        until_reaped(pid.get()).await
    })
}

pub(super) fn closing_the_loop_ends_waiting() -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    let mut command = program(&["sleep"])?;
    command.on_drop(OnDrop::Kill);
    let process = ok(event_loop.run_until_complete(create_subprocess_exec(&mut command))?)?;
    event_loop.close()?;
    run(async move {
        check_matches!(process.wait().await, Err(ProcessError::LoopClosed { .. }));
        let pid = process.pid();
        drop(process);
        // Whoever starts another child reaps it.
        until_reaped(pid).await
    })
}

pub(super) fn closing_the_loop_kills_a_protocols_child_if_so_wished() -> Outcome {
    let before = open_files();
    let event_loop = ok(molen::new_event_loop())?;
    let mut command = program(&["sleep"])?;
    let (reader, writer) = ok(std::io::pipe())?;
    command.pipes().stdout(Redirect::Descriptor(writer.into())).on_drop(OnDrop::Kill);
    let telling = Telling::default();
    let starting = subprocess_exec(&mut command, telling.clone());
    let transport = ok(event_loop.run_until_complete(starting)?)?;
    let pid = transport.get_pid();
    drop((transport, command));
    event_loop.close()?;
    drop(event_loop);
    check_eq!(telling.0.calls.borrow().as_slice(), ["made"]);
    run(async move {
        Lifeline(ok(ReadPipe::new(reader))?).is_cut().await?;
        until_reaped(pid).await
    })?;
    check_eq!(open_files(), before);
    Ok(())
}
