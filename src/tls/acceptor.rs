//! What rustls is set to, and the connections it makes.

use super::{files, self_signed};
use crate::budget::Budget;
use crate::config::{Certificate, Config};
use crate::error::Error;
use crate::transport::Transport;
use crate::transport::tls::{Scratch, Tls};
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, UnbufferedServerConnection};
use rustls::version::{TLS12, TLS13};
use rustls::{InconsistentKeys, ServerConfig};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::{fmt, io};

/// Makes TLS connections of accepted ones.
pub(crate) struct Acceptor {
    settings: Arc<ServerConfig>,
    scratch: Rc<RefCell<Scratch>>,
    budget: Budget,
    about: String,
}

/// A certificate, with those that lead to one that clients trust, and its key.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// Where the two are from.
    pub(super) files: Option<Files>,
}

/// Where a certificate and its key are from.
pub(super) struct Files {
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
}

impl Acceptor {
    /// One with the certificate that the configuration names; `None`: TLS is spoken nowhere.
    ///
    /// # Errors
    /// When the certificate or its key cannot be used, or there is none for a listener that needs one.
    pub(crate) fn open(config: &Config, budget: &Budget) -> Result<Option<Self>, Error> {
        let Some(certificate) = &config.certificate else {
            let is_wanted = config.listen.iter().any(|listen| config.speaks_tls(listen));
            return if is_wanted { Err(Error::NoCertificate) } else { Ok(None) };
        };
        let (settings, about) = read(certificate, config)?;
        let scratch = Rc::new(RefCell::new(Scratch::new()));
        Ok(Some(Self { settings, scratch, budget: budget.clone(), about }))
    }

    /// Puts TLS over a transport, of which nothing was read yet.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub(crate) fn wrap(&self, below: Transport) -> io::Result<Transport> {
        let session =
            UnbufferedServerConnection::new(Arc::clone(&self.settings)).map_err(io::Error::other)?;
        let tls = Tls::new(session, below, Rc::clone(&self.scratch), &self.budget);
        Ok(Transport::Tls(Box::new(tls)))
    }

    /// Which certificate it is, in a line.
    pub(crate) fn about(&self) -> &str {
        &self.about
    }

    /// Reads the files again, for those who come from now on; says which certificate it is. `None`: there are no
    /// files. Tickets of the old one are worth nothing any more.
    ///
    /// # Errors
    /// When they cannot be used: everything stays as it was.
    pub(crate) fn reload(&mut self, config: &Config) -> Result<Option<&str>, Error> {
        match &config.certificate {
            Some(certificate @ Certificate::Files { .. }) => {
                (self.settings, self.about) = read(certificate, config)?;
                Ok(Some(&self.about))
            }
            Some(Certificate::SelfSigned) | None => Ok(None),
        }
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor").field("about", &self.about).finish_non_exhaustive()
    }
}

fn read(certificate: &Certificate, config: &Config) -> Result<(Arc<ServerConfig>, String), Error> {
    let (identity, about) = match certificate {
        Certificate::Files { chain, key } => {
            (files::read(chain, key)?, format!("that of {}", chain.display()))
        }
        Certificate::SelfSigned => self_signed::make(&config.listen)?,
    };
    let fingerprint = fingerprint(&identity.chain[0]);
    let about = format!("the certificate is {about}; its SHA-256 fingerprint is {fingerprint}");
    Ok((Arc::new(settings(identity)?), about))
}

fn settings(identity: Identity) -> Result<ServerConfig, Error> {
    let Identity { chain, key, files } = identity;
    let failed = |file: Option<PathBuf>| {
        move |error: rustls::Error| Error::Certificate { file, cause: error.to_string() }
    };
    let (chain_file, key_file) = files.map_or((None, None), |files| (Some(files.chain), Some(files.key)));
    // Never the provider of the whole process: a program that uses this library may have one of its own.
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).map_err(failed(None))?;
    if default_provider().key_provider.load_private_key(key.clone_key()).is_err() {
        let cause =
            "a key is taken on P-256 or P-384, of Ed25519, or of RSA with 2048 to 4096 bits".to_owned();
        return Err(Error::Certificate { file: key_file, cause });
    }
    // Clients read all of them; rustls looks at the first alone.
    let is_readable = |certificate| ParsedCertificate::try_from(certificate).is_ok();
    if let Some(at) = chain.iter().position(|certificate| !is_readable(certificate)) {
        let cause = format!("certificate {} in it is none", at + 1);
        return Err(Error::Certificate { file: chain_file, cause });
    }
    let settings = builder.with_no_client_auth().with_single_cert(chain, key);
    let mut settings = settings.map_err(|error| {
        if error == rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
            let cause = "the key does not belong to the certificate".to_owned();
            return Error::Certificate { file: key_file, cause };
        }
        failed(chain_file)(error)
    })?;
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Whoever comes again shows a ticket: nothing is kept for them here.
    settings.session_storage = Arc::new(NoServerSessionStorage {});
    settings.ticketer = Ticketer::new().map_err(failed(None))?;
    Ok(settings)
}

/// As browsers and `openssl x509 -fingerprint` show it.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().map(|suite| suite.common.hash_provider);
    let hash = suite.map(|provider| provider.hash(certificate));
    let bytes = hash.as_ref().map_or(&[][..], |hash| hash.as_ref());
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_a_hash_in_pairs() {
        let want =
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD";
        assert_eq!(fingerprint(&CertificateDer::from(b"abc".to_vec())), want, "FIPS 180-2 B.1");
    }

    #[test]
    fn early_data_is_not_taken_and_nothing_is_kept_for_those_who_were_here() {
        let (identity, _) = self_signed::make(&[]).expect("a certificate can be made");
        let settings = settings(identity).expect("it can be used");
        assert_eq!((settings.max_early_data_size, settings.send_half_rtt_data), (0, false));
        assert!(settings.ticketer.enabled() && !settings.session_storage.can_cache());
    }
}
