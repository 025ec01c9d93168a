//! Taking in: what was read becomes events, and each of them finds the one who deals with it: the files, the channel,
//! the handler.
//!
//! Must not know: how bytes are read, and when what is said is written.

use super::Server;
use super::guard::{self, Called};
use crate::channel::Readiness;
use crate::config::Audience;
use crate::connection::{Connection, Event, PageRequest, Responded, StatsRequest, Turn};
use crate::handler::{Context, Handler};
use crate::http::stats;
use crate::limits::{READ_COST_OF_PAGE, READ_EFFORT_PER_VISIT, REQUEST_HEAD_BYTES_MAX};
use crate::message::CloseCode;

/// Whose event it is.
#[derive(Clone, Copy)]
enum Speaker {
    /// A client's: the handler hears of it.
    Client,
    /// A viewer's: what it does is between it and the loop.
    Viewer,
}

impl Speaker {
    /// Asked before the event is taken: behind its last word nobody is either any more.
    fn of(connection: &Connection) -> Self {
        if connection.is_viewer() { Self::Viewer } else { Self::Client }
    }
}

impl Server {
    /// Gives the connection what was read, behind what it kept, and deals with every event, as far as the
    /// budget goes; says how much of it was used.
    pub(super) fn take_in(
        &mut self,
        key: usize,
        read: &mut [u8],
        budget: usize,
        handler: &mut impl Handler,
    ) -> usize {
        let mut cost = read.len();
        self.codec.take_effort(); // of the end of others: nobody's
        self.notes.metrics.bytes_received += cost as u64;
        let mut kept = self.take_kept(key, !read.is_empty());
        // A head that has begun is parsed anew with what has come.
        cost += kept.len().min(REQUEST_HEAD_BYTES_MAX);
        let mut input = if kept.is_empty() {
            read
        } else {
            kept.extend_from_slice(read);
            &mut kept[..]
        };
        let mut effort = 0;
        while let Some((event, speaker)) = self.next_event(key, &mut input) {
            // Some are the loop's own affair; everything else may concern the handler.
            let page = match &event {
                Event::Page(request) => self.respond(key, request),
                Event::Stats(request) => self.respond_with_stats(key, request),
                Event::Watch(request) => {
                    if !self.watch(key, request) {
                        continue;
                    }
                    None
                }
                Event::Wish(wish) => {
                    self.heed_viewer(key, *wish);
                    None
                }
                Event::Answered(_) | Event::Refusal(..) => None,
                Event::Open(_) | Event::Message(_) | Event::Close(..) | Event::Violation(_) => None,
            };
            self.note_request(key, &event, page);
            if matches!(event, Event::Page(_) | Event::Stats(_) | Event::Answered(_)) {
                cost += READ_COST_OF_PAGE + self.files.take_effort();
                if cost < budget {
                    continue;
                }
                self.pause(key);
                break;
            }
            if let Event::Open(opening) = &event {
                if let Some(request) = &opening.trace {
                    self.trace(key, request, input);
                }
                if opening.audience == Audience::Everyone {
                    self.join_channel(key, !input.is_empty());
                }
            }
            self.hear(key, speaker, event, handler);
            // Compressed messages cost more than their bytes: who has sent many of them waits for the next turn.
            let more = self.codec.take_effort();
            cost += more;
            effort += more;
            if more > 0 && (cost >= budget || effort >= READ_EFFORT_PER_VISIT) {
                break;
            }
        }
        self.notes.metrics.messages_untold += self.channel.take_untold();
        cost += self.codec.take_effort();
        self.keep(key, input, handler);
        cost
    }

    /// What the connection has kept of what it read before. `is_heard`: there is more now.
    fn take_kept(&mut self, key: usize, is_heard: bool) -> Vec<u8> {
        let Some((entry, turn)) = self.in_turn(key) else { return Vec::new() };
        if is_heard {
            entry.connection.heard(&turn);
        }
        entry.connection.take_kept()
    }

