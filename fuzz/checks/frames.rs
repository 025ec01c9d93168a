//! The decoder of frames, whole and cut, beside a reader that wants everything at once.

use super::input::Input;
use fanfare::budget::Budget;
use fanfare::message::Kind;
use fanfare::websocket::Violation;
use fanfare::websocket::codec::Codec;
use fanfare::websocket::decoder::{Decoder, Dialect, Rules};
use fanfare::websocket::frame::Header;
use fanfare::websocket::message::Event;
use fanfare::{CloseCode, Message};
use std::borrow::Cow;
use std::str;

/// What came out, the refusal at its end included.
pub(super) type Outcome = Result<Event<'static>, Violation>;

/// The input: cuts, which limit, then what a client sends.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let cuts = input.cuts();
    let limit = [1 << 20, 0, 1, 125, 126, 1_000, 1 << 16][input.below(7)];
    let wire = input.rest();

    header_there_and_back(wire);
    let whole = decode([wire].into_iter(), Dialect::Plain, limit);
    let cut = decode(cuts.pieces(wire), Dialect::Plain, limit);
    assert_eq!(whole, cut, "whole, and cut by {cuts:?}");
    whole.iter().flatten().for_each(|event| keeps_its_bounds(event, limit));
    agrees(&whole, &read_naively(wire, limit));
}

/// What the header parser takes, it gives back; with less it waits; a refusal comes with the byte that earns it.
fn header_there_and_back(wire: &[u8]) {
    match Header::parse(wire) {
        Ok(Some((header, used))) => {
            assert_eq!(*header.write(), wire[..used]);
            for cut in 0..used {
                assert_eq!(Header::parse(&wire[..cut]), Ok(None), "cut at {cut}");
            }
        }
        Ok(None) => assert!(wire.len() < 14, "14 bytes are a header"),
        Err(violation) => {
            let told = (0..wire.len()).find(|&cut| Header::parse(&wire[..cut]) != Ok(None));
            let told = told.map_or(Err(violation), |cut| Header::parse(&wire[..cut]).map(|_| ()));
            assert_eq!(told, Err(violation), "more bytes do not change what is wrong");
        }
    }
}

/// What comes of these reads, in a dialect.
pub(super) fn decode<'a>(
    reads: impl Iterator<Item = &'a [u8]>,
    dialect: Dialect,
    limit: usize,
) -> Vec<Outcome> {
    let (budget, codec) = (Budget::new(usize::MAX), Codec::default());
    let rules = Rules { dialect, message_bytes_max: limit, budget: &budget, codec: &codec };
    let mut decoder = Decoder::default();
    let mut outcomes = Vec::new();
    for read in reads {
        let mut read = read.to_vec();
        let mut input = &mut read[..];
        loop {
            match decoder.decode(&mut input, &rules) {
                Ok(Some(event)) => outcomes.push(Ok(owned(event))),
                Ok(None) => break,
                Err(violation) => {
                    outcomes.push(Err(violation));
                    return outcomes;
                }
            }
        }
        assert!(input.is_empty(), "nothing comes of it, so it was taken");
    }
    outcomes
}

