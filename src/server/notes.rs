//! What happened, for the operator: counted for [`Metrics`], and said in the log.
//!
//! Must not know: what is done about it.

use super::{Address, Server};
use crate::connection::{Event, Wish};
use crate::http::Refusal;
use crate::http::response::Status;
use crate::message::CloseCode;
use crate::metrics::Metrics;
use crate::server::complaints::Complaints;
use crate::transport::{Transport, is_tls_failure};
use log::Level;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Why a connection is over.
#[derive(Debug)]
pub(super) enum End {
    /// As it should: both sides know.
    Orderly(&'static str),
    /// One side has had enough of the other.
    Abnormal(&'static str),
    /// The system says so.
    Broken(io::Error),
}

/// Reads a server's [`Metrics`] while it runs, from any thread. Of [`Server::metrics`].
#[derive(Clone, Debug)]
pub struct MetricsReader(Arc<Mutex<Metrics>>);

impl MetricsReader {
    /// The figures at the end of the last turn.
    pub fn read(&self) -> Metrics {
        // They are plain values: whoever panicked with them in hand has left them whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All that is noted: figures and complaints.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) metrics: Metrics,
    pub(super) complaints: Complaints,
    readers: Arc<Mutex<Metrics>>,
}

impl Notes {
    /// Somebody reads along.
    pub(super) fn reader(&self) -> MetricsReader {
        MetricsReader(Arc::clone(&self.readers))
    }

    /// What came of a connection's input. `has_closed`: it had said its Close before, so that this is the answer.
    pub(super) fn event(
        &mut self,
        now: Instant,
        key: usize,
        transport: &Transport,
        event: &Event<'_>,
        has_closed: bool,
    ) {
        match event {
            Event::Page(_) | Event::Stats(_) | Event::Answered(_) => self.metrics.requests += 1,
            // Whether it is granted is not known yet.
            Event::Watch(_) => {}
            Event::Wish(Wish::Ping) => {}
            Event::Wish(Wish::Unknown) => {
                let line = format_args!(
                    "viewer {key}{} is closed with {}: all it may say is ping",
                    Address(transport),
                    CloseCode::POLICY
                );
                self.complaints.say(now, Level::Debug, "a viewer says something else than ping", line);
            }
            Event::Message(_) => self.metrics.messages_received += 1,
            Event::Open(opening) => {
                self.metrics.handshakes += 1;
                log::trace!("connection {key} is a WebSocket on {:?}", opening.target);
            }
            Event::Close(code, reason) => {
                if !has_closed {
                    self.metrics.note_close(*code);
                }
                log::trace!("connection {key} closes with {code} {reason:?}");
            }
            Event::Violation(violation) => {
                let code = violation.close_code();
                if !has_closed {
                    self.metrics.note_close(code);
                }
                let address = Address(transport);
                let line = format_args!("connection {key}{address} is closed with {code}: {violation}");
                self.complaints.say(now, Level::Debug, violation.cause(), line);
            }
            Event::Refusal(refusal, _) => self.refusal(now, transport, refusal),
        }
    }

    /// A request was refused.
    pub(super) fn refusal(&mut self, now: Instant, transport: &Transport, refusal: &Refusal) {
        self.metrics.refusals.add(refusal.cause);
        // Whoever sets up a page from elsewhere needs to see this without asking for more log.
        let is_setup = refusal.status == Status::Forbidden;
        let level = if is_setup { Level::Info } else { Level::Debug };
        let (code, cause, address) = (refusal.status.code(), refusal.cause, Address(transport));
        let line = format_args!("request{address} refused with {code}: {cause}");
        self.complaints.say(now, level, cause, line);
    }

    /// A connection is over.
    pub(super) fn end(
        &mut self,
        now: Instant,
        key: usize,
        transport: &Transport,
        end: &End,
        code: Option<CloseCode>,
    ) {
        let address = Address(transport);
        let is_abrupt = code.is_some();
        let code = code.map(|code| format!(" with {code}")).unwrap_or_default();
        match end {
            End::Orderly(cause) | End::Abnormal(cause) if is_abrupt => {
                let line = format_args!("connection {key}{address} ends{code}: {cause}");
                self.complaints.say(now, Level::Debug, "a WebSocket ends without a Close", line);
            }
            End::Orderly(cause) => log::trace!("connection {key}{address} ends{code}: {cause}"),
            End::Abnormal(cause) => {
                let line = format_args!("connection {key}{address} ends{code}: {cause}");
                self.complaints.say(now, Level::Debug, cause, line);
            }
            End::Broken(error) if is_tls_failure(error) => {
                self.metrics.tls_failures += 1;
                let line = format_args!("connection {key}{address} ends{code}: TLS failed: {error}");
                self.complaints.say(now, Level::Debug, "TLS failed", line);
            }
            End::Broken(error) => {
                let line = format_args!("connection {key}{address} ends{code}: {error}");
                self.complaints.say(now, Level::Debug, "a connection broke", line);
            }
        }
    }
}

impl Server {
    /// A handle to this server's figures, for as long as anybody wants them.
    pub fn metrics(&self) -> MetricsReader {
        self.notes.reader()
    }

    /// At the end of a turn: counts up complaints, and shows the figures to those who read them.
    pub(super) fn publish_notes(&mut self) {
        self.notes.complaints.count_up(self.instant);
        if Arc::strong_count(&self.notes.readers) < 2 {
            return;
        }
        self.notes.metrics.connections = self.connections.len() as u64;
        self.notes.metrics.subscribers = self.channel.len() as u64;
        self.notes.metrics.backlog_bytes = self.channel.backlog_bytes();
        self.notes.metrics.buffers_bytes = self.budget.lent() as u64;
        self.notes.readers.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.notes.metrics);
    }
}
