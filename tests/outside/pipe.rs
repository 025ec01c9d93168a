//! What a child says, taken while it runs. For the tests in `server/` as well.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What comes out of a pipe; a thread takes it, so that the pipe is never full.
pub(crate) struct Pipe {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: thread::JoinHandle<()>,
}

impl Pipe {
    /// Takes what comes until its end.
    pub(crate) fn collect(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let thread = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                shared.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..length]);
            }
        });
        Self { bytes, thread }
    }

    /// Whether it has ended.
    pub(crate) fn is_complete(&self) -> bool {
        self.thread.is_finished()
    }

    /// All that came so far.
    pub(crate) fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
