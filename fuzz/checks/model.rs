//! The naive model of a connection: a queue of its own, of all that it is to get.

use std::collections::VecDeque;

/// Where a piece comes from: who loses its place in the backlog loses the frames alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A frame that was published.
    Backlog,
    /// An item of the connection's own.
    Outbox,
}

/// What is to be written in one piece, and where it is in it.
struct Piece {
    source: Source,
    bytes: Vec<u8>,
    taken: usize,
}

/// All that is still to be written, in its order.
#[derive(Default)]
pub struct Model {
    pieces: VecDeque<Piece>,
}

impl Model {
    /// Whether everything was written.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Puts a piece behind what is there; nothing is no piece.
    pub fn push(&mut self, source: Source, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.pieces.push_back(Piece { source, bytes, taken: 0 });
        }
    }

    /// How many pieces of one source are left, and how many bytes of them.
    pub fn left(&self, source: Source) -> (usize, usize) {
        let pieces = self.pieces.iter().filter(|piece| piece.source == source);
        (pieces.clone().count(), pieces.map(|piece| piece.bytes.len() - piece.taken).sum())
    }

    /// Takes what was written, which must be what comes next.
    pub fn take(&mut self, mut wire: &[u8]) {
        while !wire.is_empty() {
            let piece = self.pieces.front_mut().expect("nothing is written that was not to be");
            let left = &piece.bytes[piece.taken..];
            let length = left.len().min(wire.len());
            assert_eq!(wire[..length], left[..length], "what a queue of its own would have given");
            piece.taken += length;
            wire = &wire[length..];
            if piece.taken == piece.bytes.len() {
                self.pieces.pop_front();
            }
        }
    }

    /// What is left of the frame on the wire still comes, and its own items; no other frame does.
    pub fn lose_frames(&mut self) {
        self.pieces.retain(|piece| piece.source == Source::Outbox || piece.taken > 0);
        if let Some(first) = self.pieces.front_mut() {
            first.source = Source::Outbox;
        }
    }
    /// What is left of the frame on the wire still comes, its own items, and of the frames the newest; unless that is
    /// not for it. Says how many it loses.
    pub fn skip_frames(&mut self, keep_newest: bool) -> usize {
        let newest = self.pieces.iter().rposition(|piece| piece.source == Source::Backlog);
        let newest = newest.filter(|_| keep_newest);
        let before = self.pieces.len();
        let mut at = 0;
        self.pieces.retain(|piece| {
            at += 1;
            piece.source == Source::Outbox || piece.taken > 0 || newest == Some(at - 1)
        });
        if let Some(first) = self.pieces.front_mut()
            && first.taken > 0
        {
            first.source = Source::Outbox;
        }
        before - self.pieces.len()
    }
}
