//! A TLS client: rustls with settings of its own, over a socket on which nothing waits for ever.

use crate::support::{Server, connect};
use crate::trusting;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use tungstenite::WebSocket;

/// Both versions that are spoken.
pub(super) const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// A connection by TLS.
pub(super) type Secure = StreamOwned<ClientConnection, TcpStream>;

/// What a client is set to.
pub(super) fn settings(version: &'static SupportedProtocolVersion) -> ClientConfig {
    let mut settings = trusting::settings(version);
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    settings
}

/// One that trusts this certificate alone.
pub(super) fn settings_that_trust(certificate: &CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("it can be trusted");
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_protocol_versions(&VERSIONS).expect("they are known");
    builder.with_root_certificates(roots).with_no_client_auth()
}

/// A session that has said and heard nothing yet.
pub(super) fn session(settings: ClientConfig) -> ClientConnection {
    let name = ServerName::try_from("localhost").expect("it is a name");
    ClientConnection::new(Arc::new(settings), name).expect("it can begin")
}

/// A connection to an address; the handshake comes with the first bytes.
pub(super) fn secure(address: SocketAddr, settings: ClientConfig) -> Secure {
    StreamOwned::new(session(settings), connect(address))
}

/// The same to a server's own port, by TLS 1.3.
pub(super) fn secure_to(server: &Server) -> Secure {
    secure(server.address(), settings(&TLS13))
}

/// A WebSocket on a connection.
#[track_caller]
pub(super) fn websocket<S: Read + Write>(stream: S, path: &str) -> WebSocket<S> {
    match tungstenite::client(format!("wss://localhost{path}"), stream) {
        Ok((client, _)) => client,
        Err(error) => panic!("the handshake fails: {error}"),
    }
}

/// Asks for a page and reads until the server has said that this was all.
#[track_caller]
pub(super) fn page(stream: &mut (impl Read + Write), path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut response = Vec::new();
    // rustls makes an error of an end that was not announced.
    stream.read_to_end(&mut response).expect("a page, and the end of the stream");
    String::from_utf8_lossy(&response).into_owned()
}
