//! Ctrl-C: how far it came, and nothing half-written.

use crate::running::{Server, command, text_of};
use molen_foreign::program;
use std::fs;
use std::time::{Duration, Instant};

#[test]
fn ctrl_c_says_how_far_it_came_and_leaves_nothing_half_written() {
    let server = Server::misbehaving();
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = command(&["--output", folder.path().to_str().expect("text")]);
    for path in ["/size/1", "/size/2", "/drip", "/stall"] {
        command.arg(server.url(path));
    }
    let mut child = command.spawn().expect("it starts");
    // Two files that are whole, two that have begun under other names.
    let until = Instant::now() + Duration::from_secs(20);
    while fs::read_dir(folder.path()).expect("a folder").count() < 4 {
        assert!(Instant::now() < until, "it does not begin to write");
        std::thread::sleep(Duration::from_millis(10));
    }
    // `timeout` hands the signal on.
    let pid = child.id().to_string();
    assert!(program("kill").args(["-INT", &pid]).status().expect("kill starts").success());
    let errors = text_of(child.stderr.take().expect("a pipe"));
    let out = text_of(child.stdout.take().expect("a pipe"));
    assert!(!child.wait().expect("its end").success());
    assert!(errors.contains("fetch: stopped after 2 of 4 URLs\n"), "{errors}");
    assert!(out.contains("2 of 4 URLs, 3 B"), "{out}");
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["1", "2"]);
}
