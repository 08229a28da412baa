//! Ctrl-C: child processes that get a real SIGINT.
//!
//! This program is its own child: `interrupt child NAME` runs one program to
//! be interrupted, on the main thread, where libtest would not. Without, it
//! runs them all and compares what they say and how they end.
#![cfg_attr(not(unix), allow(dead_code))]

#[cfg(not(unix))]
fn main() {
    println!("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["child", name] => programs::run(name),
        filters => parent::run_all(filters),
    }
}

/// What is interrupted. Each says `ready` when the signal may come.
#[cfg(unix)]
mod programs {
    use molen::{
        Duration, RunError, Runner, catch_cancel, create_task, current_task, sleep, yield_now,
    };
    use std::process::ExitCode;

    pub(super) const LONG: Duration = Duration::from_secs(3600);

    pub(super) fn say(text: &str) {
        println!("{text}");
    }

    /// Sends this very thread the signal.
    fn interrupt_self() {
        // SAFETY: it has no pointers.
        unsafe { libc::raise(libc::SIGINT) };
    }

    fn disposition() -> libc::sighandler_t {
        // SAFETY: all zero is a `sigaction`, which is only written to.
        unsafe {
            let mut now: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGINT, std::ptr::null(), &mut now);
            now.sa_sigaction
        }
    }

    fn show<T: std::fmt::Debug>(result: Result<T, molen::Error>) {
        match result {
            Ok(value) => println!("value {value:?}"),
            Err(error) => println!("error {error}"),
        }
        println!("{}", if disposition() == libc::SIG_DFL { "default" } else { "not default" });
    }

    async fn long_sleep() {
        say("ready");
        sleep(LONG).await;
    }

    pub(super) fn run(name: &str) -> ExitCode {
        match name {
            "sleeping" => show(molen::run(async {
                struct Dropped;
                impl Drop for Dropped {
                    fn drop(&mut self) {
                        let runs = molen::get_running_loop().is_ok();
                        say(if runs { "dropped while the loop runs" } else { "dropped late" });
                    }
                }
                let _dropped = Dropped;
                long_sleep().await;
            })),
            "leaving_a_task" => show(molen::run(async {
                let task = async {
                    if let Err(cancelled) = catch_cancel(sleep(LONG)).await {
                        yield_now().await;
                        say("cleaned up");
                        cancelled.propagate().await;
                    }
                };
                create_task(task)?.detach();
                yield_now().await;
                long_sleep().await;
                Ok::<_, Box<dyn std::error::Error>>(())
            })),
            "busy" => show(molen::run(async {
                say("ready");
                loop {
                    yield_now().await;
                }
                #[allow(unreachable_code, reason = "its type")]
                ()
            })),
            "catching" => show(molen::run(async {
                match catch_cancel(long_sleep()).await {
                    Ok(()) => "slept",
                    Err(cancelled) => {
                        drop(cancelled);
                        sleep(Duration::from_millis(1)).await;
                        "refused"
                    }
                }
            })),
            "handing_on" => show(molen::run(async {
                if let Err(cancelled) = catch_cancel(long_sleep()).await {
                    sleep(Duration::from_millis(1)).await;
                    say("cleaned up");
                    cancelled.propagate().await;
                }
            })),
            "awaiting_a_task" => show(molen::run(async {
                let task = create_task(long_sleep()).expect("an open loop");
                task.await.is_ok()
            })),
            "cancelled_by_another" => show(molen::run(async {
                let main = current_task().expect("a task");
                let task = async move {
                    yield_now().await;
                    main.cancel();
                    interrupt_self();
                };
                create_task(task).expect("an open loop").detach();
                sleep(LONG).await;
            })),
            "in_its_last_step" => show(molen::run(async {
                interrupt_self();
                7
            })),
            "twice_in_a_computation" => show(molen::run(async {
                interrupt_self();
                say("asked");
                interrupt_self();
                say("never");
            })),
            "twice_while_refusing" => show(molen::run(async {
                let refused = catch_cancel(long_sleep()).await.is_err();
                say(if refused { "ready" } else { "slept" });
                sleep(LONG).await;
            })),
            "after_the_run" => {
                show(molen::run(async {}));
                interrupt_self();
                say("never");
            }
            "in_the_next_run" => {
                let mut runner = Runner::new().expect("a loop");
                let first = runner.run(async {
                    interrupt_self();
                    sleep(LONG).await;
                });
                println!("{first:?}");
                println!("{:?}", runner.run(long_sleep()));
                println!("{:?}", runner.run(async { 3 }));
                println!("{:?}", runner.close());
            }
            "while_clearing_up" => show(molen::run(async {
                let task = async {
                    while catch_cancel(sleep(LONG)).await.is_err() {
                        say("ready");
                    }
                };
                create_task(task).expect("an open loop").detach();
                yield_now().await;
            })),
            "ignoring" => {
                // SAFETY: no handler is installed.
                unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
                let result = molen::run(async {
                    interrupt_self();
                    yield_now().await;
                    1
                });
                println!("{result:?}, ignored still: {}", disposition() == libc::SIG_IGN);
            }
            "with_a_handler" => {
                extern "C" fn on_signal(_: libc::c_int) {}
                let handler = on_signal as *const () as libc::sighandler_t;
                // SAFETY: the handler does nothing.
                unsafe { libc::signal(libc::SIGINT, handler) };
                let result = molen::run(async {
                    interrupt_self();
                    yield_now().await;
                    1
                });
                println!("{result:?}, there still: {}", disposition() == handler);
            }
            "with_a_handler_of_mains" => {
                extern "C" fn on_signal(_: libc::c_int) {}
                let handler = on_signal as *const () as libc::sighandler_t;
                let result = molen::run(async move {
                    // SAFETY: the handler does nothing.
                    unsafe { libc::signal(libc::SIGINT, handler) };
                    interrupt_self();
                    yield_now().await;
                    1
                });
                println!("{result:?}, there still: {}", disposition() == handler);
            }
            "on_another_thread" => {
                let thread = std::thread::spawn(|| molen::run(long_sleep()).is_ok());
                println!("{:?}", thread.join());
            }
            "with_a_panic" => {
                std::panic::set_hook(Box::new(|_| ()));
                let result = std::panic::catch_unwind(|| molen::run(async { panic!("no") }));
                println!("panicked: {}", result.is_err());
                show(molen::run(async {
                    interrupt_self();
                    sleep(LONG).await;
                }));
            }
            "with_another_backend" => {
                let backend: &'static _ = Box::leak(Box::new(molen::testing::TestBackend::new()));
                let mut runner = Runner::with_loop(molen::LoopRef::new(std::rc::Rc::new(backend)));
                let result = runner.run(async { disposition() == libc::SIG_DFL });
                println!("left alone: {result:?}");
            }
            "often_from_another_thread" => {
                let (ask, asked) = std::sync::mpsc::channel::<()>();
                let thread =
                    std::thread::spawn(move || asked.iter().for_each(|()| interrupt_self()));
                let interrupted = (0..2000).all(|round: u32| {
                    let ask = ask.clone();
                    let result = molen::run(async move {
                        let _ = ask.send(());
                        while round.is_multiple_of(2) {
                            yield_now().await;
                        }
                        sleep(LONG).await;
                    });
                    result.is_err_and(|error| error.is_interrupted())
                });
                drop(ask);
                println!("each time: {interrupted}, {:?}", thread.join());
            }
            "main_macro" => return main_macro(),
            "main_macro_of_another_error" => return main_macro_of_another_error(),
            _ => return ExitCode::from(99),
        }
        ExitCode::SUCCESS
    }

    #[molen::main]
    async fn main_macro() {
        print!("no newline yet");
        interrupt_self();
        sleep(LONG).await;
    }

    #[molen::main]
    async fn main_macro_of_another_error() -> Result<(), RunError> {
        Err(RunError::Select(5))
    }
}

