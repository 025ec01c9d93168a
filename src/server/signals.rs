//! What a signal does to the server.

use super::Server;
use crate::signals::Signals;

impl Server {
    /// The first signal drains, every further one ends the wait.
    pub(super) fn take_signals(&mut self) {
        let count = self.signals.as_mut().map_or(0, Signals::take);
        for _ in 0..count.min(2) {
            match self.stopper.request() {
                super::stopper::Request::Serve => {
                    log::info!("asked to stop; a second signal stops at once");
                    self.stopper.drain();
                }
                super::stopper::Request::Drain | super::stopper::Request::Stop => self.stopper.stop(),
            }
        }
    }

    /// SIGHUP: reads again what can be. What cannot stays as it was.
    pub(super) fn take_hangups(&mut self) {
        if self.hangups.as_mut().map_or(0, Signals::take) == 0 {
            return;
        }
        let mut is_anything_read = false;
        match self.files.look_up_again(&self.config.pages) {
            Ok(Some(folder)) => {
                is_anything_read = true;
                log::info!("asked to reload: the pages are those in {}", folder.display());
            }
            Ok(None) => {}
            Err(error) => {
                is_anything_read = true;
                log::warn!("asked to reload: {error}; the pages stay as they were");
            }
        }
        match self.tls.as_mut().map_or(Ok(None), |tls| tls.reload(&self.config)) {
            Ok(Some(about)) => {
                is_anything_read = true;
                log::info!("asked to reload: {about}");
            }
            Ok(None) => {}
            Err(error) => {
                is_anything_read = true;
                log::warn!("asked to reload: {error}; the certificate stays as it was");
            }
        }
        if !is_anything_read {
            log::info!("asked to reload: there is nothing to read again");
        }
    }
}