    /// Takes the next event off the front of what was read, and says whose it is.
    fn next_event<'a>(&mut self, key: usize, input: &mut &'a mut [u8]) -> Option<(Event<'a>, Speaker)> {
        let now = self.now;
        let entry = self.connections.get_mut(key)?;
        let head = self.channel.head(entry.connection.seat());
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        let has_closed = entry.connection.has_said_all();
        let speaker = Speaker::of(&entry.connection);
        let event = entry.connection.next(input, &turn)?;
        self.notes.event(self.instant, key, &entry.transport, &event, has_closed);
        Some((event, speaker))
    }

    /// Answers a request for a page.
    fn respond(&mut self, key: usize, request: &PageRequest) -> Option<Responded> {
        let now = self.now;
        let entry = self.connections.get_mut(key)?;
        let head = self.channel.head(entry.connection.seat());
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        let found = self.files.find(request, &turn);
        if let Err(refusal) = &found {
            self.notes.refusal(self.instant, &entry.transport, refusal);
        }
        let responded = entry.connection.respond(request, found, &turn);
        if let Some(file) = responded.unsent {
            self.files.close(file);
        }
        Some(responded)
    }

    /// Answers a request for the figures.
    fn respond_with_stats(&mut self, key: usize, request: &StatsRequest) -> Option<Responded> {
        let json = stats::json(self.channel.len(), self.connections.len());
        let (entry, turn) = self.in_turn(key)?;
        Some(entry.connection.respond_with_stats(request, &json, &turn))
    }

    /// For the access log, if it is a request.
    pub(super) fn note_request(&mut self, key: usize, event: &Event<'_>, page: Option<Responded>) {
        let Some(entry) = self.connections.get(key) else { return };
        let of_entry = (&entry.transport, &entry.connection);
        self.access.event(key, of_entry, event, page, (self.instant, &self.budget));
    }

    /// Its requests wait for their turn.
    fn pause(&mut self, key: usize) {
        if let Some(entry) = self.connections.get_mut(key) {
            entry.connection.pause();
        }
    }

    /// It is a WebSocket, and hears broadcasts from now on. `has_more`: it did not wait for the 101 (RFC 6455 §4.1).
    fn join_channel(&mut self, key: usize, has_more: bool) {
        let Some(entry) = self.connections.get_mut(key) else { return };
        let subscriber = u32::try_from(key).expect("fewer than 2^32 connections");
        let seat = self.channel.subscribe(subscriber, entry.connection.format());
        if entry.is_blocked {
            self.channel.set_readiness(seat, Readiness::Blocked);
        }
        entry.connection.sit_down(seat);
        // It has not waited for its turn either.
        if has_more && self.channel.is_congested() {
            if let Some((entry, turn)) = self.in_turn(key) {
                entry.connection.close(CloseCode::TRY_AGAIN_LATER, "too much is under way", &turn);
            }
            self.notes.metrics.note_close(CloseCode::TRY_AGAIN_LATER);
        }
    }

    /// Lets the handler hear of an event, if it is a client's.
    fn hear(&mut self, key: usize, speaker: Speaker, event: Event<'_>, handler: &mut impl Handler) {
        match speaker {
            Speaker::Client => {}
            Speaker::Viewer => return,
        }
        let Some(entry) = self.connections.get_mut(key) else { return };
        let mut context = Context::new(
            key,
            &mut entry.connection,
            &mut self.channel,
            &self.config,
            (&self.budget, &self.codec),
            self.now,
        );
        if let Called::Panicked = guard::call(handler, &mut context, event) {
            self.notes.metrics.handler_panics += 1;
        }
        if let Some(code) = context.closed() {
            self.notes.metrics.note_close(code);
        }
    }

    /// Has the connection keep what is left of what was read.
    fn keep(&mut self, key: usize, left: &[u8], handler: &mut impl Handler) {
        let now = self.now;
        let Some(entry) = self.connections.get_mut(key) else { return };
        let head = self.channel.head(entry.connection.seat());
        let turn = Turn { config: &self.config, budget: &self.budget, codec: &self.codec, now, head };
        let has_closed = entry.connection.has_said_all();
        let speaker = Speaker::of(&entry.connection);
        if let Some(event) = entry.connection.keep(left, &turn) {
            self.notes.event(self.instant, key, &entry.transport, &event, has_closed);
            self.hear(key, speaker, event, handler);
        }
    }
}
