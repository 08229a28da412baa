//! The program beside `sha256sum`, on files of many sizes.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};

fn checksum(arguments: &[&str], files: &[PathBuf]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_checksum"));
    command.args(arguments).args(files).output().expect("the program starts")
}

/// Files of sizes around those of blocks and buffers.
fn files(directory: &tempfile::TempDir) -> Vec<PathBuf> {
    let sizes = [0, 1, 55, 56, 63, 64, 65, 65_535, 65_536, 65_537, 1_000_000];
    let write = |(number, size): (usize, &usize)| {
        let path = directory.path().join(format!("file {number}"));
        let bytes: Vec<u8> = (0..*size).map(|byte| (byte * 31 % 251) as u8).collect();
        fs::write(&path, bytes).expect("a file can be written");
        path
    };
    sizes.iter().enumerate().map(write).collect()
}

#[test]
fn prints_what_sha256sum_prints_whatever_the_concurrency() {
    let directory = tempfile::tempdir().expect("a directory");
    let files = files(&directory);
    let expected = Command::new("sha256sum").args(&files).output().expect("sha256sum starts");
    for jobs in ["1", "3", "64"] {
        let found = checksum(&["--jobs", jobs], &files);
        assert!(found.status.success(), "{found:?}");
        assert_eq!(
            String::from_utf8_lossy(&found.stdout),
            String::from_utf8_lossy(&expected.stdout)
        );
    }
}

#[test]
fn a_missing_file_is_named_and_the_others_are_printed() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut files = files(&directory);
    files.insert(1, directory.path().join("missing"));
    let found = checksum(&[], &files);
    assert_eq!(found.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&found.stdout).lines().count(), files.len() - 1);
    let errors = String::from_utf8_lossy(&found.stderr);
    assert!(errors.contains("missing: No such file"), "{errors}");
}

/// The program on `files`, one of which may be a FIFO that nobody writes to.
struct Running {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(arguments: &[&str], files: &[PathBuf]) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_checksum"))
            .args(arguments)
            .args(files)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let errors = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        Running { child, out, errors }
    }

    /// The next line of errors.
    fn error(&mut self) -> String {
        self.errors.next().expect("a line of errors").expect("text")
    }

    /// Ends what a thread of it reads, and waits for its end.
    fn end(mut self, fifo: &Path) -> (ExitStatus, usize) {
        drop(fs::OpenOptions::new().write(true).open(fifo).expect("the FIFO has a reader"));
        (self.child.wait().expect("it can be waited for"), self.out.count())
    }
}

fn fifo(directory: &tempfile::TempDir) -> PathBuf {
    let fifo = directory.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo starts").success());
    fifo
}

#[test]
fn a_file_that_blocks_is_given_up_and_the_others_are_printed() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut files, fifo) = (files(&directory), fifo(&directory));
    files.insert(0, fifo.clone());
    let mut running = Running::start(&["--timeout", "1", "--jobs", "2"], &files);
    let error = running.error();
    assert!(error.contains("fifo: gave up after 1 s"), "{error}");
    // It waits for the thread that it gave up.
    let (status, printed) = running.end(&fifo);
    assert_eq!((status.code(), printed), (Some(1), files.len() - 1));
}

#[test]
fn ctrl_c_says_how_far_it_came() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut files, fifo) = (files(&directory), fifo(&directory));
    files.push(fifo.clone());
    let mut running = Running::start(&[], &files);
    for _ in 1..files.len() {
        running.out.next().expect("a line").expect("text");
    }
    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill starts").success());
    assert_eq!(running.error(), "checksum: stopped after 11 of 12 files");
    let (status, _) = running.end(&fifo);
    assert!(!status.success(), "{status}");
}
