//! What one receiver gets of the messages, with the faults that are about messages and frames. Knows no socket.

use super::Seen;
use super::fault::{Fault, SPARED};
use fanfare::websocket::frame::{Header, Opcode};
use fanfare::websocket::mask;
use std::time::{Duration, Instant};

/// How long a message is held back for one that would overtake it. Less than anybody waits for stragglers.
pub(super) const HELD_MAX: Duration = Duration::from_millis(100);

/// Every so many deliveries a greeting comes in between.
const GREETING_EVERY: u64 = 50;
const PINGS_OF_A_FLOOD: usize = 20;

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Text or binary.
    pub(super) opcode: Opcode,
    pub(super) payload: Vec<u8>,
}

/// How far one receiver is.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    /// Deliveries to it so far, those that were dropped as well.
    pub(super) deliveries: u64,
    /// Waits for another one to overtake it, since when.
    held: Option<(Message, Instant)>,
}

impl Receiver {
    /// Writes what a newcomer gets.
    pub(super) fn welcome(fault: Fault, out: &mut Vec<u8>) {
        if fault == Fault::Greeting {
            greet(out);
        }
    }

    /// Writes what it gets of a message.
    pub(super) fn deliver(
        &mut self,
        message: &Message,
        fault: Fault,
        seen: &Seen,
        now: Instant,
        out: &mut Vec<u8>,
    ) {
        self.deliveries += 1;
        let number = self.deliveries.saturating_sub(SPARED);
        let is_due = |every: u64| number != 0 && number.is_multiple_of(every);
        if let Fault::DropEvery(every) = fault
            && is_due(every)
        {
            return seen.dropped.add(1);
        }
        if let Fault::ReorderEvery(every) = fault
            && is_due(every)
            && self.held.is_none()
        {
            self.held = Some((message.clone(), now));
            return;
        }
        let mut message = message.clone();
        if let Fault::CorruptEvery(every, corruption) = fault
            && is_due(every)
        {
            corruption.apply(&mut message.payload, seen.corrupted.get());
            seen.corrupted.add(1);
        }
        if fault == Fault::Wrap && message.opcode == Opcode::Text {
            let text = String::from_utf8_lossy(&message.payload);
            message.payload = serde_json::json!({ "from": 7, "text": text }).to_string().into_bytes();
        }
        if fault == Fault::TextAsBinary {
            message.opcode = Opcode::Binary;
        }
        if fault == Fault::Greeting && self.deliveries.is_multiple_of(GREETING_EVERY) {
            greet(out);
        }
        let framing = if number == 0 { Fault::None } else { fault };
        write(&message, framing, seen, out);
        if let Some((held, _)) = self.held.take() {
            seen.reordered.add(1);
            write(&held, framing, seen, out);
        }
        if let Fault::DuplicateEvery(every) = fault
            && is_due(every)
        {
            seen.duplicated.add(1);
            write(&message, fault, seen, out);
        }
    }

    /// Writes what nothing came to overtake.
    pub(super) fn release(&mut self, seen: &Seen, now: Instant, out: &mut Vec<u8>) {
        if let Some((held, _)) = self.held.take_if(|(_, since)| now.duration_since(*since) > HELD_MAX) {
            write(&held, Fault::None, seen, out);
        }
    }
}

/// Unrelated messages: of no length, short, longer than any of a client's, and in its binary no text.
fn greet(out: &mut Vec<u8>) {
    let long =
        r#"{"type":"welcome","to":"everybody","users":[1,2,3,4,5,6,7,8,9,10],"text":"Grüße, 世界 🎺"}"#;
    for text in ["", "hello", "0000000000000000000000000000", long] {
        frame(true, Opcode::Text, text.as_bytes(), out);
    }
    frame(true, Opcode::Binary, &[0xff; 64], out);
}

/// Writes a message in the frames that a fault has for it.
fn write(message: &Message, fault: Fault, seen: &Seen, out: &mut Vec<u8>) {
    seen.delivered.add(1);
    let (opcode, payload) = (message.opcode, message.payload.as_slice());
    let at = out.len();
    if fault == Fault::Fragmented {
        let (first, last) = payload.split_at(payload.len() / 2);
        frame(false, opcode, first, out);
        frame(true, Opcode::Ping, b"in the middle", out);
        frame(false, Opcode::Continuation, b"", out);
        frame(true, Opcode::Ping, b"", out);
        frame(true, Opcode::Continuation, last, out);
        return;
    }
    if fault == Fault::PingFlood {
        (0..PINGS_OF_A_FLOOD).for_each(|_| frame(true, Opcode::Ping, &[b'p'; 125], out));
    }
    if fault == Fault::HugeFrame {
        let header = Header { fin: true, opcode, masking_key: None, length: 1 << 62 };
        out.extend_from_slice(&header.write());
        return out.extend_from_slice(payload);
    }
    if fault == Fault::MaskedFrames {
        let key = [1, 2, 3, 4];
        let length = payload.len() as u64;
        out.extend_from_slice(&Header { fin: true, opcode, masking_key: Some(key), length }.write());
        let start = out.len();
        out.extend_from_slice(payload);
        return mask::apply(&mut out[start..], key, 0);
    }
    frame(true, opcode, payload, out);
    if fault == Fault::ReservedOpcode {
        out[at] = 0x83;
    }
    if fault == Fault::ReservedBit {
        out[at] |= 0x40;
    }
}

/// Writes a frame as a server does.
pub(super) fn frame(fin: bool, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    let header = Header { fin, opcode, masking_key: None, length: payload.len() as u64 };
    out.extend_from_slice(&header.write());
    out.extend_from_slice(payload);
}
