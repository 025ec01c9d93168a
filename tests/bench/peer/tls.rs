//! A connection under TLS, by the library that the program under test uses as well, the other side of it. Knows no
//! WebSocket. `bench_peers.rs` tries the program with libraries that share nothing.

use crate::certificates::Identity;
use mio::net::TcpStream;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

/// What a server shows and speaks.
#[track_caller]
pub(crate) fn config(
    identity: Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from(identity.certificate);
    let key = PrivatePkcs8KeyDer::from(identity.key);
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(versions).expect("they are spoken");
    let config = builder.with_no_client_auth().with_single_cert(vec![certificate], key.into());
    let mut config = config.expect("the key is the certificate's");
    // Without http/1.1 among its offers a client is refused.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

pub(super) struct TlsStream {
    socket: TcpStream,
    connection: ServerConnection,
    /// Whether it ends with a word.
    is_polite: bool,
}

impl TlsStream {
    pub(super) fn new(socket: TcpStream, config: Arc<ServerConfig>) -> Self {
        let connection = ServerConnection::new(config).expect("the configuration is right");
        Self { socket, connection, is_polite: true }
    }

    /// To be registered, or made to linger not; then nothing is said in the end.
    pub(super) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    pub(super) fn end_without_a_word(&mut self) {
        self.is_polite = false;
    }
}

impl Read for TlsStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
            if self.connection.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            let processed = self.connection.process_new_packets();
            // An alert as well, if it was not right.
            self.flush()?;
            processed.map_err(io::Error::other)?;
        }
    }
}

impl Write for TlsStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        if self.connection.wants_write() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let taken = self.connection.writer().write(bytes)?;
        self.flush()?;
        Ok(taken)
    }

    /// What the socket does not take waits for the next time.
    fn flush(&mut self) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut self.socket) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                outcome => outcome?,
            };
        }
        Ok(())
    }
}

impl Drop for TlsStream {
    fn drop(&mut self) {
        if self.is_polite {
            self.connection.send_close_notify();
            // Who is gone does not hear it.
            let _ = self.flush();
        }
    }
}
