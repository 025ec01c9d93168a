//! What a broadcast brings to all receivers alike, read once. A server without masking sends the same bytes to everyone,
//! only not at the same time: the frames that one receiver brought are kept here for a while with what they turned out
//! to be, and whoever comes later is compared with them, many frames at a time.
//!
//! It is a short cut and no more: bytes that differ are read as if it were not there, and what is kept is what was
//! checked. Order, loss and duplicates are for the ledger, as ever.
//!
//! Must not know: who receives, what is counted.
//!
//! Invariant: each frame kept is whole, and its stamp is the one it carries.

use super::limits::MIRROR_BYTES;
use super::stamp::Stamp;

/// Where a receiver stands in what is kept: the number of the frame that it should bring next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor(u64);

impl Cursor {
    /// Moves on by so many frames.
    pub(crate) fn advance(&mut self, frames: usize) {
        self.0 += frames as u64;
    }
}

/// The last frames that came, in their order; all of one length.
#[derive(Debug)]
pub(crate) struct Mirror {
    frame_bytes: usize,
    /// Frames kept at most; 0: they are too long, and none is.
    most: usize,
    bytes: Vec<u8>,
    stamps: Vec<Stamp>,
    /// The number of the first.
    start: u64,
}

impl Mirror {
    /// For frames of so many bytes, header and payload.
    pub(crate) fn new(frame_bytes: usize) -> Self {
        let most = MIRROR_BYTES / frame_bytes.max(1);
        Self { frame_bytes, most, bytes: Vec::new(), stamps: Vec::new(), start: 0 }
    }

    /// Where one stands that has brought all that is kept.
    pub(crate) fn head(&self) -> Cursor {
        Cursor(self.start + self.stamps.len() as u64)
    }

    /// The stamps of the frames at the front of `bytes` that are just those behind the cursor. The caller moves on by as
    /// many frames.
    pub(crate) fn follow(&self, cursor: Cursor, bytes: &[u8]) -> &[Stamp] {
        let Some(first) = cursor.0.checked_sub(self.start).and_then(|first| usize::try_from(first).ok())
        else {
            return &[]; // what it should bring is not kept any more
        };
        let Some(stamps) = self.stamps.get(first..) else { return &[] };
        let frames = stamps.len().min(bytes.len() / self.frame_bytes);
        let known = &self.bytes[first * self.frame_bytes..][..frames * self.frame_bytes];
        if bytes.starts_with(known) {
            return &stamps[..frames];
        }
        let pairs = known.chunks(self.frame_bytes).zip(bytes.chunks(self.frame_bytes));
        &stamps[..pairs.take_while(|(known, frame)| known == frame).count()]
    }

    /// A receiver brought this frame, which was read and is whole. One that is new is kept for the others; the one that
    /// is newest shows where the receiver stands.
    pub(crate) fn learn(&mut self, cursor: &mut Cursor, frame: &[u8], stamp: Stamp) {
        if *cursor == self.head() && frame.len() == self.frame_bytes && self.most > 0 && self.is_new(stamp) {
            if self.stamps.len() >= 2 * self.most {
                self.forget();
            }
            self.bytes.extend_from_slice(frame);
            self.stamps.push(stamp);
        }
        if self.stamps.last() == Some(&stamp) {
            *cursor = self.head();
        }
    }

    /// Whether it may be one that nobody brought yet: an old one that somebody brings late must not be kept behind them.
    fn is_new(&self, stamp: Stamp) -> bool {
        self.stamps.last().is_none_or(|last| last.intended_us <= stamp.intended_us)
    }

    /// Lets go of the older half.
    fn forget(&mut self) {
        self.bytes.drain(..self.most * self.frame_bytes);
        self.stamps.drain(..self.most);
        self.start += self.most as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(sequence: u64) -> Stamp {
        Stamp { sender: 0, sequence, intended_us: sequence }
    }

    fn frame(sequence: u64) -> Vec<u8> {
        format!("{sequence:08}").into_bytes()
    }

    fn sequences(stamps: &[Stamp]) -> Vec<u64> {
        stamps.iter().map(|stamp| stamp.sequence).collect()
    }

    /// The first receiver has brought these.
    fn mirror(frames: u64) -> (Mirror, Cursor) {
        let (mut mirror, mut first) = (Mirror::new(8), Cursor::default());
        (0..frames).for_each(|sequence| mirror.learn(&mut first, &frame(sequence), stamp(sequence)));
        (mirror, first)
    }

    #[test]
    fn what_one_brought_the_next_need_not_read() {
        let (mirror, first) = mirror(3);
        assert_eq!(first, mirror.head());
        let bytes = [frame(0), frame(1), frame(2), frame(3)].concat();
        let mut second = Cursor::default();
        assert_eq!(sequences(mirror.follow(second, &bytes)), [0, 1, 2], "the fourth nobody knows");
        assert_eq!(sequences(mirror.follow(second, &bytes[..15])), [0], "half a frame is none");
        second.advance(2);
        assert_eq!(sequences(mirror.follow(second, &bytes[16..])), [2]);
        assert_eq!(mirror.follow(first, &bytes[24..]), [], "nothing is known behind the head");
    }

    #[test]
    fn what_differs_is_not_taken() {
        let (mirror, _) = mirror(3);
        for at in 0..24 {
            let mut bytes = [frame(0), frame(1), frame(2)].concat();
            bytes[at] ^= 1;
            let want: Vec<u64> = (0..at as u64 / 8).collect();
            assert_eq!(sequences(mirror.follow(Cursor::default(), &bytes)), want, "byte {at}");
        }
    }

    /// Somebody who is out of step is in step again with the newest frame, and keeps nothing old in between.
    #[test]
    fn out_of_step_and_back() {
        let (mut mirror, _) = mirror(3);
        let mut late = mirror.head();
        mirror.learn(&mut late, &frame(0), stamp(0));
        assert_eq!(mirror.head(), Cursor(3), "an old one is not kept anew");
        let mut behind = Cursor::default();
        mirror.learn(&mut behind, &frame(2), stamp(2));
        assert_eq!(behind, mirror.head(), "it brought the newest");
        mirror.learn(&mut behind, &frame(3), stamp(3));
        assert_eq!((behind, mirror.head()), (Cursor(4), Cursor(4)));
        mirror.learn(&mut behind, b"longer than it is", stamp(4));
        assert_eq!(mirror.head(), Cursor(4));
    }

    #[test]
    fn memory_is_bounded() {
        let frames = (MIRROR_BYTES / 8 * 5) as u64;
        let (mirror, first) = mirror(frames);
        assert_eq!(first, Cursor(frames));
        assert!(mirror.bytes.len() <= 2 * MIRROR_BYTES && mirror.bytes.len() >= MIRROR_BYTES);
        assert_eq!(mirror.follow(Cursor::default(), &frame(0)), [], "the first is not kept any more");
        let near = Cursor(frames - 2);
        assert_eq!(sequences(mirror.follow(near, &frame(frames - 2))), [frames - 2]);
        assert_eq!(Mirror::new(MIRROR_BYTES + 1).most, 0);
    }
}
