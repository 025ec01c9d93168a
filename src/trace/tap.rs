//! The bytes of one direction become records.

use super::Trace;
use super::record::{Content, Direction, Frame, Record, Shape, What};
use crate::limits::{REQUEST_HEAD_BYTES_MAX, TRACED_FRAME_BYTES};

/// Watches one direction of a connection. A few hundred bytes, however long a frame is.
#[derive(Debug)]
pub struct Tap {
    direction: Direction,
    /// Bytes that come first and are not looked at.
    skipped: u64,
    state: State,
    /// What the payload of a fragment is.
    message: Content,
}

#[derive(Debug)]
enum State {
    /// In a response's head, of which this is there.
    Head(Vec<u8>),
    /// In a frame, of whose first bytes so many are there.
    Frame([u8; TRACED_FRAME_BYTES], usize),
}

impl Tap {
    /// Of what a client sends behind its request.
    pub fn of_frames() -> Self {
        let state = State::Frame([0; TRACED_FRAME_BYTES], 0);
        Self { direction: Direction::In, skipped: 0, state, message: Content::Opaque }
    }

    /// Of what a client is sent: behind so many bytes that are other responses, the response that makes it a WebSocket,
    /// and frames.
    pub fn of_responses(skipped: u64) -> Self {
        let state = State::Head(Vec::new());
        Self { direction: Direction::Out, skipped, state, message: Content::Opaque }
    }

    /// Takes bytes as they went by, and puts down what came of them. A frame is put down when its end was here, or as
    /// much of it as is kept.
    pub fn receive(&mut self, mut bytes: &[u8], at_us: u64, trace: &mut Trace) {
        loop {
            let passed = usize::try_from(self.skipped).unwrap_or(usize::MAX).min(bytes.len());
            self.skipped -= passed as u64;
            bytes = &bytes[passed..];
            if bytes.is_empty() {
                return;
            }
            let what = match &self.state {
                State::Head(_) => self.take_of_head(&mut bytes),
                State::Frame(..) => self.take_of_frame(&mut bytes),
            };
            if let Some(what) = what {
                trace.push(Record { at_us, direction: self.direction, what });
            }
        }
    }

    /// Nothing more comes: a frame that was cut off is put down as far as it is there, if its header is.
    pub fn end(&mut self, at_us: u64, trace: &mut Trace) {
        let State::Frame(wire, used) = &self.state else { return };
        if let Ok(shape) = Shape::parse(&wire[..*used]) {
            let frame = Frame { wire: *wire, used: *used, shape, content: self.content(&shape) };
            trace.push(Record { at_us, direction: self.direction, what: What::Frame(frame) });
        }
        self.state = State::Frame([0; TRACED_FRAME_BYTES], 0);
    }

    fn take_of_head(&mut self, bytes: &mut &[u8]) -> Option<What> {
        let State::Head(head) = &mut self.state else { return None };
        let before = head.len();
        // Ours are far shorter.
        let room = REQUEST_HEAD_BYTES_MAX - before;
        head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let from = before.saturating_sub(3);
        let end = head[from..].windows(4).position(|four| four == b"\r\n\r\n").map(|at| from + at + 4);
        let end = end.or((head.len() == REQUEST_HEAD_BYTES_MAX).then_some(head.len()));
        let Some(end) = end else {
            *bytes = &[];
            return None;
        };
        *bytes = &bytes[end - before..];
        head.truncate(end);
        let head = std::mem::take(head);
        self.state = State::Frame([0; TRACED_FRAME_BYTES], 0);
        Some(What::Handshake(head.into()))
    }

    fn take_of_frame(&mut self, bytes: &mut &[u8]) -> Option<What> {
        let State::Frame(wire, used) = &mut self.state else { return None };
        let shape = loop {
            let known = Shape::parse(&wire[..*used]);
            let wanted = match known {
                Ok(shape) => {
                    usize::try_from(shape.frame_bytes()).unwrap_or(usize::MAX).min(TRACED_FRAME_BYTES)
                }
                Err(wanted) => wanted,
            };
            if let Ok(shape) = known
                && *used == wanted
            {
                break shape;
            }
            let taken = bytes.len().min(wanted - *used);
            if taken == 0 {
                return None;
            }
            wire[*used..*used + taken].copy_from_slice(&bytes[..taken]);
            *bytes = &bytes[taken..];
            *used += taken;
        };
        let (wire, used) = (*wire, *used);
        self.skipped = shape.frame_bytes() - used as u64;
        self.state = State::Frame([0; TRACED_FRAME_BYTES], 0);
        let content = self.content(&shape);
        if matches!(shape.opcode, 1 | 2) {
            self.message = content;
        }
        Some(What::Frame(Frame { wire, used, shape, content }))
    }

