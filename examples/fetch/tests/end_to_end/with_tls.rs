//! HTTPS: Python's `ssl` and OpenSSL's `s_server` answer.

use crate::running::{Server, fetch};
use molen_foreign::certificates::{Certificates, issue};
use molen_foreign::{Running, free_port, program};
use std::fs;

struct Issued {
    certificates: Certificates,
    folder: tempfile::TempDir,
}

impl Issued {
    fn to(names: &str) -> Issued {
        let folder = tempfile::tempdir().expect("a folder");
        Issued { certificates: issue(folder.path(), names), folder }
    }

    fn root(&self) -> &str {
        self.certificates.root.to_str().expect("text")
    }
}

#[test]
fn bodies_come_whichever_way_they_end() {
    let issued = Issued::to("DNS:localhost,IP:127.0.0.1");
    let server = Server::secured(&issued.certificates);
    for (host, path, length) in [
        ("localhost", "/size/3000000", "3000000"),
        ("127.0.0.1", "/size/5", "5"),
        ("localhost", "/chunked", "100008"),
        ("localhost", "/until-end", "70000"),
        ("localhost", "/redirects/3", "7"),
    ] {
        let url = format!("https://{host}:{}{path}", server.port);
        let said = fetch(&["--cacert", issued.root(), &url]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(said.row(&url)[1], length, "{said:?}");
    }
    // From plain text to TLS.
    let plain = Server::misbehaving();
    let url = plain.url(&format!("/to/https:!!localhost:{}!size!9", server.port));
    let said = fetch(&["--cacert", issued.root(), &url]);
    assert_eq!((said.code, said.row(&url)[1]), (Some(0), "9"), "{said:?}");
}

#[test]
fn servers_that_are_not_who_they_should_be_are_refused() {
    let issued = Issued::to("DNS:elsewhere.example");
    let server = Server::secured(&issued.certificates);
    let url = format!("https://localhost:{}/size/5", server.port);
    // Time-outs and lost connections would be tried again, this not.
    let began = std::time::Instant::now();
    for (arguments, reason) in [
        (&["--retries", "9"][..], "the certificate of localhost is not accepted"),
        (&["--retries", "9", "--cacert", issued.root()], "not valid for name"),
    ] {
        let said = fetch(&[arguments, &[&*url]].concat());
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.reason(&url).contains(reason), "{said:?}");
    }
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    let plain = Server::misbehaving();
    let url = format!("https://localhost:{}/size/5", plain.port);
    let said = fetch(&["--cacert", issued.root(), "--connect-timeout", "2", &url]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let said = fetch(&["--cacert", "/does/not/exist", &url]);
    assert!(said.errors.contains("cannot read the certificates in /does/not/exist"), "{said:?}");
    let said = fetch(&["--cacert", issued.certificates.key.to_str().expect("text"), &url]);
    // Before anything is fetched.
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.errors.contains("cannot trust the certificates in "), "{said:?}");
}

#[test]
fn a_body_that_was_cut_off_is_no_body() {
    let issued = Issued::to("DNS:localhost");
    let server = Server::secured(&issued.certificates);
    let url = format!("https://localhost:{}/cut-off", server.port);
    let said = fetch(&["--cacert", issued.root(), &url]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.reason(&url).contains("close_notify"), "{said:?}");
}

#[test]
fn openssl_s_server_is_fetched_from() {
    let issued = Issued::to("DNS:localhost");
    let body: Vec<u8> = (0..2_000_000u32).map(|byte| (byte * 31 % 251) as u8).collect();
    fs::write(issued.folder.path().join("page.bin"), &body).expect("a file");
    let port = free_port();
    let mut command = program("openssl");
    command.args(["s_server", "-WWW", "-accept", &format!("127.0.0.1:{port}")]);
    command.arg("-cert").arg(&issued.certificates.certificate);
    command.arg("-key").arg(&issued.certificates.key);
    command.current_dir(issued.folder.path());
    let mut server = Running::start(command);
    server.hear("ACCEPT");
    let saved = tempfile::tempdir().expect("a folder");
    let url = format!("https://localhost:{port}/page.bin");
    let saved_in = saved.path().to_str().expect("text");
    let said = fetch(&["--cacert", issued.root(), "--output", saved_in, &url]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(fs::read(saved.path().join("page.bin")).expect("a file") == body);
}
