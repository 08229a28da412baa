//! What is said when TLS fails for a reason that a new user meets on the first day.
#![cfg(all(feature = "tls-ring", any(target_os = "linux", windows)))]

use molen_core::Duration;
use molen_core::net::tls::{CertificateProblem, TlsError};
use molen_core::net::{HostError, HostFailure, StreamReader, StreamWriter};
use molen_std::net::{open_connection, start_server};
use molen_std::tls::{ClientContext, ServerContext};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use std::error::Error;

async fn greet(_reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
    writer.write(b"220 good morning\r\n")?;
    writer.drain().await?;
    Ok(())
}

/// Why there is no connection with TLS to `port`, whose certificate may be `pem`.
async fn refused(port: u16, pem: &str) -> Result<HostError, Box<dyn Error>> {
    let context = ClientContext::with_roots_pem(pem)?;
    let connecting = open_connection(("127.0.0.1", port)).tls(&context);
    let connecting = connecting.server_hostname("localhost").timeout(Duration::from_secs(60));
    Ok(connecting.await.err().ok_or("it was accepted")?)
}

/// As `openssl req -x509` makes them.
fn authority() -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["localhost".to_owned()])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
}

#[test]
fn an_authority_cannot_be_the_server_itself() -> Result<(), Box<dyn Error>> {
    let (pem, key) = authority()?;
    molen_std::new_event_loop()?.run_until_complete(async {
        let context = ServerContext::from_pem(&pem, &key)?;
        let server = start_server(("127.0.0.1", 0), greet).tls(&context).await?;
        let port = server.addresses()[0].port();
        let refused = refused(port, &pem).await?;
        assert_eq!(
            refused.to_string(),
            format!(
                "cannot connect to 127.0.0.1:{port}: the certificate of localhost is not accepted: \
                 it is that of an authority (CA:TRUE), which must not be a server's own"
            )
        );
        let problem = match refused.cause {
            HostFailure::Tls(TlsError::Certificate { problem, .. }) => Some(problem),
            _ => None,
        };
        assert_eq!(problem, Some(CertificateProblem::WrongPurpose));
        Ok(())
    })?
}

#[test]
fn a_server_without_tls_is_called_that() -> Result<(), Box<dyn Error>> {
    let (pem, _key) = authority()?;
    molen_std::new_event_loop()?.run_until_complete(async {
        let server = start_server(("127.0.0.1", 0), greet).await?;
        let port = server.addresses()[0].port();
        assert_eq!(
            refused(port, &pem).await?.to_string(),
            format!(
                "cannot connect to 127.0.0.1:{port}: the other side's TLS is wrong: \
                 what it sends is not TLS"
            )
        );
        Ok(())
    })?
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let of = |chain, key| ServerContext::from_pem_files(chain, key).map(drop).unwrap_err();
    assert_eq!(
        of(here, here).to_string(),
        format!("cannot read certificates for TLS: {here}: the text has none")
    );
    let nowhere = concat!(env!("CARGO_MANIFEST_DIR"), "/no-such-file.pem");
    let missing = of(here, nowhere).to_string();
    assert!(missing.starts_with("cannot read a file of a private key for TLS: "), "{missing}");
    assert!(missing.contains(nowhere), "{missing}");
}
