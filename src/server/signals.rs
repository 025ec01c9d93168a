//! Signals become bytes in a pipe, which the poll hears like everything else.

use super::Server;

#[cfg(unix)]
mod pipe {
    use mio::net::UnixStream;
    use mio::{Interest, Registry, Token};
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::low_level::pipe;
    use std::io::{self, Read};

    /// The reading end of the pipe.
    #[derive(Debug)]
    pub(in crate::server) struct Signals {
        pipe: UnixStream,
    }

    impl Signals {
        pub(in crate::server) fn new(registry: &Registry, token: Token) -> io::Result<Option<Self>> {
            let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            for signal in [SIGTERM, SIGINT] {
                pipe::register(signal, writer.try_clone()?)?;
            }
            let mut pipe = UnixStream::from_std(reader);
            registry.register(&mut pipe, token, Interest::READABLE)?;
            Ok(Some(Self { pipe }))
        }

        /// Signals that came since it was last asked.
        pub(in crate::server) fn take(&mut self) -> usize {
            let mut bytes = [0; 16];
            let mut count = 0;
            while let Ok(more) = self.pipe.read(&mut bytes)
                && more > 0
            {
                count += more;
            }
            count
        }
    }
}

#[cfg(not(unix))]
mod pipe {
    use mio::{Registry, Token};
    use std::io;

    /// There are no such signals here.
    #[derive(Debug)]
    pub(in crate::server) struct Signals;

    impl Signals {
        pub(in crate::server) fn new(_: &Registry, _: Token) -> io::Result<Option<Self>> {
            Ok(None)
        }

        pub(in crate::server) fn take(&mut self) -> usize {
            0
        }
    }
}

pub(super) use pipe::Signals;

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
}
