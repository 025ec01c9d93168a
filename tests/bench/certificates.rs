//! Certificates made for a test: an authority of its own, and servers that it vouches for, rightly or not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Who the right certificates are for.
pub(crate) const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// It is for another name and another address.
    OtherName,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is a CA's, signed by itself, as `openssl req -x509` makes it.
    OfCa,
    /// It is for clients alone.
    ForClients,
}

/// Signs the certificates of servers; each one is another.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

/// A server's certificate and its key, as DER.
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    /// PKCS #8.
    pub(crate) key: Vec<u8>,
}

impl Authority {
    #[track_caller]
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two of the same name could not be told apart by it.
        let key = key();
        let name = format!("an authority with {:?}", &key.public_key_raw()[..8]);
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, key).expect("it can be signed");
        let authority = Self { issuer, folder: tempfile::tempdir().expect("a folder can be made") };
        fs::write(authority.file(), pem("CERTIFICATE", authority.issuer.der())).expect("it can be written");
        authority
    }

    /// Its certificate in PEM.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The option that trusts it.
    pub(crate) fn option(&self) -> String {
        format!("--ca {}", self.file().to_str().expect("the path is UTF-8"))
    }

    /// A server's certificate.
    #[track_caller]
    pub(crate) fn identity(&self, flaw: Flaw) -> Identity {
        let names = if flaw == Flaw::OtherName { ["a.example", "192.0.2.1"] } else { NAMES };
        let mut params = CertificateParams::new(names.map(str::to_owned)).expect("they are names");
        params.distinguished_name.push(DnType::CommonName, "a server");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        match flaw {
            Flaw::None | Flaw::OtherName => {}
            Flaw::Expired => params.not_after = date_time_ymd(2020, 1, 1),
            Flaw::NotYetValid => params.not_before = date_time_ymd(4000, 1, 1),
            Flaw::OfCa => {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                params.extended_key_usages.clear();
            }
            Flaw::ForClients => params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        }
        let key = key();
        let signed = match flaw {
            Flaw::OfCa => params.self_signed(&key),
            Flaw::None | Flaw::OtherName | Flaw::Expired | Flaw::NotYetValid | Flaw::ForClients => {
                params.signed_by(&key, &self.issuer)
            }
        };
        let certificate = signed.expect("it can be signed").der().to_vec();
        Identity { certificate, key: key.serialize_der() }
    }
}

impl Identity {
    /// Writes both in PEM, where others look for them, and gives the paths.
    #[track_caller]
    pub(crate) fn write(&self, folder: &Path) -> [PathBuf; 2] {
        let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
        fs::write(&certificate, pem("CERTIFICATE", &self.certificate)).expect("it can be written");
        fs::write(&key, pem("PRIVATE KEY", &self.key)).expect("it can be written");
        [certificate, key]
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("there is randomness")
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("it is ASCII"));
    let lines: Vec<_> = lines.collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
