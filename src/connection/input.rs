//! What comes in: requests and frames become events, and what they are answered with at once.

use super::{
    Connection, Event, Http, Opening, PageRequest, Patience, Role, Stage, State, StatsRequest, Turn, Wanted,
    Wish,
};
use crate::config::{Audience, Config, Legacy};
use crate::deadline::Deadline;
use crate::format::WireFormat;
use crate::http::Refusal;
use crate::http::body::Framing;
use crate::http::coding::Accepted;
use crate::http::conditional::Conditions;
use crate::http::origin;
use crate::http::path::CleanPath;
use crate::http::request::{self, Request};
use crate::http::response::{Head, Persistence, Status};
use crate::http::route::{Route, route};
use crate::limits::READ_BYTES_MAX;
use crate::outbox::Body;
use crate::websocket::decoder::Rules;
use crate::websocket::handshake::{self, Terms};
use crate::websocket::legacy::handshake::{self as legacy, KEY3_BYTES};
use crate::websocket::message::Event as Said;

/// The third key of a handshake of the older draft.
type Key3 = [u8; KEY3_BYTES];

/// What belongs to a request beside what its head says.
#[derive(Clone, Copy)]
struct Rest<'r> {
    /// The head as it was on the wire.
    head: &'r [u8],
    key3: Option<Key3>,
    /// The client waits to be told to send the body.
    is_body_awaited: bool,
}

