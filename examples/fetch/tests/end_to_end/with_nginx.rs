//! nginx answers.

use crate::running::fetch;
use molen_foreign::certificates::issue;
use molen_foreign::{free_port, nginx};
use std::fs;

#[test]
fn files_pages_in_chunks_and_redirects_come_in_plain_text_and_through_tls() {
    let (folder, www) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let certificates = issue(folder.path(), "DNS:localhost");
    let body: Vec<u8> = (0..5_000_000u32).map(|byte| (byte * 31 % 251) as u8).collect();
    fs::write(www.path().join("large.bin"), &body).expect("a file");
    fs::write(www.path().join("empty"), "").expect("a file");
    fs::create_dir(www.path().join("folder")).expect("a folder");
    let (plain, secured) = (free_port(), free_port());
    let root = www.path().display();
    let server = format!(
        "server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{secured} ssl;
           ssl_certificate {}; ssl_certificate_key {}; root {root}; autoindex on;
           location = /moved {{ return 307 /large.bin; }}
           location = /busy {{ return 503; }}
           location = /cut {{ return 444; }} }}",
        certificates.certificate.display(),
        certificates.key.display(),
    );
    let _nginx = nginx::start(folder.path(), secured, &server);
    for origin in [format!("http://localhost:{plain}"), format!("https://localhost:{secured}")] {
        let url = |path: &str| format!("{origin}{path}");
        let urls = ["/large.bin", "/empty", "/folder/", "/moved", "/busy", "/cut", "/missing"];
        let urls = urls.map(url);
        let saved = tempfile::tempdir().expect("a folder");
        let mut arguments = vec!["--cacert", certificates.root.to_str().expect("text")];
        arguments.extend(["--output", saved.path().to_str().expect("text")]);
        arguments.extend(urls.iter().map(|url| &**url));
        let said = fetch(&arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert_eq!(said.row(&urls[1])[..2], ["200", "0"], "{said:?}");
        let page = fs::read_to_string(saved.path().join("index.html")).expect("a page");
        assert!(page.contains("Index of /folder/") && page.ends_with("</html>\r\n"), "{page}");
        for name in ["large.bin", "moved"] {
            assert!(fs::read(saved.path().join(name)).expect("a file") == body, "{name}");
        }
        for (url, reason) in [
            (&urls[4], "the server answered 503"),
            (&urls[5], "the server closed the connection without an answer"),
            (&urls[6], "the server answered 404"),
        ] {
            // Through TLS it is closed without TLS's own end.
            let found = said.reason(url);
            assert!(found.contains(reason) || found.contains("close_notify"), "{said:?}");
        }
    }
}
