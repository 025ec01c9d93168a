//! A socket that misbehaves, for tests: it takes and gives a few bytes at a time, says that it would block though it
//! would not, is interrupted, and is reset at a byte of one's choice.
//!
//! The loop is edge-triggered: after a short read or write, or a refusal, it waits for the next event. A real socket
//! sends one when it has more; this one asks the poll for it.

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::io::{self, IoSlice, Read, Write};

/// What is done to one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    /// Where its random numbers begin; 0: no faults but the resets.
    pub(crate) seed: u64,
    /// Reset when so many bytes were written.
    pub(crate) reset_at_written: Option<usize>,
    /// Reset when so many bytes were read.
    pub(crate) reset_at_read: Option<usize>,
}

/// A socket, and what is done to it.
#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) stream: TcpStream,
    plan: Plan,
    registered: Option<(Registry, Token)>,
    written: usize,
    read: usize,
}

impl Faulty {
    pub(crate) fn new(stream: TcpStream, plan: Plan) -> Self {
        Self { stream, plan, registered: None, written: 0, read: 0 }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.registered = Some((registry.try_clone()?, token));
        registry.register(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)
    }

    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.fault()?;
        let most = self.most(into.len(), self.plan.reset_at_read, self.read)?;
        let read = self.stream.read(&mut into[..most])?;
        self.read += read;
        if most < into.len() {
            self.ask_for_events();
        }
        Ok(read)
    }

    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.fault()?;
        let offered: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let most = self.most(offered.len(), self.plan.reset_at_written, self.written)?;
        let written = self.stream.write(&offered[..most])?;
        self.written += written;
        if written < offered.len() {
            self.ask_for_events();
        }
        Ok(written)
    }

    /// How much of so many bytes goes through.
    fn most(&mut self, length: usize, reset_at: Option<usize>, done: usize) -> io::Result<usize> {
        let left = reset_at.map_or(usize::MAX, |reset_at| reset_at - done);
        if left == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let most = if self.plan.seed == 0 {
            length
        } else {
            // Mostly a few bytes, so that everything is cut everywhere; sometimes a good deal, to come to an end.
            let bound = [3, 30, 3_000, 70_000][self.below(4)];
            1 + self.below(bound)
        };
        Ok(most.min(length).min(left))
    }

    fn fault(&mut self) -> io::Result<()> {
        if self.plan.seed == 0 {
            return Ok(());
        }
        match self.below(8) {
            0 | 1 => {
                self.ask_for_events();
                Err(io::ErrorKind::WouldBlock.into())
            }
            2 => Err(io::ErrorKind::Interrupted.into()),
            _ => Ok(()),
        }
    }

    fn ask_for_events(&mut self) {
        let (registry, token) = self.registered.as_ref().expect("it was registered when it was accepted");
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.reregister(&mut self.stream, *token, both).expect("it is registered");
    }

    /// The next random number (xorshift64).
    fn below(&mut self, bound: usize) -> usize {
        let state = &mut self.plan.seed;
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 16) as usize % bound
    }
}
