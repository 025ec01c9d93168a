//! What a payload that is there as one piece turns out to be: whole, damaged or somebody else's. Here is what all
//! connections of a run share for it: the pattern, how much of a payload must be ours, and room to inflate one.
//!
//! Must not know: frames, who sent it to whom.

use super::limits::WRAPPING_BYTES_MAX;
use super::plan::Matching;
use super::stamp::{Arrival, Pattern};
#[cfg(feature = "deflate")]
use fanfare::websocket::deflate::Inflater;
use fanfare::websocket::frame::{Encoded, Header, Opcode};
use memchr::memmem::Finder;

/// What all connections of a run share to read what comes in.
pub(crate) struct Judge {
    pattern: Pattern,
    matching: Matching,
    start: Finder<'static>,
    /// What stands before one of our messages when it is one frame, and what kind that is.
    header: Encoded,
    opcode: Opcode,
    #[cfg(feature = "deflate")]
    inflater: Inflater,
    #[cfg(feature = "deflate")]
    inflated: Vec<u8>,
}

impl Judge {
    /// Messages of this pattern, which come back as this kind for the most part.
    pub(crate) fn new(pattern: Pattern, opcode: Opcode, matching: Matching) -> Self {
        let length = pattern.length() as u64;
        let header = Header { fin: true, opcode, masking_key: None, length }.write();
        let start = Finder::new(pattern.start()).into_owned();
        Self {
            pattern,
            matching,
            start,
            header,
            opcode,
            #[cfg(feature = "deflate")]
            inflater: Inflater::new(),
            #[cfg(feature = "deflate")]
            inflated: Vec::new(),
        }
    }

    /// Header, length and opcode of a frame that has one of our messages as it was sent.
    pub(crate) fn usual_frame(&self) -> (&[u8], usize, Opcode) {
        (&self.header, self.pattern.length(), self.opcode)
    }

    /// Bytes of such a frame.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.header.len() + self.pattern.length()
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Whether a payload can be checked in pieces, without keeping it.
    pub(crate) fn takes_pieces(&self) -> bool {
        match self.matching {
            Matching::Whole => true,
            Matching::Contains => false,
        }
    }

    /// Bytes of a payload that are worth keeping: a longer one is none of ours.
    pub(crate) fn payload_bytes_max(&self) -> usize {
        self.pattern.length() + WRAPPING_BYTES_MAX
    }

    /// What a payload is.
    pub(crate) fn inspect(&self, payload: &[u8]) -> Arrival {
        match self.matching {
            Matching::Whole => self.pattern.inspect(payload),
            Matching::Contains => self.find(payload),
        }
    }

    /// What a compressed one is (RFC 7692 §7.2.2). One that cannot be inflated is damaged.
    #[cfg(feature = "deflate")]
    pub(crate) fn inspect_compressed(&mut self, payload: &[u8]) -> Arrival {
        let limit = self.payload_bytes_max();
        let mut inflated = std::mem::take(&mut self.inflated);
        inflated.clear();
        let arrival = match self.inflater.inflate(payload, limit, &mut inflated) {
            Ok(()) => self.inspect(&inflated),
            Err(_) => Arrival::Damaged(None),
        };
        self.inflated = inflated;
        arrival
    }

    /// Without the feature nothing is ever agreed on that would be compressed.
    #[cfg(not(feature = "deflate"))]
    pub(crate) fn inspect_compressed(&mut self, _: &[u8]) -> Arrival {
        Arrival::Damaged(None)
    }

    /// The message wherever it stands.
    fn find(&self, payload: &[u8]) -> Arrival {
        let Some(at) = self.start.find(payload) else { return Arrival::Foreign };
        let end = payload.len().min(at + self.pattern.length());
        self.pattern.inspect(&payload[at..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::stamp::Stamp;

    #[test]
    fn wherever_it_stands() {
        let judge = Judge::new(Pattern::new(9, 64), Opcode::Text, Matching::Contains);
        let stamp = Stamp { sender: 1, sequence: 2, intended_us: 3 };
        let mut message = Vec::new();
        judge.pattern().write(stamp, &mut message);
        let around = |before: &str, message: &[u8], behind: &str| {
            [before.as_bytes(), message, behind.as_bytes()].concat()
        };
        let rows = [
            (around("", &message, ""), Arrival::Whole(stamp)),
            (around(r#"{"text":""#, &message, r#"","from":7}"#), Arrival::Whole(stamp)),
            (around("ff_", &message, "ff_"), Arrival::Whole(stamp)),
            (around("x", &message[..63], ""), Arrival::Damaged(Some(stamp))),
            (around("x", &message[..63], "!"), Arrival::Damaged(Some(stamp))),
            (around("", &message[1..], ""), Arrival::Foreign),
            (around("hello", &[], ""), Arrival::Foreign),
        ];
        for (payload, want) in rows {
            assert_eq!(judge.inspect(&payload), want, "{}", payload.escape_ascii());
        }
    }
}
