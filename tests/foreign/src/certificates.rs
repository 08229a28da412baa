//! Certificates for a test, made by openssl.

use crate::program;
use std::fs;
use std::path::{Path, PathBuf};

/// A root, and a server's certificate that it has issued.
pub struct Certificates {
    /// The root, which clients are told to trust.
    pub root: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Makes certificates in `folder`, for a server of these `names`, such as
/// `DNS:localhost,IP:127.0.0.1`. They are valid for two days.
///
/// # Panics
///
/// When there is no openssl, or it fails.
#[track_caller]
pub fn issue(folder: &Path, names: &str) -> Certificates {
    let path = |name: &str| folder.join(name);
    let openssl = |arguments: &str, files: &[(&str, &Path)]| {
        let mut command = program("openssl");
        command.args(arguments.split(' '));
        for (option, file) in files {
            command.arg(option).arg(file);
        }
        let done = command.output().unwrap_or_else(|error| panic!("openssl: {error}"));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "openssl {arguments}: {said}");
    };
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let (root, root_key) = (path("root.pem"), path("root.key"));
    openssl(
        &format!("req -x509 {new_key} -days 2 -subj /CN=root"),
        &[("-keyout", &root_key), ("-out", &root)],
    );
    let (request, key) = (path("server.csr"), path("server.key"));
    openssl(&format!("req {new_key} -subj /CN=server"), &[("-keyout", &key), ("-out", &request)]);
    let (extensions, certificate) = (path("extensions"), path("server.pem"));
    let written = fs::write(
        &extensions,
        format!("basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName={names}\n"),
    );
    written.unwrap_or_else(|error| panic!("{}: {error}", extensions.display()));
    openssl(
        "x509 -req -days 2 -CAcreateserial",
        &[
            ("-in", &request),
            ("-CA", &root),
            ("-CAkey", &root_key),
            ("-extfile", &extensions),
            ("-out", &certificate),
        ],
    );
    Certificates { root, certificate, key }
}
