//! Stopping a server from another thread.

use mio::Waker;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How far a server is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Request {
    Serve,
    Drain,
    Stop,
}

/// Stops the server it came from; cheap to clone, may go to another thread.
#[derive(Clone, Debug)]
pub struct Stopper {
    request: Arc<AtomicU8>,
    waker: Arc<Waker>,
}

impl Stopper {
    pub(super) fn new(waker: Arc<Waker>) -> Self {
        Self { request: Arc::new(AtomicU8::new(Request::Serve as u8)), waker }
    }

    /// Accept nobody more, close the clients with 1001, and end when they are gone or the time for it is over.
    pub fn drain(&self) {
        self.ask(Request::Drain);
    }

    /// End at once.
    pub fn stop(&self) {
        self.ask(Request::Stop);
    }

    pub(super) fn request(&self) -> Request {
        match self.request.load(Ordering::Acquire) {
            0 => Request::Serve,
            1 => Request::Drain,
            _ => Request::Stop,
        }
    }

    fn ask(&self, request: Request) {
        self.request.fetch_max(request as u8, Ordering::Release);
        // Fails when the server is gone, and then it is stopped.
        let _ = self.waker.wake();
    }
}
