//! Python's `http.server`.

use crate::running::{Server, fetch};
use std::fs;

#[test]
fn a_hundred_files_come_byte_for_byte() {
    let (served, saved) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let body = |number: usize| -> Vec<u8> {
        (0..number * 3_001).map(|byte| (byte * 31 % 251 + number) as u8).collect()
    };
    for number in 0..100 {
        fs::write(served.path().join(format!("{number} é.bin")), body(number)).expect("a file");
    }
    fs::create_dir(served.path().join("folder")).expect("a folder");
    let server = Server::http_server(served.path());
    let mut urls: Vec<String> =
        (0..100).map(|number| server.url(&format!("/{number} é.bin"))).collect();
    // It redirects to `/folder/`.
    urls.push(server.url("/folder"));
    let mut arguments = vec!["--output", saved.path().to_str().expect("text")];
    arguments.extend(urls.iter().map(|url| &**url));
    let said = fetch(&arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    for number in 0..100 {
        let found = fs::read(saved.path().join(format!("{number} é.bin"))).expect("a file");
        assert!(found == body(number), "{number}: {} bytes", found.len());
    }
    assert!(saved.path().join("folder").exists());
}
