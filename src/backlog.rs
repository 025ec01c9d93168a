//! The backlog: every frame that somebody may still need, back to back, once for all receivers.
//!
//! [`Backlog::append`] puts a frame at the head; [`Backlog::release`] lets go of everything below an
//! offset. Offsets count bytes since the channel began and never go back. The bytes lie in segments of
//! one size, so an offset finds its segment by division; a segment that nobody needs is reused. A
//! [`Boundary`] says where each frame starts and who sent it.
//!
//! Must not know: what a frame is, who reads and how far, how much is too much.

use crate::limits::{BOUNDARIES_KEPT, RUN_FRAMES_MAX, SPARE_SEGMENTS_MAX};
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::ops::Range;

/// A subscriber's place in its channel. The backlog only keeps it, as the name of a publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seat(NonZeroU32);

impl Seat {
    /// The seat of an index, which is below `u32::MAX`.
    pub fn new(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("a server holds fewer connections than there are 32-bit numbers"))
    }

    /// The index it was made of.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Where a frame starts, and who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// Offset of the frame's first byte.
    pub start: u64,
    /// The subscriber that sent it; `None`: somebody without a seat.
    pub publisher: Option<Seat>,
}

/// Frames in the order of their publication.
///
/// Invariants: `first <= tail <= head`; every segment but the last is full; boundaries rise, and all lie
/// in `tail..head`.
#[derive(Debug)]
pub struct Backlog {
    segment_bytes: usize,
    segments: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
    boundaries: VecDeque<Boundary>,
    /// Offset of the first byte of the first segment.
    first: u64,
    /// The lowest offset that may still be read.
    tail: u64,
    /// Where the next frame will start.
    head: u64,
}

impl Backlog {
    /// An empty backlog; it allocates its first segment with the first frame.
    pub fn new(segment_bytes: usize) -> Self {
        assert!(segment_bytes > 0, "a segment holds something");
        Self {
            segment_bytes,
            segments: VecDeque::new(),
            spare: Vec::new(),
            boundaries: VecDeque::new(),
            first: 0,
            tail: 0,
            head: 0,
        }
    }

    /// Where the next frame will start: a subscriber that has everything stands here.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The lowest offset still held.
    pub fn tail(&self) -> u64 {
        self.tail
    }

    /// Bytes of a segment; what is let go of is let go of in such pieces.
    pub fn segment_bytes(&self) -> u64 {
        self.segment_bytes as u64
    }

    /// Frames held.
    pub fn len(&self) -> usize {
        self.boundaries.len()
    }

    /// Whether it holds no frame.
    pub fn is_empty(&self) -> bool {
        self.boundaries.is_empty()
    }

    /// Appends one frame, given as its parts, and marks where it starts. Costs a copy of its bytes,
    /// however many subscribers there are.
    pub fn append(&mut self, publisher: Option<Seat>, parts: &[&[u8]]) {
        let start = self.head;
        for part in parts {
            self.extend(part);
        }
        if self.head > start {
            self.boundaries.push_back(Boundary { start, publisher });
        }
    }

    /// Nobody will read below `offset` any more: whole segments below it are let go of.
    pub fn release(&mut self, offset: u64) {
        self.tail = self.tail.max(offset.min(self.head));
        while self.boundaries.front().is_some_and(|boundary| boundary.start < self.tail) {
            self.boundaries.pop_front();
        }
        let segment_bytes = self.segment_bytes as u64;
        while !self.segments.is_empty() && self.first + segment_bytes <= self.tail {
            self.drop_first_segment();
            self.first += segment_bytes;
        }
        if self.tail == self.head {
            self.rewind();
        }
        shrink(&mut self.boundaries);
    }

    /// Nobody reads any more: gives all its memory back.
    pub fn clear(&mut self) {
        *self = Self { first: self.head, tail: self.head, head: self.head, ..Self::new(self.segment_bytes) };
    }

    /// The bytes of a range that is held, in pieces.
    pub fn slices(&self, range: Range<u64>) -> impl Iterator<Item = &[u8]> {
        debug_assert!(self.tail <= range.start && range.end <= self.head, "{range:?} is not held");
        let mut at = range.start;
        std::iter::from_fn(move || {
            if at >= range.end {
                return None;
            }
            let (segment, within) = self.place(at);
            let bytes = &self.segments[segment][within..];
            let wanted = usize::try_from(range.end - at).unwrap_or(usize::MAX);
            let bytes = &bytes[..bytes.len().min(wanted)];
            at += bytes.len() as u64;
            Some(bytes)
        })
    }

