//! What can stop a server from starting or running, in one line each: the thing, the cause, what to do.
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
            Self::Listen { address, cause } => {
                write!(f, "cannot listen on {address}: {cause}")?;
                if cause.kind() == io::ErrorKind::AddrInUse {
                    write!(f, "; stop the other program or choose another --port")?;
                }
                if cause.kind() == io::ErrorKind::PermissionDenied {
                    write!(f, "; choose a --port above 1023")?;
                }
                Ok(())
            }
            Self::Resolve { host, cause } => write!(f, "cannot find an address of {host}: {cause}"),
            Self::NoListener => write!(f, "no address to listen on; give one with --listen"),
            Self::Pages { folder, cause } => {
                write!(f, "cannot serve --www {}: {cause}; name a folder that can be read", folder.display())
            }
            Self::System { what, cause } => write!(f, "cannot {what}: {cause}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen { cause, .. }
            | Self::Resolve { cause, .. }
            | Self::Pages { cause, .. }
            | Self::System { cause, .. } => Some(cause),
            Self::NoListener => None,
        }
    }
}
