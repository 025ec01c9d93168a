//! What can stop a server from starting or running, in one line each: the thing and the cause. What to do
//! about it is for the program to say, which knows what its options are called.
//!
//! What a peer does wrong is not here: that ends its connection, and is a `Violation` or a `Refusal`.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a server could not start, or had to stop.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An address could not be listened on.
    Listen {
        /// The address, as it was asked for.
        address: String,
        /// What the system said.
        cause: io::Error,
    },
    /// A host name to listen on has no address.
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        cause: io::Error,
    },
    /// There is no address to listen on.
    NoListener,
    /// The folder of pages cannot be served.
    Pages {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A certificate or its key cannot be used.
    Certificate {
        /// The file; `None`: the one that is made at the start.
        file: Option<PathBuf>,
        /// What is wrong with it.
        cause: String,
    },
    /// TLS is to be spoken somewhere, and there is no certificate.
    NoCertificate,
    /// TLS is to be spoken, and this build cannot: it needs the feature `tls`.
    NoTls,
    /// The system refused what the loop cannot do without.
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        cause: io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { address, cause } => write!(f, "cannot listen on {address}: {cause}"),
            Self::Resolve { host, cause } => write!(f, "cannot find an address of {host}: {cause}"),
            Self::NoListener => write!(f, "no address to listen on"),
            Self::Pages { folder, cause } => write!(f, "cannot serve pages of {folder:?}: {cause}"),
            Self::Certificate { file: Some(file), cause } => {
                write!(f, "cannot use {file:?} for TLS: {cause}")
            }
            Self::Certificate { file: None, cause } => write!(f, "cannot make a certificate: {cause}"),
            Self::NoCertificate => write!(f, "there is no certificate for TLS"),
            Self::NoTls => write!(f, "TLS needs the feature tls, which this build does not have"),
            Self::System { what, cause } => write!(f, "cannot {what}: {cause}"),
        }
    }
}

// The cause is in the line already: no `source`, which would tell it twice.
impl std::error::Error for Error {}
