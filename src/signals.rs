//! Signals that ask to stop, or to read the configuration again, become bytes in a pipe, which a poll hears like everything else.
//!
//! Must not know: what is stopped or read.

pub use pipe::Signals;

#[cfg(unix)]
mod pipe {
    use mio::net::UnixStream;
    use mio::{Interest, Registry, Token};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::low_level::pipe;
    use std::ffi::c_int;
    use std::io::{self, Read};

    /// Some signals, from its making to the end of the process: none of them ends it any more by itself.
    #[derive(Debug)]
    pub struct Signals {
        pipe: UnixStream,
    }

    impl Signals {
        /// SIGTERM and SIGINT: starts to count them, and registers with a poll.
        ///
        /// # Errors
        /// What the system says.
        pub fn to_stop(registry: &Registry, token: Token) -> io::Result<Self> {
            Self::of(&[SIGTERM, SIGINT], registry, token)
        }

        /// The same with SIGHUP.
        ///
        /// # Errors
        /// What the system says.
        pub fn to_reload(registry: &Registry, token: Token) -> io::Result<Self> {
            Self::of(&[SIGHUP], registry, token)
        }

        pub(super) fn of(signals: &[c_int], registry: &Registry, token: Token) -> io::Result<Self> {
            let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            for signal in signals {
                pipe::register(*signal, writer.try_clone()?)?;
            }
            let mut pipe = UnixStream::from_std(reader);
            registry.register(&mut pipe, token, Interest::READABLE)?;
            Ok(Self { pipe })
        }

        /// How many came since it was last asked.
        pub fn take(&mut self) -> usize {
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
    pub struct Signals;

    impl Signals {
        /// Registers nothing.
        ///
        /// # Errors
        /// None.
        pub fn to_stop(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        /// Registers nothing.
        ///
        /// # Errors
        /// None.
        pub fn to_reload(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        /// None came.
        pub fn take(&mut self) -> usize {
            0
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use mio::{Events, Poll, Token};
    use signal_hook::consts::{SIGUSR1, SIGUSR2};
    use signal_hook::low_level::raise;
    use std::time::Duration;

    /// With signals that stop nothing: they reach the whole process, other tests as well.
    #[test]
    fn counted() {
        let mut poll = Poll::new().expect("a poll");
        let signals = [SIGUSR1, SIGUSR2];
        let mut signals_heard = Signals::of(&signals, poll.registry(), Token(3)).expect("a pipe");
        assert_eq!(signals_heard.take(), 0);
        for (signals, want) in [(&[SIGUSR1][..], 1), (&signals, 2), (&[SIGUSR1; 40], 40)] {
            for &signal in signals {
                raise(signal).expect("raises");
            }
            let mut events = Events::with_capacity(1);
            poll.poll(&mut events, Some(Duration::from_secs(10))).expect("polls");
            assert!(events.iter().any(|event| event.token() == Token(3) && event.is_readable()));
            assert_eq!(signals_heard.take(), want);
            assert_eq!(signals_heard.take(), 0);
        }
    }
}
