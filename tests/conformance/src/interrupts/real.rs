//! Starting what is interrupted, and what it says.

use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use crate::subprocesses::in_console;
use molen::subprocess::create_subprocess_exec;
use std::format;
use std::string::String;
use std::vec::Vec;

/// How a process ends that Ctrl-C ends: by SIGINT, or by that code.
const BY_CTRL_C: i32 = if cfg!(windows) { 0xC000_013A_u32.cast_signed() } else { -2 };

/// How the system's own handler does: Wine 8's has no code of its own.
const BY_THE_SYSTEM: &[i32] = if cfg!(windows) { &[BY_CTRL_C, 0] } else { &[BY_CTRL_C] };

/// Runs the program `name`, which says `lines` and ends with one of these codes.
fn check(name: &str, lines: &[&str], codes: &[i32]) -> Outcome {
    run(async {
        let mut command = in_console(&[name])?;
        let mut process = ok(create_subprocess_exec(command.pipes()).await)?;
        let output = ok(process.communicate(None).await)?;
        let said = String::from_utf8_lossy(&output.stdout.unwrap_or_default()).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr.unwrap_or_default()).into_owned();
        let ended = process.returncode();
        if said.lines().collect::<Vec<_>>() == lines
            && ended.is_some_and(|code| codes.contains(&code))
        {
            return Ok(());
        }
        Err(Failure::shown(&format!("it said {said:?} {errors:?} and ended with {ended:?}")))
    })
}

pub(super) fn ctrl_c_cancels_the_main_future_which_cleans_up() -> Outcome {
    check("interrupted", &["cleaned up", "interrupted"], &[0])
}

pub(super) fn a_main_future_that_refuses_returns_its_value() -> Outcome {
    check("refusing", &["value true"], &[0])
}

pub(super) fn the_second_ctrl_c_ends_the_process() -> Outcome {
    check("twice", &["refused"], BY_THE_SYSTEM)
}

pub(super) fn after_the_run_ctrl_c_ends_the_process() -> Outcome {
    check("after_the_run", &["value ()"], BY_THE_SYSTEM)
}

pub(super) fn a_handler_of_the_loop_has_ctrl_c_instead() -> Outcome {
    check("handled", &["handled", "value Ok(())"], &[0])
}

pub(super) fn a_program_ends_as_ctrl_c_ends_one() -> Outcome {
    check("ending", &["ending"], &[BY_CTRL_C])
}
