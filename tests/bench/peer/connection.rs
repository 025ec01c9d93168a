//! One connection: what came in, what is to go out, and how far it is.

use super::Seen;
use super::delivery::{Message, Receiver, frame};
use super::fault::{BEFORE_THE_END, Fault};
use super::handshake::{Answer, Head, answer, refuse};
use super::stream::Stream;
use fanfare::websocket::frame::{Header, Opcode};
use fanfare::websocket::mask;
use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::time::Instant;

/// How much of a head that does not end is written at a time.
const ENDLESS_BYTES: usize = 64 * 1024;

/// What is asked of a connection next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its request.
    Handshake,
    /// Its messages.
    Open,
    /// Its Close, as an answer.
    Closing,
    /// More bytes of its head.
    Endless,
    /// Its end, once all is sent.
    Leaving,
    /// Nothing: it is gone.
    Gone,
}

pub(super) struct Connection {
    stream: Stream,
    source: Option<IpAddr>,
    pub(super) stage: Stage,
    /// Whether nothing more will come.
    is_at_end: bool,
    /// Its place among those whose handshake was asked for, from 1; 0 before that.
    number: u64,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    /// What has come of a message in fragments.
    fragments: Option<Message>,
    last_key: Option<[u8; 4]>,
    receiver: Receiver,
}

impl Connection {
    pub(super) fn new(stream: Stream, source: Option<IpAddr>) -> Self {
        Self {
            stream,
            source,
            stage: Stage::Handshake,
            is_at_end: false,
            number: 0,
            inbox: Vec::new(),
            outbox: Vec::new(),
            fragments: None,
            last_key: None,
            receiver: Receiver::default(),
        }
    }

    pub(super) fn has_output(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Reads all there is. What came before the end is still to be taken.
    pub(super) fn read(&mut self) {
        let mut piece = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return self.is_at_end = true,
                Ok(length) => self.inbox.extend_from_slice(&piece[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.is_at_end = true,
            }
        }
    }

    /// Answers the handshake, if all of it has come. `requests` counts them.
    pub(super) fn answer(&mut self, fault: Fault, requests: &mut u64, seen: &Seen) {
        if self.stage != Stage::Handshake || self.number != 0 {
            return;
        }
        let Some(end) = self.inbox.windows(4).position(|window| window == b"\r\n\r\n") else { return };
        *requests += 1;
        self.number = *requests;
        let text = String::from_utf8_lossy(&self.inbox[..end]).into_owned();
        self.inbox.drain(..end + 4);
        let answer = match Head::parse(&text) {
            Some(head) => {
                let violation = head.violation();
                violation.iter().for_each(|words| seen.note_violation(words));
                seen.note_request(head.clone(), self.source);
                answer(&head, self.number, fault)
            }
            None => {
                seen.note_violation("a request that is none");
                refuse(400, "")
            }
        };
        self.take(answer, fault, seen);
    }

    fn take(&mut self, answer: Answer, fault: Fault, seen: &Seen) {
        let (text, stage) = match answer {
            Answer::Open(text) => (text, Stage::Open),
            Answer::Refuse(text) => (text, Stage::Leaving),
            Answer::Endless(text) => (text, Stage::Endless),
            Answer::Silence => return,
        };
        self.outbox.extend_from_slice(text.as_bytes());
        self.stage = stage;
        match stage {
            Stage::Open => {
                seen.opened.add(1);
                Receiver::welcome(fault, &mut self.outbox);
            }
            Stage::Leaving => seen.refused.add(1),
            Stage::Handshake | Stage::Closing | Stage::Endless | Stage::Gone => {}
        }
    }

    /// Takes the frames that have come whole; gives their messages.
    pub(super) fn messages(&mut self, seen: &Seen) -> Vec<Message> {
        let mut messages = Vec::new();
        let mut used = 0;
        while self.stage == Stage::Open || self.stage == Stage::Closing {
            let Some((header, mut payload, length)) = self.next_frame(used, seen) else { break };
            used += length;
            self.check_key(&header, seen);
            if let Some(key) = header.masking_key {
                mask::apply(&mut payload, key, 0);
            }
            messages.extend(self.take_frame(header, payload, seen));
        }
        self.inbox.drain(..used);
        if self.is_at_end {
            self.stage = Stage::Gone;
        }
        messages
    }

    /// The frame at a place of the inbox, its payload as it came, and its whole length.
    fn next_frame(&mut self, at: usize, seen: &Seen) -> Option<(Header, Vec<u8>, usize)> {
        match Header::parse(&self.inbox[at..]) {
            Ok(Some((header, length))) => {
                let start = at + length;
                let end = start.checked_add(usize::try_from(header.length).ok()?)?;
                let payload = self.inbox.get(start..end)?.to_vec();
                Some((header, payload, end - at))
            }
            Ok(None) => None,
            Err(violation) => {
                seen.note_violation(&format!("{violation:?}"));
                self.stage = Stage::Gone;
                None
            }
        }
    }

    /// Each frame has a key of its own that nobody could foretell (§5.3).
    fn check_key(&mut self, header: &Header, seen: &Seen) {
        if header.masking_key.is_none() {
            seen.note_violation("a frame that is not masked");
        }
        if self.last_key == header.masking_key {
            seen.keys_repeated.add(1);
        }
        self.last_key = header.masking_key;
    }

    fn take_frame(&mut self, header: Header, payload: Vec<u8>, seen: &Seen) -> Option<Message> {
        match header.opcode {
            Opcode::Ping => frame(true, Opcode::Pong, &payload, &mut self.outbox),
            Opcode::Pong => seen.pongs.add(1),
            Opcode::Close => self.take_close(&payload, seen),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                let mut message = match (self.fragments.take(), header.opcode) {
                    (Some(begun), Opcode::Continuation) => begun,
                    (None, opcode @ (Opcode::Text | Opcode::Binary)) => {
                        Message { opcode, payload: Vec::new() }
                    }
                    (_, opcode) => {
                        seen.note_violation(&format!("{opcode:?} where it cannot come"));
                        return None;
                    }
                };
                message.payload.extend_from_slice(&payload);
                if header.fin {
                    return self.take_message(message, seen);
                }
                self.fragments = Some(message);
            }
        }
        None
    }

