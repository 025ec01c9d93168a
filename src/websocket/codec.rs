//! What compresses messages and what decompresses them, once for all connections (RFC 7692 without context takeover).
//!
//! Cheap to clone, like a handle: whoever publishes and whoever reads hold the same. Each tool is made when it is
//! first needed. In a build without the feature `deflate` nothing is agreed to, and so nothing here is asked for.
//!
//! Must not know: frames, who agreed to what.
//!
//! Invariant: nothing is carried over from one message to the next.

use super::Violation;
#[cfg(feature = "deflate")]
pub use super::deflate::deflated_bytes_max;
#[cfg(feature = "deflate")]
use super::deflate::{Deflater, InflateFault, Inflater};
use super::extension::Window;
#[cfg(feature = "deflate")]
use crate::limits::{
    DEFLATE_BYTES_MIN, DEFLATE_LEVEL, DEFLATE_TRIED_BYTES, DEFLATE_TRIED_FROM_BYTES, READ_COST_OF_DEFLATE,
    READ_COST_OF_DEFLATED_BYTE, READ_COST_OF_INFLATE, READ_COST_OF_WASTED_BYTE,
};
#[cfg(feature = "deflate")]
use std::cell::{Cell, RefCell};
#[cfg(feature = "deflate")]
use std::rc::Rc;

/// A handle on the tools.
#[derive(Clone, Debug, Default)]
pub struct Codec {
    #[cfg(feature = "deflate")]
    tools: Rc<Tools>,
}

#[cfg(feature = "deflate")]
#[derive(Debug, Default)]
struct Tools {
    deflaters: RefCell<[Option<Box<Deflater>>; Window::ALL.len()]>,
    inflater: RefCell<Option<Box<Inflater>>>,
    /// What was done since somebody asked, in bytes of the budget of reads.
    effort: Cell<usize>,
}

#[cfg(feature = "deflate")]
impl Codec {
    /// Compresses a payload into `into`, of which nothing is kept. `false`: that is not worth it, it is short or does
    /// not become shorter.
    pub fn deflate(&self, payload: &[u8], window: Window, into: &mut Vec<u8>) -> bool {
        into.clear();
        if payload.len() < DEFLATE_BYTES_MIN {
            return false;
        }
        let mut deflaters = self.tools.deflaters.borrow_mut();
        let deflater = &mut deflaters[window as usize];
        let deflater = deflater.get_or_insert_with(|| Box::new(Deflater::new(DEFLATE_LEVEL, window)));
        let mut compress = |payload: &[u8], into: &mut Vec<u8>| {
            into.clear();
            deflater.compress(payload, into);
            let bytes = payload.len() + into.len().saturating_mul(READ_COST_OF_DEFLATED_BYTE);
            self.note_effort(READ_COST_OF_DEFLATE.saturating_add(bytes));
        };
        if payload.len() >= DEFLATE_TRIED_FROM_BYTES {
            compress(&payload[..DEFLATE_TRIED_BYTES], into);
            if into.len() > DEFLATE_TRIED_BYTES - DEFLATE_TRIED_BYTES / 16 {
                return false;
            }
        }
        compress(payload, into);
        into.len() < payload.len()
    }

    /// Decompresses a payload, to at most `limit` bytes.
    ///
    /// # Errors
    /// When it is no deflated data, or would become longer.
    pub fn inflate(&self, payload: &[u8], limit: usize) -> Result<Vec<u8>, Violation> {
        let mut inflated = Vec::new();
        let mut inflater = self.tools.inflater.borrow_mut();
        let inflater = inflater.get_or_insert_with(|| Box::new(Inflater::new()));
        let result = inflater.inflate(payload, limit, &mut inflated);
        let wasted = inflater.wasted().saturating_mul(READ_COST_OF_WASTED_BYTE);
        self.note_effort(READ_COST_OF_INFLATE.saturating_add(inflater.produced()).saturating_add(wasted));
        match result {
            Ok(()) => Ok(inflated),
            Err(InflateFault::Corrupt) => Err(Violation::InvalidDeflate),
            Err(InflateFault::TooLong) => Err(Violation::MessageTooBig { limit }),
        }
    }

