//! Taking in: one read into the shared scratch for each that has something, within a budget, and what comes
//! of it.

use super::{Address, Server};
use crate::config::Audience;
use crate::connection::{Connection, Event, PageRequest, Turn};
use crate::files::{Files, Found};
use crate::handler::{Context, Handler};
use crate::http::Refusal;
use crate::http::response::{Content, Head, Persistence, Status};
use crate::limits::{READ_BYTES_MAX, READ_BYTES_PER_TURN, READ_COST_MIN};
use crate::transport::Transport;
use std::{io, mem};

/// What a read brought.
enum Input {
    /// So many bytes; none when only kept input is to be taken up.
    Bytes(usize),
    /// The peer's FIN.
    End,
    /// The connection is over.
    Broken(io::Error),
}

impl Server {
    /// Reads from those who have something until the budget is spent. Senders wait while the flush is far
    /// behind: what they have to say would only pile up.
    pub(super) fn read(&mut self, handler: &mut impl Handler) {
        let mut budget = READ_BYTES_PER_TURN;
        let mut held = 0;
        while budget > 0 && held < self.readable.len() {
            let Some(key) = self.readable.pop_front() else { break };
            let Some(entry) = self.connections.get_mut(key) else { continue };
            entry.in_readable = false;
            if entry.is_gone || !entry.connection.wants_input() {
                continue; // read again when it has taken what it is owed
            }
            if self.channel.is_congested() && entry.connection.audience() == Some(Audience::Everyone) {
                held += 1;
                self.queue_read(key);
                continue;
            }
            let read = self.read_from(key, budget, handler);
            budget = budget.saturating_sub(read.max(READ_COST_MIN));
        }
    }

    /// One read, and what comes of it; says how many bytes it was.
    fn read_from(&mut self, key: usize, budget: usize, handler: &mut impl Handler) -> usize {
        let mut scratch = mem::take(&mut self.scratch);
        let input = self.fill(key, &mut scratch[..budget.min(READ_BYTES_MAX)]);
        let read = match input {
            Input::Bytes(read) => {
                self.take_in(key, &mut scratch[..read], handler);
                read
            }
            Input::End => {
                self.end_input(key);
                0
            }
            Input::Broken(error) => {
                self.end(key, &error.to_string());
                0
            }
        };
        self.scratch = scratch;
        self.close_slow();
        if let Some(entry) = self.connections.get(key) {
            let (may_read, speaks) = (entry.may_read, entry.connection.outbox().is_some());
            if may_read && !entry.is_gone && entry.connection.wants_input() {
                self.queue_read(key);
            }
            if speaks {
                self.queue_write(key);
            }
        }
        read
    }