    fn take_message(&self, message: Message, seen: &Seen) -> Option<Message> {
        if message.opcode == Opcode::Text && std::str::from_utf8(&message.payload).is_err() {
            seen.note_violation("a text that is not UTF-8");
        }
        seen.messages.add(1);
        // Who was told to go may still speak, but nobody listens.
        (self.stage == Stage::Open).then_some(message)
    }

    fn take_close(&mut self, payload: &[u8], seen: &Seen) {
        let code = payload.first_chunk().map(|&code| u16::from_be_bytes(code));
        match code {
            Some(1000 | 1001) => seen.closed_normally.add(1),
            Some(1002) => seen.closed_for_protocol.add(1),
            Some(_) | None => {}
        }
        if self.stage == Stage::Open {
            frame(true, Opcode::Close, payload, &mut self.outbox);
        }
        self.stage = Stage::Leaving;
    }

    /// Gives it a message, and ends it where the fault says so.
    pub(super) fn deliver(&mut self, message: &Message, fault: Fault, seen: &Seen, now: Instant) {
        if self.stage != Stage::Open {
            return;
        }
        self.receiver.deliver(message, fault, seen, now, &mut self.outbox);
        if self.receiver.deliveries == BEFORE_THE_END {
            self.end(fault, seen);
        }
    }

    fn end(&mut self, fault: Fault, seen: &Seen) {
        if let Fault::CloseOneIn(every, code) = fault
            && self.number.is_multiple_of(every)
        {
            let payload = [&code.to_be_bytes()[..], b"on purpose"].concat();
            frame(true, Opcode::Close, &payload, &mut self.outbox);
            self.stage = Stage::Closing;
            seen.ended.add(1);
        }
        if let Fault::HangUpOneIn(every) = fault
            && self.number.is_multiple_of(every)
        {
            self.stage = Stage::Leaving;
            seen.ended.add(1);
        }
        if let Fault::ResetOneIn(every) = fault
            && self.number.is_multiple_of(every)
        {
            self.stream.end_with_reset().expect("it can be told to linger not");
            self.stage = Stage::Gone;
            seen.ended.add(1);
        }
    }

    /// Sends what was held back for too long.
    pub(super) fn release(&mut self, seen: &Seen, now: Instant) {
        if self.stage == Stage::Open {
            self.receiver.release(seen, now, &mut self.outbox);
        }
    }

    /// Sends what the socket takes; with [`Fault::OneByteWrites`] a piece.
    pub(super) fn flush(&mut self, fault: Fault, seen: &Seen) {
        if self.stream.flush().is_err() {
            self.stage = Stage::Gone;
        }
        let mut sent = 0;
        while self.stage != Stage::Gone && seen.stop.get() == 0 {
            if self.stage == Stage::Endless && sent == self.outbox.len() {
                seen.head_bytes.add(sent as u64);
                self.outbox = vec![b'a'; ENDLESS_BYTES];
                sent = 0;
            }
            let mut rest = &self.outbox[sent..];
            if fault == Fault::OneByteWrites {
                // A head in single bytes is taken for an attack by some clients.
                let piece = if self.receiver.deliveries == 0 { 8 } else { 1 };
                rest = &rest[..rest.len().min(piece)];
            }
            if rest.is_empty() || fault == Fault::OneByteWrites && sent > 0 {
                break;
            }
            match self.stream.write(rest) {
                Ok(length) => sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.stage = Stage::Gone,
            }
        }
        self.outbox.drain(..sent);
        if self.stage == Stage::Leaving && self.outbox.is_empty() {
            self.stage = Stage::Gone;
        }
    }

    pub(super) fn register(&mut self, registry: &mio::Registry, token: mio::Token) -> std::io::Result<()> {
        self.stream.register(registry, token)
    }
}
