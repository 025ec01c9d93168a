//! TLS 1.2 and 1.3 as a client, by rustls: what all connections of a run have in common, and how one begins.
//!
//! `trust` decides whose certificates are accepted, `session` is one connection, `fault` names what went wrong.
//!
//! Must not know: WebSockets, the poll.
//!
//! Invariant: every connection makes a full handshake, as a client does that comes for the first time; nothing is
//! installed for the whole process.

mod fault;
mod session;
mod trust;

pub(crate) use session::Session;
#[cfg(test)]
pub(crate) use session::tests;

use super::error::BenchError;
use super::plan::Trust;
use super::sockets::Socket;
use super::target::{Address, Target};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use std::io;
use std::sync::Arc;

/// What is spoken above (RFC 7301); a server that has no say in it is as well.
const PROTOCOL: &[u8] = b"http/1.1";

/// What all connections of a run share.
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    /// Whom the certificate must be for. A name is sent in the handshake as well (RFC 6066 §3), an address is not.
    server: ServerName<'static>,
}

impl Tls {
    /// Reads the certificates that are to be trusted.
    ///
    /// # Errors
    /// When there are none, or the server's name is none that a certificate can have.
    pub(crate) fn new(target: &Target, trust: &Trust) -> Result<Self, BenchError> {
        let host = match &target.address {
            Address::Tcp { host, .. } => host.clone(),
            // The URL has no such form.
            Address::Unix(_) => "localhost".to_owned(),
        };
        let server =
            ServerName::try_from(host.clone()).map_err(|_| BenchError::NameWithTls { host })?.to_owned();
        let provider = Arc::new(ring::default_provider());
        let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| BenchError::System { what: "speak TLS", cause: io::Error::other(error) })?;
        let mut config = match trust {
            Trust::System => versions.with_root_certificates(trust::of_the_system()?),
            Trust::File(path) => versions.with_root_certificates(trust::in_file(path)?),
            Trust::Any => {
                versions.dangerous().with_custom_certificate_verifier(Arc::new(trust::Any::new(&provider)))
            }
        }
        .with_no_client_auth();
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), server })
    }

    /// Begins a connection; its first bytes go out with the first write.
    ///
    /// # Errors
    /// When there is no randomness.
    pub(crate) fn begin(&self, socket: Socket) -> io::Result<Session> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.server.clone());
        connection.map(|connection| Session::new(socket, connection)).map_err(io::Error::other)
    }
}
