//! The loop: takes connections, reads, delivers, sends.

use super::Seen;
use super::connection::{Connection, Stage};
use super::delivery::{HELD_MAX, Message};
use super::fault::{Fault, Role};
use super::stream::Listener;
use crate::outside::program::comes_true;
use mio::{Events, Poll, Token, Waker};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
const FIRST: usize = 2;

pub(super) struct Server {
    poll: Poll,
    listener: Listener,
    role: Role,
    fault: Fault,
    seen: Arc<Seen>,
    started: Instant,
    connections: BTreeMap<usize, Connection>,
    next: usize,
    /// Requests so far.
    requests: u64,
}

impl Server {
    pub(super) fn new(mut listener: Listener, role: Role, fault: Fault, seen: Arc<Seen>) -> io::Result<Self> {
        let poll = Poll::new()?;
        listener.register(poll.registry(), LISTENER)?;
        let connections = BTreeMap::new();
        let started = Instant::now();
        Ok(Self { poll, listener, role, fault, seen, started, connections, next: FIRST, requests: 0 })
    }

    /// Wakes the loop, so that it looks whether it is to stop.
    pub(super) fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKER)
    }

    /// Serves until it is to stop.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(256);
        while self.seen.stop.get() == 0 {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                outcome => outcome.expect("the poll works"),
            }
            self.stand_still();
            let ready: Vec<Token> = events.iter().map(mio::event::Event::token).collect();
            self.turn(&ready);
        }
    }

    /// How long nothing may happen.
    fn patience(&self) -> Option<Duration> {
        let is_dribbling = || self.connections.values().any(Connection::has_output);
        if self.fault == Fault::OneByteWrites && is_dribbling() {
            return Some(Duration::ZERO);
        }
        matches!(self.fault, Fault::ReorderEvery(_)).then_some(HELD_MAX)
    }

    /// The faults that are about time: nobody is served meanwhile.
    fn stand_still(&self) {
        if let Fault::Stall { every, for_ } = self.fault {
            // At the end of each period, so that it does not begin with one.
            let into = self.started.elapsed().as_secs_f64() % every.as_secs_f64();
            let left = every.saturating_sub(Duration::from_secs_f64(into));
            if left <= for_ {
                self.sleep(left);
            }
        }
        if let Fault::SlowBeyond { connections, for_ } = self.fault
            && self.connections.len() > connections
        {
            self.sleep(for_);
        }
    }

    /// Here the passing of time is the fault itself, and not a way to wait for something.
    fn sleep(&self, time: Duration) {
        let _is_to_stop = comes_true(time, || self.seen.stop.get() != 0);
    }

    fn turn(&mut self, ready: &[Token]) {
        if ready.contains(&LISTENER) {
            self.accept();
        }
        let mut messages = Vec::new();
        for Token(key) in ready {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.read();
            connection.answer(self.fault, &mut self.requests, &self.seen);
            messages.extend(connection.messages(&self.seen).into_iter().map(|message| (*key, message)));
        }
        let now = Instant::now();
        for (from, message) in &messages {
            self.deliver(*from, message, now);
        }
        for connection in self.connections.values_mut() {
            connection.release(&self.seen, now);
            connection.flush(self.fault, &self.seen);
        }
        self.connections.retain(|_, connection| connection.stage != Stage::Gone);
    }

    fn accept(&mut self) {
        loop {
            match self.listener.accept() {
                Ok((stream, source)) => {
                    let mut connection = Connection::new(stream, source);
                    let registered = connection.register(self.poll.registry(), Token(self.next));
                    registered.expect("there is room in the poll");
                    self.connections.insert(self.next, connection);
                    self.next += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Who has gone again before being taken is no loss.
                Err(_) => {}
            }
        }
    }

    /// Gives a message to whom the role says.
    fn deliver(&mut self, from: usize, message: &Message, now: Instant) {
        let role = self.role;
        let is_for = |key: usize| match role {
            Role::Broadcast => true,
            Role::NoSelf => key != from,
            Role::Echo => key == from,
            Role::Mute => false,
        };
        for (_, connection) in self.connections.iter_mut().filter(|(key, _)| is_for(**key)) {
            connection.deliver(message, self.fault, &self.seen, now);
        }
    }
}