    /// The same, where it lies in one piece.
    pub fn one_piece(&self, range: Range<u64>) -> Option<&[u8]> {
        let (segment, within) = self.place(range.start);
        let length = usize::try_from(range.end - range.start).ok()?;
        self.segments.get(segment)?.get(within..within.checked_add(length)?)
    }

    /// The rest of the frame that `cursor` is in the middle of; empty at a boundary.
    pub fn rest_of_frame(&self, cursor: u64) -> Range<u64> {
        let next = self.boundaries.get(self.first_boundary_from(cursor));
        let end = next.map_or(self.head, |boundary| boundary.start);
        cursor..end
    }

    /// All that is held of the frame that `cursor` is in the middle of; empty at a boundary.
    pub fn held_of_frame(&self, cursor: u64) -> Range<u64> {
        let next = self.first_boundary_from(cursor);
        let rest = self.rest_of_frame(cursor);
        if rest.is_empty() {
            return rest;
        }
        let own = next.checked_sub(1).and_then(|own| self.boundaries.get(own));
        own.map_or(self.tail, |boundary| boundary.start)..rest.end
    }

    /// The first frame that starts at `offset` or later, as its range and publisher.
    pub fn frame_from(&self, offset: u64) -> Option<(Range<u64>, Option<Seat>)> {
        let index = self.first_boundary_from(offset);
        let boundary = self.boundaries.get(index)?;
        let end = self.boundaries.get(index + 1).map_or(self.head, |next| next.start);
        Some((boundary.start..end, boundary.publisher))
    }

    /// Whether one of the frames that start at `offset` or later is of `publisher`; also yes when there are too many
    /// to look at.
    pub fn may_hold_frame_of(&self, publisher: Seat, offset: u64) -> bool {
        let mut newest = self.boundaries.iter().rev().take_while(|boundary| boundary.start >= offset);
        let is_found =
            newest.by_ref().take(RUN_FRAMES_MAX).any(|boundary| boundary.publisher == Some(publisher));
        is_found || newest.next().is_some()
    }

    /// Where the newest `count` frames start, when there are more than that.
    pub fn start_of_newest(&self, count: usize) -> u64 {
        match self.boundaries.len().checked_sub(count) {
            Some(0) | None => self.tail,
            Some(older) => self.boundaries.get(older).map_or(self.head, |boundary| boundary.start),
        }
    }

    /// Frames that start at `from` or later, and before `until`.
    pub fn frames_between(&self, from: u64, until: u64) -> usize {
        self.first_boundary_from(until).saturating_sub(self.first_boundary_from(from))
    }

    fn first_boundary_from(&self, offset: u64) -> usize {
        self.boundaries.partition_point(|boundary| boundary.start < offset)
    }

    fn place(&self, offset: u64) -> (usize, usize) {
        let distance = usize::try_from(offset - self.first).expect("what is held fits the memory");
        // Nearly always: spares the division.
        if distance < self.segment_bytes {
            return (0, distance);
        }
        (distance / self.segment_bytes, distance % self.segment_bytes)
    }

    fn extend(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = match self.segments.back() {
                Some(last) => self.segment_bytes - last.len(),
                None => 0,
            };
            if room == 0 {
                let fresh = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(self.segment_bytes));
                self.segments.push_back(fresh);
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.segments.back_mut().expect("there is room in it").extend_from_slice(now);
            self.head += now.len() as u64;
            bytes = later;
        }
    }

    fn drop_first_segment(&mut self) {
        let Some(mut segment) = self.segments.pop_front() else { return };
        if self.spare.len() < SPARE_SEGMENTS_MAX {
            segment.clear();
            self.spare.push(segment);
        }
    }

    /// Nothing is held: the next frame may start at the beginning of a segment, so that an idle channel
    /// keeps spares alone, and small traffic stays in one warm segment.
    fn rewind(&mut self) {
        while !self.segments.is_empty() {
            self.drop_first_segment();
        }
        // Offsets never go back, so the empty first segment is made to start where the head is.
        self.first = self.head;
    }
}

