//! What a program does with what clients say: a [`Handler`] hears it, and answers through a [`Context`].
//!
//! Must not know: sockets, when anything is written.

use crate::budget::Budget;
use crate::channel::Channel;
use crate::config::{Audience, Config};
use crate::connection::{Connection, Opening, Turn};
use crate::deadline::Now;
use crate::message::{CloseCode, Message};
use crate::websocket::codec::Codec;

/// Hears what clients do. It runs on the server's one thread: while it works, nobody is served.
///
/// A panic in it ends the connection it was called for, with 1011, and is counted; the server goes on. What the handler
/// had half done of its own is its own to mend. (The program `fanfare` is built to end at a panic, without unwinding.)
pub trait Handler {
    /// A client's handshake is complete. What is sent here follows it.
    fn open(&mut self, context: &mut Context<'_>, opening: &Opening) {
        let _ = (context, opening);
    }

    /// A client said something.
    fn message(&mut self, context: &mut Context<'_>, message: Message<'_>);

    /// A client is gone. Called once for each `open`: with the code and reason of its Close, with the code it
    /// was refused with, or with [`CloseCode::ABNORMAL`] when it left without (RFC 6455 §7.1.5).
    fn close(&mut self, context: &mut Context<'_>, code: CloseCode, reason: &str) {
        let _ = (context, code, reason);
    }
}

/// The client a handler hears, and what it can do about it.
#[derive(Debug)]
pub struct Context<'c> {
    client: usize,
    connection: &'c mut Connection,
    channel: &'c mut Channel,
    config: &'c Config,
    budget: &'c Budget,
    codec: &'c Codec,
    now: Now,
    /// With what the handler closed the client, if it did.
    closed: Option<CloseCode>,
}

impl<'c> Context<'c> {
    pub(crate) fn new(
        client: usize,
        connection: &'c mut Connection,
        channel: &'c mut Channel,
        config: &'c Config,
        (budget, codec): (&'c Budget, &'c Codec),
        now: Now,
    ) -> Self {
        Self { client, connection, channel, config, budget, codec, now, closed: None }
    }

    /// A number that no other client has at the same time.
    pub fn client(&self) -> usize {
        self.client
    }

    /// Who should hear what this client says: everyone, or on `/echo` and with [`Config::audience`] the
    /// client alone.
    pub fn audience(&self) -> Audience {
        self.connection.audience().unwrap_or(Audience::Sender)
    }

    /// Clients that hear what is published.
    pub fn subscribers(&self) -> usize {
        self.channel.len()
    }

    /// Sends `message` to every subscriber, this client as well unless the server runs with
    /// [`OwnMessages::Skip`](crate::config::OwnMessages::Skip). Costs one copy, however many there are.
    pub fn publish(&mut self, message: &Message<'_>) {
        self.channel.publish(self.connection.seat(), message);
    }

    /// Sends `message` to this client alone, behind all that was published so far. Nothing happens when it
    /// is closing. Where there is no memory left to keep it, the client is closed with 1013. A binary message to a client
    /// of the older draft is counted and not sent, as it is when it is published.
    pub fn send(&mut self, message: &Message<'_>) {
        if !self.connection.format().can_say(message.kind()) {
            return self.channel.note_untold();
        }
        self.note_close(CloseCode::TRY_AGAIN_LATER, |connection, turn| connection.send(message, turn));
    }

    /// Closes this client, behind all that was published so far. A code that may not be sent makes a Close
    /// without one; the reason is cut at 123 bytes.
    pub fn close(&mut self, code: CloseCode, reason: &str) {
        self.note_close(code, |connection, turn| connection.close(code, reason, turn));
    }

    /// Does something; if the client is closed by it, it was with `code`.
    fn note_close(&mut self, code: CloseCode, act: impl FnOnce(&mut Connection, &Turn<'_>)) {
        let turn = self.turn();
        let has_closed = self.connection.has_said_all();
        act(self.connection, &turn);
        if !has_closed && self.connection.has_said_all() {
            self.closed = Some(code);
        }
    }

    /// With what the handler closed the client, if it did.
    pub(crate) fn closed(&self) -> Option<CloseCode> {
        self.closed
    }

    fn turn(&self) -> Turn<'c> {
        let head = self.channel.head(self.connection.seat());
        Turn { config: self.config, budget: self.budget, codec: self.codec, now: self.now, head }
    }
}
