//! The options of TLS: which there are, and what they are together.
//!
//! Must not know: whether a file that they name exists.

use super::options::{LISTEN, Settings};
use super::read::{self, Given};
use super::table::{Action, Again, Flag, Place};
use super::usage::{self, UsageError};
use fanfare::config::{Certificate, Listen};
use std::ffi::OsStr;
use std::path::PathBuf;

/// Stands beside [`TLS_KEY`].
const TLS_CERT: &str = "tls-cert";
/// Stands beside [`TLS_CERT`].
const TLS_KEY: &str = "tls-key";
/// In place of both.
const TLS_SELF_SIGNED: &str = "tls-self-signed";
/// What was said of TLS, each as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    chain: Option<PathBuf>,
    key: Option<PathBuf>,
    is_self_signed: bool,
}

pub(super) const FLAGS: &[Flag<Settings>] = &[
    Flag {
        long: TLS_CERT,
        short: None,
        takes: "FILE",
        default: "off",
        help: "https:// and wss:// on the same listeners, or on those with tls: alone, with this certificate and what \
               leads to it, in PEM; SIGHUP reads it again",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Path(|settings, path| {
            settings.tls.chain = Some(file(path)?);
            Ok(())
        }),
    },
    Flag {
        long: TLS_KEY,
        short: None,
        takes: "FILE",
        default: "off",
        help: "its private key, without a password",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Path(|settings, path| {
            settings.tls.key = Some(file(path)?);
            Ok(())
        }),
    },
    Flag {
        long: TLS_SELF_SIGNED,
        short: None,
        takes: "",
        default: "off",
        help: "the same with a certificate made at start for localhost, its SHA-256 fingerprint in the log",
        again: Again::Replaces,
        place: Place::Anywhere,
        action: Action::Switch(|settings| settings.tls.is_self_signed = true),
    },
];

fn file(path: &OsStr) -> Result<PathBuf, String> {
    if path.is_empty() { Err("a file".to_owned()) } else { Ok(path.into()) }
}

/// Makes a certificate of what was given, if that is one.
pub(super) fn decide(settings: &mut Settings, given: &[Given<Settings>]) -> Result<(), UsageError> {
    let name = |long: &str| read::name_of(given, long).map_or_else(|| format!("--{long}"), str::to_owned);
    if !cfg!(feature = "tls") {
        for long in [TLS_CERT, TLS_KEY, TLS_SELF_SIGNED] {
            if read::name_of(given, long).is_some() {
                return Err(usage::needs_feature(&name(long), "tls"));
            }
        }
    }
    let is_tls = |listen: &Listen| matches!(listen, Listen::Tls { .. });
    let listens = settings.config.listen.iter().any(is_tls);
    if listens && !cfg!(feature = "tls") {
        return Err(usage::needs_feature(&format!("{} tls:HOST:PORT", name(LISTEN)), "tls"));
    }
    let TlsSettings { chain, key, is_self_signed } = settings.tls.clone();
    settings.config.certificate = match (chain, key, is_self_signed) {
        (None, None, false) if listens => {
            let listen = name(LISTEN);
            let line = format!(
                "{listen} tls:HOST:PORT needs a certificate: add --{TLS_CERT} and --{TLS_KEY}, or --{TLS_SELF_SIGNED}"
            );
            return Err(usage::line(&line));
        }
        (None, None, false) => None,
        (None, None, true) => Some(Certificate::SelfSigned),
        (Some(chain), Some(key), false) => Some(Certificate::Files { chain, key }),
        (Some(_), _, true) => return Err(already(&name(TLS_CERT), &name(TLS_SELF_SIGNED))),
        (None, Some(_), true) => return Err(already(&name(TLS_KEY), &name(TLS_SELF_SIGNED))),
        (Some(_), None, false) => return Err(needs(&name(TLS_CERT), TLS_KEY)),
        (None, Some(_), false) => return Err(needs(&name(TLS_KEY), TLS_CERT)),
    };
    Ok(())
}

fn already(file: &str, self_signed: &str) -> UsageError {
    usage::already(file, "names a file of the certificate", self_signed)
}

fn needs(one: &str, other: &str) -> UsageError {
    usage::line(&format!("{one} needs --{other} beside it"))
}

#[cfg(all(test, feature = "tls"))]
mod tests {
    use super::*;
    use crate::cli::options::{Command, parse};
    use std::ffi::OsString;

    fn certificate(arguments: &str, variable: &str) -> Result<Option<Certificate>, String> {
        let pair = variable.split_once('=');
        let environment =
            |name: &str| pair.filter(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        match parse(arguments.split_whitespace().map(OsString::from), environment) {
            Ok(Command::Serve(settings)) => Ok(settings.config.certificate),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn what_they_are_together() {
        let files = || Ok(Some(Certificate::Files { chain: "a".into(), key: "b".into() }));
        let no = |text: &str| Err(text.to_owned());
        let rows = [
            ("", "", Ok(None)),
            ("--tls-self-signed", "", Ok(Some(Certificate::SelfSigned))),
            ("--listen tls:a:1 --tls-self-signed", "", Ok(Some(Certificate::SelfSigned))),
            ("--tls-cert a --tls-key b", "", files()),
            ("--tls-cert a", "FANFARE_TLS_KEY=b", files()),
            ("", "FANFARE_TLS_SELF_SIGNED=0", Ok(None)),
            ("--tls-cert a", "", no("--tls-cert needs --tls-key beside it")),
            ("", "FANFARE_TLS_KEY=b", no("FANFARE_TLS_KEY needs --tls-cert beside it")),
            (
                "--tls-key b --tls-self-signed",
                "",
                no("--tls-key already names a file of the certificate; leave --tls-self-signed out"),
            ),
            (
                "--listen tls:a:1",
                "",
                no(
                    "--listen tls:HOST:PORT needs a certificate: add --tls-cert and --tls-key, or --tls-self-signed",
                ),
            ),
        ];
        for (arguments, variable, want) in rows {
            assert_eq!(certificate(arguments, variable), want, "{arguments} {variable}");
        }
    }
}

#[cfg(all(test, not(feature = "tls")))]
mod tests {
    use crate::cli::options::parse;
    use std::ffi::OsString;

    #[test]
    fn they_need_their_feature() {
        for (arguments, name) in [
            ("--tls-self-signed", "--tls-self-signed"),
            ("--tls-cert a --tls-key b", "--tls-cert"),
            ("--listen tls:a:1", "--listen tls:HOST:PORT"),
        ] {
            let error =
                parse(arguments.split_whitespace().map(OsString::from), |_| None).expect_err(arguments);
            let want = format!("{name} needs the feature tls, which this build does not have");
            assert_eq!(error.to_string(), want);
        }
    }
}