fn owned(event: Event<'_>) -> Event<'static> {
    match event {
        Event::Message(message) => Event::Message(match message.kind() {
            Kind::Text => Message::text(message.as_text().expect("text is UTF-8").to_owned()),
            Kind::Binary => Message::binary(message.payload().to_vec()),
        }),
        Event::Ping(payload) => Event::Ping(Cow::Owned(payload.into_owned())),
        Event::Pong => Event::Pong,
        Event::Close(code, reason) => Event::Close(code, reason),
    }
}

fn keeps_its_bounds(event: &Event<'_>, limit: usize) {
    match event {
        Event::Message(message) => assert!(message.payload().len() <= limit),
        Event::Ping(payload) => assert!(payload.len() <= 125),
        Event::Pong => {}
        Event::Close(code, reason) => {
            assert!(code.may_be_sent() || *code == CloseCode::NO_STATUS);
            assert!(reason.len() <= 123);
        }
    }
}

/// What the naive reader made of the same bytes.
struct Reading {
    events: Vec<Event<'static>>,
    /// The close code that the first thing wrong in a frame that is there as a whole earns.
    wrong: Option<u16>,
}

/// The same events. The decoder may tell what is wrong before the frame is there as a whole, never later.
fn agrees(outcomes: &[Outcome], reading: &Reading) {
    let events: Vec<_> = outcomes.iter().flatten().collect();
    assert_eq!(events, reading.events.iter().collect::<Vec<_>>());
    let told = outcomes.last().and_then(|outcome| outcome.as_ref().err());
    let told = told.map(|violation| violation.close_code().0);
    if reading.wrong.is_some() {
        assert_eq!(told, reading.wrong);
    }
}

/// RFC 6455 §5.2 to §5.6 for one who has all the time and memory: frame by frame, each as a whole.
fn read_naively(mut wire: &[u8], limit: usize) -> Reading {
    let mut reading = Reading { events: Vec::new(), wrong: None };
    let mut begun: Option<(bool, Vec<u8>)> = None;
    while let Some((frame, rest)) = Frame::take(wire) {
        wire = rest;
        match frame.judge(&mut begun, limit) {
            Ok(Some(event)) => reading.events.push(event),
            Ok(None) => {}
            Err(code) => {
                reading.wrong = Some(code);
                break;
            }
        }
    }
    reading
}

/// A frame as it lies there, right or wrong.
struct Frame {
    first: u8,
    short: u8,
    length: u64,
    is_masked: bool,
    payload: Vec<u8>,
}

impl Frame {
    fn take(wire: &[u8]) -> Option<(Self, &[u8])> {
        let (&[first, second], mut rest) = wire.split_first_chunk()?;
        let (short, is_masked) = (second & 127, second >= 128);
        let extended = match short {
            126 => rest.split_off(..2)?,
            127 => rest.split_off(..8)?,
            _ => &[],
        };
        let number = extended.iter().fold(0, |number: u64, &byte| number * 256 + u64::from(byte));
        let length = if extended.is_empty() { u64::from(short) } else { number };
        let key = if is_masked { rest.split_off(..4)? } else { &[0; 4] };
        let masked = rest.split_off(..usize::try_from(length).ok()?)?;
        let payload = masked.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        Some((Self { first, short, length, is_masked, payload }, rest))
    }

    /// The event that ends with this frame, if one does; or the code of the Close that it earns.
    fn judge(self, begun: &mut Option<(bool, Vec<u8>)>, limit: usize) -> Result<Option<Event<'static>>, u16> {
        let (is_last, reserved, opcode) = (self.first >= 128, self.first & 0x70, self.first & 15);
        let is_minimal = match self.short {
            126 => self.length > 125,
            127 => self.length > 65_535,
            _ => true,
        };
        let is_control = opcode >= 8;
        if reserved != 0
            || !matches!(opcode, 0..=2 | 8..=10)
            || !is_minimal
            || !self.is_masked
            || (is_control && (!is_last || self.length > 125))
        {
            return Err(1002);
        }
        match (opcode, &begun) {
            (8, _) => return read_close(&self.payload).map(Some),
            (9, _) => return Ok(Some(Event::Ping(Cow::Owned(self.payload)))),
            (10, _) => return Ok(Some(Event::Pong)),
            (0, None) | (1 | 2, Some(_)) => return Err(1002),
            (_, _) => {}
        }
        let (is_text, mut message) = begun.take().unwrap_or((opcode == 1, Vec::new()));
        message.extend(self.payload);
        if message.len() > limit {
            return Err(1009);
        }
        match str::from_utf8(&message) {
            Err(error) if is_text && (is_last || error.error_len().is_some()) => return Err(1007),
            Ok(_) | Err(_) => {}
        }
        if !is_last {
            *begun = Some((is_text, message));
            return Ok(None);
        }
        let message = match is_text {
            true => Message::text(String::from_utf8(message).expect("it was looked at")),
            false => Message::binary(message),
        };
        Ok(Some(Event::Message(message)))
    }
}

/// What is right here has a check of its own, `close`.
fn read_close(body: &[u8]) -> Result<Event<'static>, u16> {
    let Some((&[high, low], reason)) = body.split_first_chunk() else {
        let nothing = Event::Close(CloseCode::NO_STATUS, String::new());
        return if body.is_empty() { Ok(nothing) } else { Err(1002) };
    };
    let code = CloseCode(u16::from_be_bytes([high, low]));
    if !code.may_be_sent() {
        return Err(1002);
    }
    let reason = str::from_utf8(reason).map_err(|_| 1007_u16)?;
    Ok(Event::Close(code, reason.to_owned()))
}