    fn fill(&mut self, key: usize, scratch: &mut [u8]) -> Input {
        let Some(entry) = self.connections.get_mut(key) else { return Input::Bytes(0) };
        if !entry.may_read {
            return Input::Bytes(0);
        }
        match entry.transport.read(scratch) {
            Ok(0) => {
                entry.may_read = false;
                Input::End
            }
            Ok(read) => {
                // A short read means that the socket is drained, and spares the read that would only say so.
                // Not when a FIN is behind it, and only where the system keeps that promise.
                if cfg!(unix) && read < scratch.len() && !entry.read_closed {
                    entry.may_read = false;
                }
                Input::Bytes(read)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                entry.may_read = false;
                Input::Bytes(0)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Input::Bytes(0),
            Err(error) => Input::Broken(error),
        }
    }

    /// Gives the connection what was read, behind what it kept, and deals with every event.
    fn take_in(&mut self, key: usize, read: &mut [u8], handler: &mut impl Handler) {
        let now = self.moment;
        let Some(entry) = self.connections.get_mut(key) else { return };
        let connection = &mut entry.connection;
        if !read.is_empty() {
            connection.heard(&Turn { config: &self.config, now, head: self.channel.head() });
        }
        let mut kept = connection.take_kept();
        let mut input = if kept.is_empty() {
            read
        } else {
            kept.extend_from_slice(read);
            &mut kept[..]
        };
        loop {
            let turn = Turn { config: &self.config, now, head: self.channel.head() };
            let Some(event) = connection.next(&mut input, &turn) else {
                connection.keep(input, &turn);
                break;
            };
            // A page is the loop's own affair; everything else may concern the handler.
            if let Event::Page(request) = &event {
                answer(connection, request, &mut self.files, &turn);
                continue;
            }
            if let Event::Open(opening) = &event
                && opening.audience == Audience::Everyone
            {
                connection.sit_down(
                    self.channel.subscribe(u32::try_from(key).expect("fewer than 2^32 connections")),
                );
            }
            log_event(key, &entry.transport, &event);
            let mut context = Context::new(key, connection, &mut self.channel, &self.config, now);
            match event {
                Event::Page(_) | Event::Refusal(_) => {}
                Event::Open(opening) => handler.open(&mut context, &opening),
                Event::Message(message) => handler.message(&mut context, message),
                Event::Close(code, reason) => handler.close(&mut context, code, &reason),
                Event::Violation(violation) => handler.close(&mut context, violation.close_code(), ""),
            }
        }
    }

    fn end_input(&mut self, key: usize) {
        let now = self.moment;
        let Some(entry) = self.connections.get_mut(key) else { return };
        entry.input_ended = true;
        let turn = Turn { config: &self.config, now, head: self.channel.head() };
        if !entry.connection.end_of_input(&turn) {
            self.end(key, "the peer has closed");
        }
    }
}

fn log_event(key: usize, transport: &Transport, event: &Event<'_>) {
    match event {
        Event::Page(_) | Event::Message(_) => {}
        Event::Open(opening) => log::debug!("connection {key} is a WebSocket on {:?}", opening.target),
        Event::Close(code, reason) => log::debug!("connection {key} closes with {code} {reason:?}"),
        Event::Violation(violation) => {
            log::debug!(
                "connection {key}{} is closed with {}: {violation}",
                Address(transport),
                violation.close_code()
            );
        }
        // Whoever sets up a page from elsewhere needs to see this without asking for more log.
        Event::Refusal(refusal) if refusal.status == Status::Forbidden => {
            log::info!(
                "request{} refused with {}: {}",
                Address(transport),
                refusal.status.code(),
                refusal.cause
            );
        }
        Event::Refusal(refusal) => {
            log::debug!(
                "request{} refused with {}: {}",
                Address(transport),
                refusal.status.code(),
                refusal.cause
            );
        }
    }
}

/// Answers a request for a page.
fn answer(connection: &mut Connection, request: &PageRequest, files: &mut Files, turn: &Turn<'_>) {
    let PageRequest { path, content, persistence } = request;
    match files.find(path) {
        Ok(Found::Page { content_type, length, body }) => {
            let head = Head::new(Status::Ok, turn.now.unix_seconds)
                .header("Content-Type", content_type)
                .header("Content-Length", &length.to_string())
                .header("Cache-Control", "no-cache")
                .header("X-Content-Type-Options", "nosniff")
                .persistence(*persistence)
                .finish();
            let body = match content {
                Content::Sent => Some(body),
                Content::Omitted => {
                    files.discard(&body);
                    None
                }
            };
            connection.respond(head, body, *persistence, turn);
        }
        Ok(Found::Folder { location }) => {
            let head = Head::new(Status::MovedPermanently, turn.now.unix_seconds)
                .header("Location", &location)
                .persistence(*persistence)
                .finish_with_text("the folder is here", *content);
            connection.respond(head, None, *persistence, turn);
        }
        Err(refusal) => refuse(connection, refusal, *content, *persistence, turn),
    }
}

fn refuse(
    connection: &mut Connection,
    refusal: Refusal,
    content: Content,
    persistence: Persistence,
    turn: &Turn<'_>,
) {
    let response = refusal.response(turn.now.unix_seconds, persistence, content);
    connection.respond(response, None, persistence, turn);
}