impl Connection {
    pub(super) fn next_of_http<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        turn: &Turn<'_>,
    ) -> Option<Event<'a>> {
        let can_answer = self.wants_input();
        let State::Http(http) = &mut self.state else { return None };
        http.drop_body(input);
        drop_empty_lines(input);
        if input.is_empty() {
            return None;
        }
        http.is_paused = !can_answer;
        if !can_answer {
            return None;
        }
        let (request, mut used) = match request::parse(input) {
            Ok(None) => return None,
            Ok(Some(complete)) => complete,
            Err(refusal) => {
                self.refuse(refusal, request::content_of_refusal(input), turn);
                return Some(Event::Refusal(refusal, request::asked_for(input).map(Box::new)));
            }
        };
        let mut key3 = None;
        if turn.config.legacy == Legacy::Spoken && handshake::is_of_the_draft(&request) {
            // Its third key stands behind the head, and no header tells.
            key3 = Some(*input[used..].first_chunk()?);
            used += KEY3_BYTES;
        }
        if let Framing::Length(length) = request.body {
            http.body_left = length;
        }
        http.waits_for = Wanted::NextRequest;
        self.deadline = Deadline::after(turn.now.tick, turn.config.limits.keep_alive);
        let is_body_awaited = request.awaits_continue && request.body.has_body() && used == input.len();
        let event = self.answer(&request, Rest { head: &input[..used], key3, is_body_awaited }, turn);
        let _head = input.split_off_mut(..used);
        Some(event)
    }

    /// Answers a request, or says what it asks for.
    fn answer(&mut self, request: &Request<'_>, rest: Rest<'_>, turn: &Turn<'_>) -> Event<'static> {
        self.try_answer(request, rest, turn).unwrap_or_else(|refusal| {
            self.refuse(refusal, request.method.content(), turn);
            Event::Refusal(refusal, Some(Box::new(request.asked())))
        })
    }

    fn try_answer(
        &mut self,
        request: &Request<'_>,
        rest: Rest<'_>,
        turn: &Turn<'_>,
    ) -> Result<Event<'static>, Refusal> {
        match route(request)? {
            Route::Broadcast => self.open(request, rest, turn.config.audience, turn),
            Route::Echo => self.open(request, rest, Audience::Sender, turn),
            Route::Inspect => self.ask_to_watch(request, turn),
            Route::Page(content) => {
                let path = CleanPath::parse(&request.target);
                let persistence = persistence(request);
                self.say_continue(persistence, rest.is_body_awaited, turn);
                let page = PageRequest {
                    asked: request.asked(),
                    path,
                    content,
                    accepted: Accepted::parse(&request.headers),
                    conditions: Conditions::parse(&request.headers),
                    persistence,
                };
                Ok(Event::Page(Box::new(page)))
            }
            Route::Stats(content) => {
                let persistence = persistence(request);
                self.say_continue(persistence, rest.is_body_awaited, turn);
                let asked = request.asked();
                Ok(Event::Stats(Box::new(StatsRequest { asked, content, persistence })))
            }
            Route::Options => {
                let persistence = persistence(request);
                self.say_continue(persistence, rest.is_body_awaited, turn);
                self.respond_with_options(persistence, turn);
                Ok(Event::Answered(request.asked()))
            }
        }
    }

    /// A client that waits with its body is told to send it, where it is going to be dropped: the next request
    /// comes behind it. Who is refused, or whose connection ends, keeps it (RFC 9110 §10.1.1).
    fn say_continue(&mut self, persistence: Persistence, is_body_awaited: bool, turn: &Turn<'_>) {
        if is_body_awaited && persistence == Persistence::KeepAlive {
            let interim = Head::new(Status::Continue, turn.now.unix_seconds).finish();
            self.push(Body::Bytes(interim), turn);
        }
    }

    fn open(
        &mut self,
        request: &Request<'_>,
        rest: Rest<'_>,
        audience: Audience,
        turn: &Turn<'_>,
    ) -> Result<Event<'static>, Refusal> {
        let Config { protocols, compression, legacy, .. } = turn.config;
        let (response, format) = match rest.key3 {
            Some(key3) => {
                let handshake = legacy::check(request, key3, protocols, self.link.scheme)?;
                (handshake.response(), WireFormat::Legacy)
            }
            None => {
                let terms = Terms { protocols, compression: *compression, legacy: *legacy };
                let handshake = handshake::check(request, &terms)?;
                (handshake.response(), WireFormat::agreed(handshake.agreement()))
            }
        };
        origin::check(request, &turn.config.origins, self.link.peer)?;
        // What is traced are frames of RFC 6455.
        let trace = match format {
            WireFormat::Legacy => None,
            WireFormat::Plain | WireFormat::Deflate | WireFormat::DeflateSmall => {
                self.trace_request(request, rest.head, turn)
            }
        };
        self.push(Body::Bytes(response), turn);
        self.become_websocket(format, Role::Client(audience), turn);
        Ok(Event::Open(Opening { target: request.target.clone().into_owned(), audience, trace }))
    }

    pub(super) fn next_of_websocket<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        turn: &Turn<'_>,
    ) -> Option<Event<'a>> {
        loop {
            let State::WebSocket(websocket) = &mut self.state else { return None };
            if websocket.stage == Stage::Deaf {
                *input = &mut [];
                return None;
            }
            let is_closing = websocket.stage == Stage::Closing;
            let role = websocket.role;
            let rules = Rules {
                dialect: websocket.format.dialect(),
                message_bytes_max: turn.config.limits.message_bytes_max,
                budget: turn.budget,
                codec: turn.codec,
            };
            match websocket.decoder.decode(input, &rules) {
                Ok(None) => return None,
                // Data that crosses our Close on its way is not taken any more; but decompressed it was, so the rest of it
                // may have to wait.
                Ok(Some(Said::Message(_))) if is_closing => {
                    if turn.codec.effort() > READ_BYTES_MAX {
                        return None;
                    }
                }
                Ok(Some(Said::Message(message))) if role == Role::Viewer => {
                    return Some(Event::Wish(Wish::of(&message)));
                }
                Ok(Some(Said::Message(message))) => return Some(Event::Message(message)),
                Ok(Some(Said::Ping(payload))) => self.pong(&payload, turn),
                Ok(Some(Said::Pong)) => {}
                Ok(Some(Said::Close(code, reason))) => {
                    self.say_close(code, &reason, turn);
                    self.end(Patience::Whole, turn);
                    return Some(Event::Close(code, reason));
                }
                Err(violation) => {
                    return Some(self.violated(violation, turn));
                }
            }
        }
    }
}

impl Http {
    fn drop_body(&mut self, input: &mut &mut [u8]) {
        let length = usize::try_from(self.body_left).unwrap_or(usize::MAX).min(input.len());
        let dropped = input.split_off_mut(..length).map_or(0, |body| body.len());
        self.body_left -= dropped as u64;
    }
}

/// In front of a request they mean nothing (RFC 9112 §2.2): one of them is no request that has begun.
fn drop_empty_lines(input: &mut &mut [u8]) {
    while input.starts_with(b"\r\n") {
        let _line = input.split_off_mut(..2);
    }
}

/// What becomes of the connection behind the answer. Chunks are not read: behind them nothing can be found.
fn persistence(request: &Request<'_>) -> Persistence {
    match request.body {
        Framing::Length(_) if request.keeps_alive() => Persistence::KeepAlive,
        Framing::Length(_) | Framing::Chunked => Persistence::Close,
    }
}
