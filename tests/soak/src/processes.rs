//! Other programs: told and heard, killed, and abandoned.

use crate::activities::{Done, Place, require, while_doing};
use crate::tcp::some_bytes;
use molen::subprocess::{Command, OnDrop, Redirect, create_subprocess_exec};
use molen::testing::Chance;
use molen::{create_task, sleep};
use std::rc::Rc;
use std::time::Duration;

/// `cat` says what it is told.
pub async fn communicate(_place: Place, chance: Rc<Chance>) -> Done {
    let mut command = Command::new("cat");
    command.stdin(Redirect::Pipe).stdout(Redirect::Pipe);
    let mut process =
        create_subprocess_exec(&mut command).await.map_err(while_doing("starting cat"))?;
    let told = some_bytes(&chance);
    let output = process.communicate(Some(&told)).await.map_err(while_doing("talking with cat"))?;
    require(output.status.success(), "cat failed")?;
    require(output.stdout.as_deref() == Some(&told[..]), "cat said something else")
}

/// Ends one that would go on, by a signal, by dropping it, or in the middle of starting it.
pub async fn kill(_place: Place, chance: Rc<Chance>) -> Done {
    let mut command = Command::new("sleep");
    command.arg("1000").on_drop(OnDrop::Kill).stdout(Redirect::Pipe);
    let starting = create_task(async move { create_subprocess_exec(&mut command).await })
        .map_err(while_doing("creating a task"))?;
    if chance.happens(64) {
        if chance.happens(128) {
            sleep(Duration::from_micros(chance.below(800) as u64)).await;
        }
        starting.cancel();
        // Started or not, it is ended: nobody has it.
        drop(starting.await);
        return Ok(());
    }
    let process = starting.await.map_err(while_doing("a task"))?;
    let process = process.map_err(while_doing("starting sleep"))?;
    match chance.below(3) {
        0 => process.kill().map_err(while_doing("killing"))?,
        1 => process.terminate().map_err(while_doing("terminating"))?,
        _ => {
            drop(process);
            return Ok(());
        }
    }
    let status = process.wait().await.map_err(while_doing("waiting for sleep"))?;
    require(!status.success(), "sleep slept a thousand seconds")
}
