//! A certificate that is made at the start, for trials: clients have to be told to take it.

use super::acceptor::Identity;
use crate::config::Listen;
use crate::error::Error;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

/// From a day ago, for clocks that are late, to about a year from now.
const DAYS: [u64; 2] = [1, 396];

/// One for this machine and the hosts that are listened on; with it, whom it is for.
///
/// # Errors
/// When there is no randomness, or a host is no name.
pub(super) fn make(listen: &[Listen]) -> Result<(Identity, String), Error> {
    let failed = |error: rcgen::Error| Error::Certificate { file: None, cause: error.to_string() };
    let names = names(listen);
    let mut params = CertificateParams::new(names.clone()).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, "fanfare, self-signed");
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    params.key_usages.push(KeyUsagePurpose::DigitalSignature);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let [before, after] = DAYS.map(|days| Duration::from_secs(days * 24 * 60 * 60));
    params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(before);
    params.not_after = date_time_ymd(1970, 1, 1) + now + after;
    debug_assert!(params.subject_alt_names.iter().any(|name| matches!(name, SanType::DnsName(_))));
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    let identity = Identity {
        chain: vec![certificate.der().clone()],
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        files: None,
    };
    Ok((identity, format!("made for {}, and no client knows it", names.join(", "))))
}

/// Whom clients may ask for. An address that stands for all others is none.
fn names(listen: &[Listen]) -> Vec<String> {
    let mut names =
        vec!["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string()];
    for listen in listen {
        let host = match listen {
            Listen::Loopback { .. } => continue,
            Listen::Tcp { host, .. } | Listen::Tls { host, .. } => host,
        };
        let stands_for_all = host.parse().is_ok_and(|address: IpAddr| address.is_unspecified());
        if !stands_for_all && !names.contains(host) {
            names.push(host.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_for_those_who_are_listened_for() {
        let tls = |host: &str| Listen::Tls { host: host.to_owned(), port: 1 };
        let listen = [tls("0.0.0.0"), tls("::"), tls("box.example"), tls("::1"), tls("192.0.2.7")];
        let want = ["localhost", "127.0.0.1", "::1", "box.example", "192.0.2.7"];
        assert_eq!(names(&listen), want);
        let (identity, about) = make(&listen).expect("it can be made");
        assert!(about.contains("box.example, 192.0.2.7"), "{about}");
        let text = String::from_utf8_lossy(&identity.chain[0]).into_owned();
        assert!(text.contains("box.example") && identity.chain.len() == 1);
    }
}
