//! Whose certificates are accepted: those of the system's trust, those that a file vouches for, or any.
//!
//! Must not know: which of them a run asks for.

use crate::bench::error::BenchError;
use crate::bench::limits::CA_FILE_BYTES_MAX;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What the system trusts. One that cannot be read is passed over, as long as there are others.
pub(super) fn of_the_system() -> Result<RootCertStore, BenchError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(BenchError::NoSystemTrust { cause: found.errors.first().map(ToString::to_string) });
    }
    Ok(roots)
}

/// What a file of certificates in PEM vouches for.
pub(super) fn in_file(path: &Path) -> Result<RootCertStore, BenchError> {
    let failed = |cause| BenchError::ReadCa { path: path.to_owned(), cause };
    let mut text = Vec::new();
    // One byte past the limit shows that it was passed.
    let file = File::open(path).map_err(failed)?;
    file.take(CA_FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(failed)?;
    let wrong = |problem: String| BenchError::NotCertificates { path: path.to_owned(), problem };
    if text.len() as u64 > CA_FILE_BYTES_MAX {
        return Err(wrong(format!("has more than {CA_FILE_BYTES_MAX} bytes")));
    }
    roots(&text).map_err(wrong)
}

/// Gives what is wrong with it, to be read behind the name of the file.
fn roots(text: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(text).enumerate() {
        let which = || format!("has a certificate, number {}, that cannot be read", index + 1);
        let certificate = certificate.map_err(|error| format!("{}: {error}", which()))?;
        roots.add(certificate).map_err(|error| format!("{}: {error}", which()))?;
    }
    if roots.is_empty() {
        return Err("has no certificate in it, none that begins with -----BEGIN CERTIFICATE-----".to_owned());
    }
    Ok(roots)
}

/// Accepts any certificate, and what is signed with it.
#[derive(Debug)]
pub(super) struct Any {
    schemes: Vec<SignatureScheme>,
}

impl Any {
    pub(super) fn new(provider: &CryptoProvider) -> Self {
        Self { schemes: provider.signature_verification_algorithms.supported_schemes() }
    }
}

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    // A certificate that cannot be read has no key to check a signature with.
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
