//! What comes in: requests and frames become events, and what they are answered with at once.

use super::{Connection, Event, Http, Opening, PageRequest, Patience, Stage, State, Turn, Wanted, WebSocket};
use crate::config::Audience;
use crate::deadline::Deadline;
use crate::http::Refusal;
use crate::http::origin;
use crate::http::path::CleanPath;
use crate::http::request::{self, Request};
use crate::http::response::{Content, Persistence};
use crate::http::route::{Route, route};
use crate::outbox::Body;
use crate::websocket::handshake;
use crate::websocket::message::{Decoder, Event as Said};

impl Connection {
    pub(super) fn next_of_http<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        turn: &Turn<'_>,
    ) -> Option<Event<'a>> {
        let can_answer = self.wants_input();
        let State::Http(http) = &mut self.state else { return None };
        http.drop_body(input);
        if input.is_empty() {
            return None;
        }
        http.is_paused = !can_answer;
        if !can_answer {
            return None;
        }
        let (request, used) = match request::parse(input) {
            Ok(None) => return None,
            Ok(Some(complete)) => complete,
            Err(refusal) => {
                self.refuse(refusal, Content::Sent, turn);
                return Some(Event::Refusal(refusal));
            }
        };
        http.body_left = request.body_bytes;
        http.waits_for = Wanted::NextRequest;
        self.deadline = Deadline::after(turn.now.tick, turn.config.limits.keep_alive);
        let event = self.answer(&request, turn);
        let _head = input.split_off_mut(..used);
        Some(event)
    }

    fn answer(&mut self, request: &Request<'_>, turn: &Turn<'_>) -> Event<'static> {
        let outcome = match route(request) {
            Ok(Route::Broadcast) => self.open(request, turn.config.audience, turn),
            Ok(Route::Echo) => self.open(request, Audience::Sender, turn),
            Ok(Route::Page(content)) => page(request, content),
            Err(refusal) => Err(refusal),
        };
        outcome.unwrap_or_else(|refusal| {
            let content = match request.method {
                request::Method::Head => Content::Omitted,
                request::Method::Get | request::Method::Other => Content::Sent,
            };
            self.refuse(refusal, content, turn);
            Event::Refusal(refusal)
        })
    }

    fn open(
        &mut self,
        request: &Request<'_>,
        audience: Audience,
        turn: &Turn<'_>,
    ) -> Result<Event<'static>, Refusal> {
        let handshake = handshake::check(request, &turn.config.protocols)?;
        origin::check(request, &turn.config.origins, self.peer)?;
        self.push(Body::Bytes(handshake.response()), turn);
        self.state =
            State::WebSocket(WebSocket { decoder: Decoder::default(), audience, stage: Stage::Open });
        self.heard(turn);
        Ok(Event::Open(Opening { target: request.target.to_owned(), audience }))
    }

    pub(super) fn next_of_websocket<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        turn: &Turn<'_>,
    ) -> Option<Event<'a>> {
        loop {
            let State::WebSocket(websocket) = &mut self.state else { return None };
            let is_closing = websocket.stage == Stage::Closing;
            match websocket.decoder.decode(input, turn.config.limits.message_bytes_max) {
                Ok(None) => return None,
                // Data that crosses our Close on its way is not taken any more.
                Ok(Some(Said::Message(_))) if is_closing => {}
                Ok(Some(Said::Message(message))) => return Some(Event::Message(message)),
                Ok(Some(Said::Ping(payload))) => self.pong(&payload, turn),
                Ok(Some(Said::Pong)) => {}
                Ok(Some(Said::Close(code, reason))) => {
                    self.say_close(code, &reason, turn);
                    self.end(Patience::Whole, turn);
                    return Some(Event::Close(code, reason));
                }
                Err(violation) => {
                    self.say_close(violation.close_code(), "", turn);
                    self.end(Patience::Whole, turn);
                    return Some(Event::Violation(violation));
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

fn page(request: &Request<'_>, content: Content) -> Result<Event<'static>, Refusal> {
    let path = CleanPath::parse(request.target)?;
    let persistence = if request.keeps_alive() { Persistence::KeepAlive } else { Persistence::Close };
    Ok(Event::Page(PageRequest { path, content, persistence }))
}
