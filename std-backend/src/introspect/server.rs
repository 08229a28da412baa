//! The process that is asked.

use super::address::{name_of, prepare};
use super::{Question, ServeError, loops};
use interprocess::local_socket::traits::ListenerExt;
use interprocess::local_socket::{Listener, ListenerOptions, Stream};
use std::io::{BufRead, BufReader, Write};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Whether the thread is there.
static SERVING: Mutex<bool> = Mutex::new(false);

/// Lets `molen-ps` show the tasks of the loop that runs on this thread, until
/// that is closed. Another call, also on another thread, adds its loop.
///
/// The first call makes a thread, and a socket that only processes of the same
/// user can reach.
///
/// asyncio has no such call: there the other process's memory is read.
///
/// # Errors
///
/// [`ServeError`] when no loop runs here, or the operating system refuses.
pub fn serve() -> Result<(), ServeError> {
    loops::add_running()?;
    let mut serving = SERVING.lock().unwrap_or_else(PoisonError::into_inner);
    if *serving {
        return Ok(());
    }
    let process = std::process::id();
    prepare(process).map_err(ServeError::making("make a folder for the socket"))?;
    let listener = name_of(process)
        .and_then(|name| ListenerOptions::new().name(name).create_sync())
        .map_err(ServeError::making("make a socket"))?;
    thread::Builder::new()
        .name("molen-introspect".into())
        .spawn(move || listen(&listener))
        .map_err(ServeError::making("start a thread"))?;
    *serving = true;
    Ok(())
}

fn listen(listener: &Listener) {
    for stream in listener.incoming().flatten() {
        // A client that says nothing keeps nobody else waiting; without a
        // thread for it, it finds the connection closed.
        let _ = thread::Builder::new().name("molen-introspect".into()).spawn(move || {
            // A client that went away has no use for an answer.
            let _ = respond(stream);
        });
    }
}

fn respond(mut stream: Stream) -> std::io::Result<()> {
    let mut word = String::new();
    BufReader::new(&stream).read_line(&mut word)?;
    let question = Question::ALL.into_iter().find(|question| question.word() == word.trim_end());
    match question {
        Some(question) => stream.write_all(format!("ok\n{}", loops::answer(question)).as_bytes()),
        None => stream.write_all(b"unknown\n"),
    }
}
