//! A certificate and its key in PEM files.

use super::acceptor::{Files, Identity};
use crate::error::Error;
use crate::limits::TLS_FILE_BYTES_MAX;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::io::Read;
use std::path::Path;

/// Reads both. Whether they belong together is not asked here.
///
/// # Errors
/// When one cannot be read, or what it should have is not in it.
pub(super) fn read(chain_file: &Path, key_file: &Path) -> Result<Identity, Error> {
    let pem = content(chain_file)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| wrong(chain_file, cause(&error, "certificate")))?;
    if chain.is_empty() {
        return Err(wrong(chain_file, cause(&pem::Error::NoItemsFound, "certificate")));
    }
    let pem = content(key_file)?;
    let key =
        PrivateKeyDer::from_pem_slice(&pem).map_err(|error| wrong(key_file, cause_of_key(&error, &pem)))?;
    let files = Some(Files { chain: chain_file.to_owned(), key: key_file.to_owned() });
    Ok(Identity { chain, key, files })
}

fn content(file: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| wrong(file, error.to_string());
    // A pipe would be waited for, in the middle of a reload.
    if !fs::metadata(file).map_err(failed)?.is_file() {
        return Err(wrong(file, "it is no regular file".to_owned()));
    }
    let mut content = Vec::new();
    let opened = fs::File::open(file).map_err(failed)?;
    opened.take(TLS_FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > TLS_FILE_BYTES_MAX {
        return Err(wrong(file, format!("it is longer than {TLS_FILE_BYTES_MAX} bytes")));
    }
    Ok(content)
}

/// Nothing of the file is repeated: it may be a key.
fn cause(error: &pem::Error, what: &str) -> String {
    match error {
        pem::Error::NoItemsFound => format!("there is no {what} in it, in PEM"),
        pem::Error::MissingSectionEnd { .. } => "a section of it has no end".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a section of it does not begin as in PEM".to_owned(),
        pem::Error::Base64Decode(_) => "it is not in base64 where it should be".to_owned(),
        pem::Error::Io(error) => error.to_string(),
        pem::Error::SectionTooLarge | _ => "it is not PEM".to_owned(),
    }
}

/// A key with a password has headers that are no base64, or another label.
fn cause_of_key(error: &pem::Error, pem: &[u8]) -> String {
    match pem.windows(b"ENCRYPTED".len()).any(|word| word == b"ENCRYPTED") {
        true => "the key in it has a password; write it without, as openssl pkey does".to_owned(),
        false => cause(error, "private key"),
    }
}

fn wrong(file: &Path, cause: String) -> Error {
    Error::Certificate { file: Some(file.to_owned()), cause }
}