    /// What this has cost since it was last asked for, in bytes of the budget of reads.
    pub fn effort(&self) -> usize {
        self.tools.effort.get()
    }

    /// The same, and begins anew.
    pub fn take_effort(&self) -> usize {
        self.tools.effort.take()
    }

    fn note_effort(&self, bytes: usize) {
        self.tools.effort.set(self.tools.effort.get().saturating_add(bytes));
    }
}

/// The most bytes that a payload becomes: not in this build, so many.
#[cfg(not(feature = "deflate"))]
pub fn deflated_bytes_max(payload_bytes: usize) -> usize {
    payload_bytes
}

#[cfg(not(feature = "deflate"))]
impl Codec {
    /// Not in this build: nothing is worth it.
    pub fn deflate(&self, _payload: &[u8], _window: Window, _into: &mut Vec<u8>) -> bool {
        false
    }

    /// Not in this build.
    ///
    /// # Errors
    /// Always.
    pub fn inflate(&self, _payload: &[u8], _limit: usize) -> Result<Vec<u8>, Violation> {
        Err(Violation::InvalidDeflate)
    }

    /// Not in this build: nothing.
    pub fn effort(&self) -> usize {
        0
    }

    /// Not in this build: nothing.
    pub fn take_effort(&self) -> usize {
        0
    }
}

#[cfg(all(test, feature = "deflate"))]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_in_every_window() {
        let codec = Codec::default();
        let payload = b"{\"temperature\":21.5,\"unit\":\"C\"}".repeat(50);
        let mut deflated = b"of the message before".to_vec();
        for window in Window::ALL {
            assert!(codec.deflate(&payload, window, &mut deflated), "{window:?}");
            assert_eq!(codec.inflate(&deflated, payload.len()), Ok(payload.clone()), "{window:?}");
            let limit = payload.len() - 1;
            assert_eq!(codec.inflate(&deflated, limit), Err(Violation::MessageTooBig { limit }));
        }
        assert_eq!(codec.inflate(b"\x06", 100), Err(Violation::InvalidDeflate));
    }

    #[test]
    fn what_is_not_worth_it_stays_as_it_is() {
        let codec = Codec::default();
        let mut room = Vec::new();
        assert!(!codec.deflate(&[b'a'; DEFLATE_BYTES_MIN - 1], Window::Full, &mut room), "short");
        assert!(codec.deflate(&[b'a'; DEFLATE_BYTES_MIN], Window::Full, &mut room));
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(50_000)
        .collect();
        codec.take_effort();
        assert!(!codec.deflate(&noise[..2_000], Window::Full, &mut room), "no pattern");
        let of_short = codec.take_effort();
        assert!(!codec.deflate(&noise, Window::Full, &mut room), "no pattern, and long");
        assert!(codec.take_effort() < 3 * of_short, "its beginning told");
    }

    #[test]
    fn effort_is_counted_once() {
        let codec = Codec::default();
        let mut room = Vec::new();
        codec.deflate(&[0; 10_000], Window::Full, &mut room);
        let made = room.len() * READ_COST_OF_DEFLATED_BYTE;
        assert_eq!(codec.take_effort(), READ_COST_OF_DEFLATE + 10_000 + made);
        assert_eq!(codec.clone().inflate(&room, 20_000).map(|inflated| inflated.len()), Ok(10_000));
        assert_eq!((codec.take_effort(), codec.take_effort()), (READ_COST_OF_INFLATE + 10_000, 0));
        assert!(codec.inflate(&room, 5_000).is_err());
        let effort = codec.take_effort();
        assert!(
            (5_000..10_000).contains(&(effort - READ_COST_OF_INFLATE)),
            "what was thrown away as well: {effort}"
        );
        assert!(codec.inflate(&b"\x03\x00".repeat(500), 5_000).is_ok_and(|nothing| nothing.is_empty()));
        assert!(
            codec.take_effort() > 900 * READ_COST_OF_WASTED_BYTE,
            "nothing came of it, and it took its time"
        );
    }
}
