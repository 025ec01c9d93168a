//! In place of TLS, in a build without the feature.

use crate::budget::Budget;
use crate::config::Config;
use crate::error::Error;
use crate::transport::Transport;
use std::io;

/// There is none.
#[derive(Debug)]
pub(crate) enum Acceptor {}

impl Acceptor {
    /// Refuses a configuration that asks for TLS.
    ///
    /// # Errors
    /// When it does.
    pub(crate) fn open(config: &Config, _: &Budget) -> Result<Option<Self>, Error> {
        let is_wanted = config.certificate.is_some() || config.listen.iter().any(|l| config.speaks_tls(l));
        if is_wanted { Err(Error::NoTls) } else { Ok(None) }
    }

    pub(crate) fn wrap(&self, _: Transport) -> io::Result<Transport> {
        match *self {}
    }

    pub(crate) fn about(&self) -> &str {
        match *self {}
    }

    pub(crate) fn reload(&mut self, _: &Config) -> Result<Option<&str>, Error> {
        match *self {}
    }
}
