//! The tasks of a child process, seen from outside: by its socket and by a signal.

use molen_core::{create_task, sleep};
use molen_std::introspect::{self, Question};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const CHILD: &str = "MOLEN_INTROSPECT_TEST";

async fn fetch() {
    sleep(Duration::from_secs(60)).await;
}

async fn fetch_both() {
    let children = ["fetch a", "fetch b"].map(|name| {
        let task = create_task(fetch()).expect("the loop is open");
        task.set_name(name).expect("names are on the heap");
        task
    });
    for child in children {
        child.await.expect("nobody cancels it");
    }
}

/// What the child process does: it never ends.
fn be_the_child(behaviour: &str) {
    let event_loop = molen_std::new_event_loop().expect("a loop");
    let _ = event_loop.run_until_complete(async {
        introspect::serve().expect("it can be served");
        introspect::serve().expect("again");
        #[cfg(unix)]
        introspect::dump_on_quit().expect("signals can be handled");
        let both = create_task(fetch_both()).expect("the loop is open");
        both.set_name("fetch both").expect("names are on the heap");
        sleep(Duration::from_millis(10)).await;
        eprintln!("ready");
        if behaviour == "stuck" {
            std::thread::sleep(Duration::from_secs(60));
        }
        both.await.expect("nobody cancels it");
    });
}

/// A child that is ended with the test.
struct Running {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(behaviour: &str, runtime_folder: &std::path::Path) -> Running {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "the_child", "--nocapture", "--ignored"])
            .env(CHILD, behaviour)
            .env("XDG_RUNTIME_DIR", runtime_folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a child");
        let errors = BufReader::new(child.stderr.take().expect("its errors"));
        let mut running = Running { child, errors };
        while running.line() != "ready" {}
        running
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.errors.read_line(&mut line).expect("it writes text");
        assert!(read > 0, "the child has ended");
        line.trim_end().to_owned()
    }
}

/// Runs `molen-ps`; its output, and whether it succeeded.
fn molen_ps(arguments: &[&str], runtime_folder: &std::path::Path) -> (String, bool) {
    let output = Command::new(env!("CARGO_BIN_EXE_molen-ps"))
        .args(arguments)
        .env("XDG_RUNTIME_DIR", runtime_folder)
        .output()
        .expect("molen-ps runs");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).expect("text"), output.status.success())
}

/// A folder of this user alone.
fn runtime_folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("molen-test-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
#[ignore = "it is what the other tests start"]
fn the_child() {
    if let Ok(behaviour) = std::env::var(CHILD) {
        be_the_child(&behaviour);
    }
}

#[test]
fn the_tasks_of_a_living_process_are_shown_as_table_and_tree() {
    let folder = runtime_folder("shown");
    let child = Running::start("idle", &folder);
    let id = child.child.id().to_string();

    let (tree, ok) = molen_ps(&["--tree", &id], &folder);
    assert!(ok, "{tree}");
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[0].ends_with(": 4 tasks"), "{tree}");
    assert!(lines[1].starts_with("└── (T) "), "{tree}");
    assert_eq!(
        lines[2..],
        [
            "    └── (T) fetch both: introspect::fetch_both",
            "        └── (T) fetch a: introspect::fetch",
            "└── (T) fetch b: introspect::fetch",
        ],
        "{tree}"
    );

    let (table, ok) = molen_ps(&[&id], &folder);
    assert!(ok, "{table}");
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert_eq!(rows.len(), 4, "{table}");
    let row = rows.iter().find(|row| row.contains("fetch a")).expect("a row");
    assert!(row.contains("introspect::fetch ") && row.contains("fetch both"), "{row}");
    drop(child);
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn a_loop_in_a_long_step_is_said_not_to_answer() {
    let folder = runtime_folder("stuck");
    let child = Running::start("stuck", &folder);
    let (text, ok) = molen_ps(&[&child.child.id().to_string()], &folder);
    assert!(ok && text.contains("no answer within 2s"), "{text}");
    drop(child);
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn a_process_that_serves_nothing_is_an_error_that_says_what_to_do() {
    let folder = runtime_folder("nothing");
    let (text, ok) = molen_ps(&[&std::process::id().to_string()], &folder);
    assert!(!ok, "{text}");
    assert!(text.contains("molen::introspect::serve()"), "{text}");
    let (help, ok) = molen_ps(&["--help"], &folder);
    assert!(ok && help.contains("--tree"), "{help}");
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn only_a_running_loop_is_served() {
    assert!(introspect::serve().is_err());
    assert!(introspect::ask(0, Question::Tree).is_err());
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = runtime_folder("open");
    let inner = folder.join("molen");
    std::fs::create_dir_all(&inner).expect("a folder");
    std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o777)).expect("ours");
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "the_child", "--nocapture", "--ignored"])
        .env(CHILD, "idle")
        .env("XDG_RUNTIME_DIR", &folder)
        .output()
        .expect("a child");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("not a folder of this user alone"), "{text}");
    let _ = std::fs::remove_dir_all(folder);
}

#[cfg(unix)]
#[test]
fn a_quit_signal_writes_the_trees_and_the_process_goes_on() {
    let folder = runtime_folder("quit");
    let mut child = Running::start("idle", &folder);
    for _ in 0..2 {
        // SAFETY: the child lives, and no other process has its number meanwhile.
        unsafe { libc::kill(child.child.id().cast_signed(), libc::SIGQUIT) };
        assert!(child.line().ends_with(": 4 tasks"));
        assert!(child.line().starts_with("└── (T) "));
        assert_eq!(child.line(), "    └── (T) fetch both: introspect::fetch_both");
        assert_eq!(child.line(), "        └── (T) fetch a: introspect::fetch");
        assert_eq!(child.line(), "└── (T) fetch b: introspect::fetch");
    }
    drop(child);
    let _ = std::fs::remove_dir_all(folder);
}
