//! What one client sends becomes events, in the dialect it speaks.
//!
//! [`Decoder::decode`] takes bytes off the front of what was read and gives one event at a time. What lies whole in the
//! input is given without a copy. Only what is incomplete is kept, and only then does a decoder own memory.
//!
//! Must not know: what is done with an event, sockets, clocks.
//!
//! Invariant: where the input was cut does not show in the events. Between messages nothing is kept.

use super::codec::Codec;
use super::message::{self, Assembly, Event};
use super::{Violation, legacy};
use crate::budget::{Budget, Exhausted, Loan};

/// How a client puts messages on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 6455.
    Plain,
    /// RFC 6455, messages compressed or not (RFC 7692).
    Compressible,
    /// The older draft: 0x00 … 0xFF.
    Legacy,
}

/// What a client is held to.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// What it speaks.
    pub dialect: Dialect,
    /// The longest message, in bytes, all its fragments together and decompressed. A longer one is refused at the
    /// header that says so, or as soon as there is more of it.
    pub message_bytes_max: usize,
    /// What all connections together may keep: a message that comes in pieces is refused as well when this has no room
    /// for what is there of it.
    pub budget: &'r Budget,
    /// What decompresses.
    pub codec: &'r Codec,
}

impl<'r> Rules<'r> {
    fn of_frames(&self) -> message::Rules<'r> {
        message::Rules {
            may_compress: self.dialect == Dialect::Compressible,
            message_bytes_max: self.message_bytes_max,
            codec: self.codec,
        }
    }
}

/// Decodes what one client sends. Eight bytes, and no memory between messages.
#[derive(Debug, Default)]
pub struct Decoder {
    kept: Option<Box<Kept>>,
}

/// What a decoder keeps.
#[derive(Debug, Default)]
struct Kept {
    partial: Option<Partial>,
    /// Input that waits for its turn, and what the budget of all lends for it.
    held: Option<(Vec<u8>, Loan)>,
}

/// What is incomplete, in the dialect that is spoken.
#[derive(Debug)]
enum Partial {
    Frames(Assembly),
    Legacy(legacy::Assembly),
}

impl Partial {
    fn new(rules: &Rules<'_>) -> Self {
        match rules.dialect {
            Dialect::Plain | Dialect::Compressible => Self::Frames(Assembly::new(rules.budget)),
            Dialect::Legacy => Self::Legacy(legacy::Assembly::new(rules.budget)),
        }
    }

    fn decode<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        rules: &Rules<'_>,
    ) -> Result<Option<Event<'a>>, Violation> {
        match self {
            Self::Frames(frames) => frames.decode(input, &rules.of_frames()),
            Self::Legacy(text) => text.decode(input, rules.message_bytes_max),
        }
    }

    fn is_idle(&self) -> bool {
        match self {
            Self::Frames(frames) => frames.is_idle(),
            Self::Legacy(text) => text.is_idle(),
        }
    }

    fn kept_bytes(&self) -> usize {
        match self {
            Self::Frames(frames) => frames.kept_bytes(),
            Self::Legacy(text) => text.kept_bytes(),
        }
    }
}

impl Decoder {
    /// What an incomplete message costs beside its payload, in bytes.
    pub const PARTIAL_BYTES: usize = size_of::<Kept>() + Assembly::BYTES;

    /// Takes the next event off the front of `input`; `None`: the input is used up.
    ///
    /// # Errors
    /// What the dialect does not allow. The decoder is of no use after that.
    pub fn decode<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        rules: &Rules<'_>,
    ) -> Result<Option<Event<'a>>, Violation> {
        if self.kept.is_none() {
            let event = match rules.dialect {
                Dialect::Plain | Dialect::Compressible => {
                    message::take_whole_frame(input, &rules.of_frames())?
                }
                Dialect::Legacy => legacy::take_whole_frame(input, rules.message_bytes_max)?,
            };
            if event.is_some() || input.is_empty() {
                return Ok(event);
            }
        }
        let kept = self.kept.get_or_insert_default();
        let partial = kept.partial.get_or_insert_with(|| Partial::new(rules));
        let event = partial.decode(input, rules)?;
        if partial.is_idle() {
            kept.partial = None;
        }
        self.settle();
        Ok(event)
    }

    /// Keeps input that waits for its turn: what it may cost to read has been used up.
    ///
    /// # Errors
    /// When the budget has no room for it.
    pub fn hold(&mut self, input: &[u8], budget: &Budget) -> Result<(), Exhausted> {
        let mut loan = budget.open();
        loan.resize(input.len())?;
        self.kept.get_or_insert_default().held = Some((input.to_vec(), loan));
        Ok(())
    }

    /// Whether input waits for its turn. It comes before anything that is still to be read.
    pub fn is_holding(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.held.is_some())
    }

    /// Takes back what waits.
    pub fn take_held(&mut self) -> Vec<u8> {
        let held = self.kept.as_mut().and_then(|kept| kept.held.take());
        self.settle();
        held.map_or_else(Vec::new, |(input, _)| input)
    }

    /// Whether a frame or a message is incomplete.
    pub fn is_partial(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.partial.is_some())
    }

    /// Bytes it keeps of the budget of all.
    pub fn kept_bytes(&self) -> usize {
        let Some(kept) = &self.kept else { return 0 };
        kept.partial.as_ref().map_or(0, Partial::kept_bytes)
            + kept.held.as_ref().map_or(0, |(_, loan)| loan.bytes())
    }

    fn settle(&mut self) {
        if self.kept.as_ref().is_some_and(|kept| kept.partial.is_none() && kept.held.is_none()) {
            self.kept = None;
        }
    }
}

#[cfg(test)]
mod tests;
