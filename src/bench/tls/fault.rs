//! What rustls says went wrong, by our names.
//!
//! Must not know: when it went wrong, but for whether the server had said anything in TLS before.

use crate::bench::cause::{CertificateFault, TlsFault};
use rustls::{CertificateError, Error, InvalidMessage};

/// Names an error. `has_greeted`: the server's greeting was one of TLS.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to its list")]
pub(super) fn fault(error: &Error, has_greeted: bool) -> TlsFault {
    match error {
        Error::InvalidMessage(message) if !has_greeted => greeting(message),
        Error::InappropriateMessage { .. } if !has_greeted => TlsFault::NotTls,
        Error::AlertReceived(alert) => TlsFault::Alert(u8::from(*alert)),
        Error::InvalidCertificate(error) => TlsFault::Certificate(certificate(error)),
        Error::NoCertificatesPresented => TlsFault::Certificate(CertificateFault::Unreadable),
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => TlsFault::Incompatible,
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_)
        | Error::PeerSentOversizedRecord => TlsFault::Misbehaved,
        Error::DecryptError => TlsFault::Undecipherable,
        _ => TlsFault::Other,
    }
}

/// What cannot be read as the first thing that a server says: text, or bytes by chance.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to its list")]
fn greeting(message: &InvalidMessage) -> TlsFault {
    match message {
        InvalidMessage::InvalidContentType
        | InvalidMessage::UnknownProtocolVersion
        | InvalidMessage::MessageTooLarge
        | InvalidMessage::InvalidEmptyPayload => TlsFault::NotTls,
        _ => TlsFault::Misbehaved,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add to its list")]
fn certificate(error: &CertificateError) -> CertificateFault {
    match error {
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFault::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFault::OtherName
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateFault::OtherPurpose
        }
        CertificateError::BadSignature => CertificateFault::Signature,
        CertificateError::Revoked => CertificateFault::Revoked,
        CertificateError::BadEncoding => CertificateFault::Unreadable,
        // It has no name of its own there, and is what everybody meets who tries the certificate of `openssl req`.
        CertificateError::Other(other) if other.0.to_string() == "CaUsedAsEndEntity" => {
            CertificateFault::OfCa
        }
        _ => CertificateFault::Other,
    }
}