/// A queue that was long once gives its memory back.
fn shrink(boundaries: &mut VecDeque<Boundary>) {
    if boundaries.capacity() > BOUNDARIES_KEPT && boundaries.len() < boundaries.capacity() / 4 {
        boundaries.shrink_to((boundaries.len() * 2).max(BOUNDARIES_KEPT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(backlog: &Backlog, range: Range<u64>) -> Vec<u8> {
        backlog.slices(range).flatten().copied().collect()
    }

    #[test]
    fn frames_cross_segments() {
        let mut backlog = Backlog::new(4);
        backlog.append(None, &[b"ab", b"cde"]);
        backlog.append(Some(Seat::new(7)), &[b"", b"fghijkl"]);
        assert_eq!(read(&backlog, 0..12), b"abcdefghijkl");
        assert_eq!(read(&backlog, 3..9), b"defghi");
        let pieces = [0..4, 4..6, 3..5, 8..12, 0..12].map(|range| backlog.one_piece(range));
        assert_eq!(pieces, [Some(&b"abcd"[..]), Some(b"ef"), None, Some(b"ijkl"), None]);
        assert_eq!(backlog.frame_from(0), Some((0..5, None)));
        assert_eq!(backlog.frame_from(1), Some((5..12, Some(Seat::new(7)))));
        assert_eq!(backlog.frame_from(6), None);
    }

    #[test]
    fn the_rest_of_a_frame() {
        let mut backlog = Backlog::new(4);
        backlog.append(None, &[b"abcde"]);
        backlog.append(None, &[b"fgh"]);
        for (cursor, want) in [(0, 0..0), (2, 2..5), (5, 5..5), (7, 7..8), (8, 8..8)] {
            assert_eq!(backlog.rest_of_frame(cursor), want, "from {cursor}");
        }
        assert_eq!(backlog.held_of_frame(7), 5..8);
        assert_eq!(
            [(0, 8), (1, 8), (5, 5), (6, 5)].map(|(from, until)| backlog.frames_between(from, until)),
            [2, 1, 0, 0]
        );
        backlog.release(2);
        assert_eq!([3, 5].map(|cursor| backlog.held_of_frame(cursor)), [2..5, 5..5]);
    }

    #[test]
    fn frames_of_a_publisher() {
        let mut backlog = Backlog::new(4);
        let [one, other] = [Seat::new(1), Seat::new(2)];
        backlog.append(Some(one), &[b"abc"]);
        backlog.append(Some(other), &[b"def"]);
        assert_eq!(
            [0, 1, 3, 6].map(|from| backlog.may_hold_frame_of(one, from)),
            [true, false, false, false]
        );
        assert_eq!(
            [0, 1, 3, 4].map(|from| backlog.may_hold_frame_of(other, from)),
            [true, true, true, false]
        );
        for _ in 1..RUN_FRAMES_MAX {
            backlog.append(None, &[b"g"]);
        }
        assert_eq!([3, 6].map(|from| backlog.may_hold_frame_of(other, from)), [true, false]);
        backlog.append(None, &[b"g"]);
        assert_eq!(
            [3, 6].map(|from| backlog.may_hold_frame_of(one, from)),
            [true, false],
            "too many to look at"
        );
    }

    #[test]
    fn released_in_the_middle_of_a_frame() {
        let mut backlog = Backlog::new(4);
        for frame in [b"abcdef", b"ghijkl"] {
            backlog.append(None, &[frame]);
        }
        backlog.release(9);
        assert_eq!((backlog.tail(), backlog.len()), (9, 0));
        assert_eq!(read(&backlog, backlog.rest_of_frame(9)), b"jkl");
        backlog.append(None, &[b"mn"]);
        assert_eq!(read(&backlog, 9..14), b"jklmn");
    }

    #[test]
    fn segments_are_reused_and_bounded() {
        let mut backlog = Backlog::new(8);
        for _ in 0..1_000 {
            backlog.append(None, &[b"0123456789abcdef0123456789abcdef0123456789abcdef"]);
            backlog.release(backlog.head());
        }
        assert!(backlog.segments.is_empty());
        assert!(backlog.spare.len() <= SPARE_SEGMENTS_MAX);
    }

    #[test]
    fn the_newest_frames() {
        let mut backlog = Backlog::new(16);
        for frame in [&b"a"[..], b"bb", b"ccc"] {
            backlog.append(None, &[frame]);
        }
        assert_eq!([0, 1, 2, 3, 9].map(|count| backlog.start_of_newest(count)), [6, 3, 1, 0, 0]);
    }
}
