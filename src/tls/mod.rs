//! The certificate that the server proves itself with, and what makes TLS connections of accepted ones.
//!
//! [`Acceptor::open`] makes one of what the configuration says, `wrap` puts TLS over a transport, `reload` reads the
//! files again for all that come from then on. Without the feature `tls` there is none, and a configuration that asks for
//! one is an error.
//!
//! Must not know: connections, once they are made; options.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "tls")]
mod files;
#[cfg(feature = "tls")]
mod self_signed;

#[cfg(not(feature = "tls"))]
pub(crate) use absent::Acceptor;
#[cfg(feature = "tls")]
pub(crate) use acceptor::Acceptor;