#[cfg(unix)]
mod parent {
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, ExitCode, ExitStatus, Stdio};
    use std::time::{Duration, Instant};

    /// How a child ends.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum End {
        Exit(i32),
        Interrupted,
    }
    use End::{Exit, Interrupted};

    impl End {
        fn of(status: ExitStatus) -> Option<End> {
            match (status.code(), status.signal()) {
                (Some(code), _) => Some(Exit(code)),
                (_, Some(libc::SIGINT)) => Some(Interrupted),
                _ => None,
            }
        }
    }

    /// A name, what it writes after each `ready`, at which it gets a SIGINT,
    /// and how it ends.
    const CHILDREN: &[(&str, &[&str], End)] = &[
        (
            "sleeping",
            &["ready", "dropped while the loop runs", "error interrupted by the user", "default"],
            Exit(0),
        ),
        (
            "leaving_a_task",
            &["ready", "cleaned up", "error interrupted by the user", "default"],
            Exit(0),
        ),
        ("busy", &["ready", "error interrupted by the user", "default"], Exit(0)),
        ("catching", &["ready", "value \"refused\"", "default"], Exit(0)),
        (
            "handing_on",
            &["ready", "cleaned up", "error interrupted by the user", "default"],
            Exit(0),
        ),
        ("awaiting_a_task", &["ready", "error interrupted by the user", "default"], Exit(0)),
        ("cancelled_by_another", &["error the main task was cancelled", "default"], Exit(0)),
        ("in_its_last_step", &["error interrupted by the user", "default"], Exit(0)),
        ("twice_in_a_computation", &["asked"], Interrupted),
        ("twice_while_refusing", &["ready", "ready"], Interrupted),
        ("after_the_run", &["value ()", "default"], Interrupted),
        (
            "in_the_next_run",
            &["Err(Interrupted)", "ready", "Err(Interrupted)", "Ok(3)", "Ok(())"],
            Exit(0),
        ),
        ("while_clearing_up", &["ready"], Interrupted),
        ("ignoring", &["Ok(1), ignored still: true"], Exit(0)),
        ("with_a_handler", &["Ok(1), there still: true"], Exit(0)),
        ("with_a_handler_of_mains", &["Ok(1), there still: true"], Exit(0)),
        ("on_another_thread", &["ready"], Interrupted),
        ("with_a_panic", &["panicked: true", "error interrupted by the user", "default"], Exit(0)),
        ("with_another_backend", &["left alone: Ok(true)"], Exit(0)),
        ("often_from_another_thread", &["each time: true, Ok(())"], Exit(0)),
        ("main_macro", &["no newline yet"], Interrupted),
        ("main_macro_of_another_error", &[], Exit(1)),
    ];

    /// No child needs more; a hanging one is ended.
    const LIMIT: Duration = Duration::from_secs(20);

    fn run(name: &str, lines: &[&str], end: End) -> Result<(), String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args(["child", name])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the child: {error}"))?;
        let id = libc::pid_t::try_from(child.id()).map_err(|error| error.to_string())?;
        let out = child.stdout.take().ok_or("it has no output")?;
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            let each = lines.inspect(|line| {
                if line == "ready" {
                    // It goes on to wait, or is busy with getting there: either is right.
                    std::thread::sleep(Duration::from_millis(5));
                    // SAFETY: it has no pointers; the child is not waited for yet.
                    unsafe { libc::kill(id, libc::SIGINT) };
                }
            });
            each.collect::<Vec<String>>()
        });
        let start = Instant::now();
        let status = loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None if start.elapsed() > LIMIT => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err("it did not end".into());
                }
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let said = reader.join().map_err(|_| "reading failed")?;
        let mut errors = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.read_to_string(&mut errors);
        }
        if said != lines || End::of(status) != Some(end) {
            return Err(format!(
                "it said {said:?} and ended with {status}; expected {lines:?} and {end:?}; its \
                 errors: {errors}"
            ));
        }
        Ok(())
    }

    /// In the form of libtest, which `cargo xtask test` reads.
    pub(super) fn run_all(filters: &[&str]) -> ExitCode {
        let filters: Vec<&&str> = filters.iter().filter(|it| !it.starts_with('-')).collect();
        let chosen =
            |name: &str| filters.is_empty() || filters.iter().any(|it| name.contains(**it));
        let (mut passed, mut failed) = (0, 0);
        for (name, lines, end) in CHILDREN.iter().filter(|(name, ..)| chosen(name)) {
            match run(name, lines, *end) {
                Ok(()) => {
                    println!("test {name} ... ok");
                    passed += 1;
                }
                Err(why) => {
                    println!("test {name} ... FAILED");
                    eprintln!("{name}: {why}");
                    failed += 1;
                }
            }
        }
        let word = if failed == 0 { "ok" } else { "FAILED" };
        let out = CHILDREN.len() - passed - failed;
        println!(
            "\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; \
             {out} filtered out"
        );
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
