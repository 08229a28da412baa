//! Where bodies go.

use crate::running::{Server, body_of, command, fetch, text_of};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
}

#[test]
fn files_are_whole_or_not_there() {
    let server = Server::misbehaving();
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("new/pages");
    let urls = ["/size/5", "/size/2000000", "/chunked", "/size/5?again", "/short", "/stall", "/"]
        .map(|path| server.url(path));
    let mut arguments = vec!["--idle-timeout", "1.5", "--output", folder.to_str().expect("text")];
    arguments.extend(urls.iter().map(|url| &**url));
    let said = fetch(&arguments);
    assert_eq!(said.code, Some(1), "{said:?}");
    let expected = ["2000000", "5", "5.1", "chunked"].map(str::to_owned);
    assert_eq!(names(&folder), BTreeSet::from(expected));
    assert!(fs::read(folder.join("2000000")).expect("a file") == body_of(2_000_000));
    assert!(fs::read(folder.join("5.1")).expect("a file") == body_of(5));
    assert_eq!(fs::metadata(folder.join("chunked")).expect("a file").len(), 100_008);
}

#[test]
fn standard_output_has_the_bodies_in_the_order_of_their_urls() {
    let server = Server::misbehaving();
    let urls = ["/slowly/0.3", "/size/300000", "/status/404", "/size/3"].map(|p| server.url(p));
    let mut command = command(&["--stdout"]);
    let output = command.args(&urls).output().expect("it starts");
    let expected = [&b"at last"[..], &body_of(300_000), &body_of(3)].concat();
    assert!(output.stdout == expected, "{} bytes", output.stdout.len());
    let errors = String::from_utf8(output.stderr).expect("text");
    assert!(errors.contains("3 of 4 URLs"), "{errors}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn urls_come_from_files_and_standard_input() {
    let server = Server::misbehaving();
    let list = tempfile::NamedTempFile::new().expect("a file");
    let text = format!("# two\n{}\n\n  {}  \n", server.url("/size/1"), server.url("/size/2"));
    fs::write(list.path(), &text).expect("a file");
    let said = fetch(&["--from", list.path().to_str().expect("text"), &server.url("/size/3")]);
    assert!(said.code == Some(0) && said.out.contains("3 of 3 URLs, 6 B"), "{said:?}");
    let mut child = command(&["--from", "-"]).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let out = text_of(child.stdout.take().expect("a pipe"));
    assert!(child.wait().expect("its end").success());
    assert!(out.contains("2 of 2 URLs, 3 B"), "{out}");
}

#[test]
fn what_cannot_be_written_or_read_is_said() {
    let server = Server::misbehaving();
    let said = fetch(&["--output", "/proc/nowhere", &server.url("/size/1")]);
    assert!(said.errors.contains("cannot make the folder /proc/nowhere: "), "{said:?}");
    assert_eq!(said.code, Some(2));
    let said = fetch(&["--from", "/does/not/exist"]);
    assert!(said.errors.contains("cannot read the URLs in /does/not/exist: No such"), "{said:?}");
    assert_eq!(said.code, Some(2));
}