    fn content(&self, shape: &Shape) -> Content {
        match (shape.opcode, shape.rsv) {
            (0, 0) => self.message,
            (1, 0) => Content::Text,
            (8, 0) => Content::Close,
            _ => Content::Opaque,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use proptest::prelude::*;

    /// Bytes of a client, cut where `cuts` says.
    fn records(tap: &mut Tap, wire: &[u8], step: usize) -> Vec<String> {
        let mut trace = Trace::new(&Budget::new(usize::MAX));
        wire.chunks(step).for_each(|read| tap.receive(read, 0, &mut trace));
        tap.end(0, &mut trace);
        std::iter::from_fn(|| trace.pop()).collect()
    }

    fn wires(records: &[String]) -> Vec<&str> {
        let wire = |json: &'_ str| json.find("\"wire\":\"").map(|at| at + 8);
        records.iter().filter_map(|json| json[wire(json)?..].split('"').next()).collect()
    }

    /// RFC 6455 §5.7, and what it does not allow.
    #[test]
    fn frames_wherever_they_are_cut() {
        let long = [&b"\x82\x7e\x01\x00"[..], &[0xAB; 256]].concat();
        let rows: [(&[u8], &[&str]); 9] = [
            (b"\x81\x05Hello", &["810548656c6c6f"]),
            (b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", &["818537fa213d7f9f4d5158"]),
            (b"\x01\x03Hel\x80\x02lo", &["010348656c", "80026c6f"]),
            (b"\x89\x05Hello\x8a\x00", &["890548656c6c6f", "8a00"]),
            (b"\xf3\x80\0\0\0\0\x81\x01a", &["f38000000000", "810161"]),
            (&[&long[..], b"\x8a\x00"].concat(), &[&("827e0100".to_owned() + &"ab".repeat(60)), "8a00"]),
            (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0ab", &["82ffffffffffffffffff000000006162"]),
            (b"\x81\x85\x37\xfa\x21", &[]),
            (b"\x81\x05He", &["81054865"]),
        ];
        for (wire, want) in rows {
            for step in [wire.len(), 1, 3] {
                let got = records(&mut Tap::of_frames(), wire, step);
                assert_eq!(wires(&got), want, "{wire:x?}, {step} bytes a read");
            }
        }
    }

    #[test]
    fn the_response_behind_others() {
        let wire = b"HTTP/1.1 200 OK\r\n\r\nbodyHTTP/1.1 101 S\r\nA: b\r\n\r\n\x81\x01a";
        for step in [wire.len(), 1, 5] {
            let got = records(&mut Tap::of_responses(23), wire, step);
            assert_eq!(got.len(), 2, "{got:?}");
            assert!(got[0].contains("\"HTTP/1.1 101 S\\r\\nA: b\\r\\n\\r\\n\""), "{got:?}");
        }
    }

    #[test]
    fn what_is_text_is_shown() {
        let wire = b"\x01\x02He\x89\x01p\x00\x02ll\x80\x01o\x41\x02\xf2\x48\x80\x01x\x02\x01b\x80\x01c";
        let previews: Vec<_> = records(&mut Tap::of_frames(), wire, 4)
            .iter()
            .map(|json| json.split("\"preview\":").nth(1).map(str::to_owned))
            .collect();
        let want = ["\"He\"}", "null}", "\"ll\"}", "\"o\"}", "null}", "null}", "null}", "null}"];
        assert_eq!(previews, want.map(|preview| Some(preview.to_owned())));
    }

    proptest! {
        /// Whatever comes, and however it is cut: the same records, and all bytes are in one of them.
        #[test]
        fn cuts_do_not_show(wire in prop::collection::vec(any::<u8>(), 0..400), step in 1..50_usize) {
            let whole = records(&mut Tap::of_frames(), &wire, wire.len().max(1));
            prop_assert_eq!(&whole, &records(&mut Tap::of_frames(), &wire, step));
            prop_assert!(wires(&whole).iter().map(|hex| hex.len() / 2).sum::<usize>() <= wire.len());
        }
    }
}
