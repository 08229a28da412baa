//! Who issues certificates for the cases.

use crate::case::Failure;
use crate::real::ok;
use core::net::SocketAddr;
use molen::tls::{ClientContext, ServerContext};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::string::{String, ToString};
use std::vec;

/// Any port of this machine.
pub(super) const ANY: SocketAddr =
    SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 0);

/// A certificate and its key, as text.
pub(super) struct Identity {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// Somebody whom some trust.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) root: String,
}

impl Authority {
    pub(super) fn new() -> Result<Authority, Failure> {
        let key = ok(KeyPair::generate())?;
        let mut params = ok(CertificateParams::new(vec![]))?;
        params.distinguished_name.push(DnType::CommonName, "Authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = ok(params.self_signed(&key))?.pem();
        Ok(Authority { issuer: Issuer::new(params, key), root })
    }

    fn issue(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Identity, Failure> {
        let key = ok(KeyPair::generate())?;
        let mut params = ok(CertificateParams::new(vec![name.to_string()]))?;
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        let certificate = ok(params.signed_by(&key, &self.issuer))?.pem();
        Ok(Identity { certificate, key: key.serialize_pem() })
    }

    /// A certificate for `name`.
    pub(super) fn identity(&self, name: &str) -> Result<Identity, Failure> {
        self.issue(name, |_params| {})
    }

    /// A certificate for `name` that has been good once.
    pub(super) fn expired(&self, name: &str) -> Result<Identity, Failure> {
        self.issue(name, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        })
    }

    /// A server named so.
    pub(super) fn server(&self, name: &str) -> Result<ServerContext, Failure> {
        self.identity(name)?.server()
    }

    /// A client that trusts it, and nobody else.
    pub(super) fn client(&self) -> Result<ClientContext, Failure> {
        ok(ClientContext::with_roots_pem(&self.root))
    }
}

impl Identity {
    pub(super) fn server(&self) -> Result<ServerContext, Failure> {
        ok(ServerContext::from_pem(&self.certificate, &self.key))
    }
}

/// A server named `localhost`, and a client that trusts it.
pub(super) fn both() -> Result<(ClientContext, ServerContext), Failure> {
    let authority = Authority::new()?;
    Ok((authority.client()?, authority.server("localhost")?))
}
