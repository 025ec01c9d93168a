//! permessage-deflate without context takeover on either side (RFC 7692 §7.2): each payload stands alone.
//!
//! Must not know: frames, what was agreed in the handshake.
//!
//! Invariant: what is inflated never has more bytes than the limit, whatever came.

use super::extension::Window;
use crate::limits::INFLATE_WASTED_BYTES_MAX;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::fmt;

/// What ends every compressed message and is not sent (§7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// The least room that is made for output at a time.
const ROOM_MIN: usize = 64;

/// The most, when nobody knows how much comes.
const ROOM_MAX: usize = 64 * 1024;

/// Whether a payload says anything is asked of so many bytes at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// Compresses payloads. Holds a few hundred KiB, less with a smaller window: one is enough for all connections.
#[derive(Debug)]
pub struct Deflater {
    stream: Compress,
}

impl Deflater {
    /// Makes one of a level from 0 to 9 that looks back at most as far as the window.
    pub fn new(level: u32, window: Window) -> Self {
        Self { stream: Compress::new_with_window_bits(Compression::new(level), false, window.bits()) }
    }

    /// The cheapest: for a load that is to come from somebody else.
    pub fn fast() -> Self {
        Self::new(1, Window::Full)
    }

    /// Appends the payload, compressed, to `into`.
    pub fn compress(&mut self, payload: &[u8], into: &mut Vec<u8>) {
        // With room for the worst, one call does it, and no empty block is added behind.
        self.compress_by(payload, into, deflated_bytes_max(payload.len()));
    }

    fn compress_by(&mut self, mut payload: &[u8], into: &mut Vec<u8>, room: usize) {
        self.stream.reset();
        let start = into.len();
        loop {
            into.reserve(room);
            let before = self.stream.total_in();
            let result = self.stream.compress_vec(payload, into, FlushCompress::Sync);
            result.expect("deflating fails only on a stream that was made wrong");
            payload = after(payload, self.stream.total_in() - before);
            // With room left, everything is out.
            if into.len() < into.capacity() {
                break;
            }
        }
        if into[start..].ends_with(&TAIL) {
            into.truncate(into.len() - TAIL.len());
        }
    }
}

/// The most bytes that a payload becomes. The fixed code of RFC 1951 §3.2.6 has nine bits for most of what does not
/// compress.
pub fn deflated_bytes_max(payload_bytes: usize) -> usize {
    payload_bytes.saturating_add(payload_bytes / 7).saturating_add(ROOM_MIN)
}

/// What makes a payload one that cannot be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateFault {
    /// It is not deflated data (RFC 1951).
    Corrupt,
    /// It would become longer than the limit.
    TooLong,
}

impl fmt::Display for InflateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Corrupt => "what was deflated cannot be inflated",
            Self::TooLong => "what was deflated is too long",
        })
    }
}

/// Inflates payloads. Holds 47 KiB: one is enough for all connections.
#[derive(Debug)]
pub struct Inflater {
    stream: Decompress,
    produced: usize,
    wasted: usize,
    piece: Piece,
}

/// What a piece of a payload has brought so far.
#[derive(Debug, Default)]
struct Piece {
    used: usize,
    produced: usize,
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

impl Inflater {
    /// Makes one, for every window that there is.
    pub fn new() -> Self {
        Self { stream: Decompress::new(false), produced: 0, wasted: 0, piece: Piece::default() }
    }

    /// Bytes that came of the last payload, those that were thrown away among them.
    pub fn produced(&self) -> usize {
        self.produced
    }

    /// Bytes of the last payload of which nothing came: what is costly to read and says nothing.
    pub fn wasted(&self) -> usize {
        self.wasted
    }

    /// Appends the payload, inflated, to `into`: at most `limit` bytes. A payload that was cut off may go
    /// unnoticed, and come out shorter and with other bytes at its end; nothing in the format tells.
    ///
    /// # Errors
    /// It cannot be inflated, or to more than `limit` bytes, or there is more in it that says nothing than
    /// [`INFLATE_WASTED_BYTES_MAX`]; then `into` is as it was.
    pub fn inflate(&mut self, payload: &[u8], limit: usize, into: &mut Vec<u8>) -> Result<(), InflateFault> {
        let start = into.len();
        (self.wasted, self.piece) = (0, Piece::default());
        let result = self.inflate_to(payload, start.saturating_add(limit), into);
        self.judge_piece();
        self.produced = into.len() - start;
        if result.is_err() {
            into.truncate(start);
        }
        result
    }

    fn inflate_to(&mut self, payload: &[u8], end: usize, into: &mut Vec<u8>) -> Result<(), InflateFault> {
        self.stream.reset(false);
        let mut rest = payload;
        loop {
            let piece = &rest[..rest.len().min(PIECE_BYTES)];
            let before = into.len();
            let (used, is_final) = match self.take(piece, end, into)? {
                Taken::All => (piece.len(), false),
                Taken::Final(more) => (piece.len() - more.len(), true),
            };
            rest = &rest[used..];
            self.piece.used += used;
            self.piece.produced += into.len() - before;
            if self.piece.used >= PIECE_BYTES {
                self.judge_piece();
            }
            if self.wasted > INFLATE_WASTED_BYTES_MAX {
                return Err(InflateFault::Corrupt);
            }
            match (rest.is_empty(), is_final) {
                // A final block (§7.2.3.4), and all of it: what would be at the end is not missing.
                (true, true) => return Ok(()),
                (true, false) => break,
                (false, true) => self.stream.reset(false),
                (false, false) => {}
            }
        }
        self.take(&TAIL, end, into).map(|_| ())
    }

    /// Each piece has to say something: blocks of nothing take longest to read.
    fn judge_piece(&mut self) {
        let Piece { used, produced } = std::mem::take(&mut self.piece);
        self.wasted += used.saturating_sub(deflated_bytes_max(produced));
    }

    /// Inflates until `input` or its last block is over.
    fn take<'i>(
        &mut self,
        mut input: &'i [u8],
        end: usize,
        into: &mut Vec<u8>,
    ) -> Result<Taken<'i>, InflateFault> {
        loop {
            // One byte past the limit tells that there is more.
            let room = (end.saturating_add(1) - into.len()).min(ROOM_MAX);
            into.reserve(room.min(input.len().saturating_mul(4).max(ROOM_MIN)));
            let before = self.stream.total_in();
            let result = self.stream.decompress_vec(input, into, FlushDecompress::Sync);
            let status = result.map_err(|_| InflateFault::Corrupt)?;
            input = after(input, self.stream.total_in() - before);
            if into.len() > end {
                return Err(InflateFault::TooLong);
            }
            match status {
                Status::StreamEnd => return Ok(Taken::Final(input)),
                Status::Ok | Status::BufError if into.len() < into.capacity() => return Ok(Taken::All),
                Status::Ok | Status::BufError => {}
            }
        }
    }
}

/// How far an input was taken.
enum Taken<'i> {
    /// To its end.
    All,
    /// To the end of a block that says it is the last; what is behind it.
    Final(&'i [u8]),
}

fn after(input: &[u8], taken: u64) -> &[u8] {
    // A stream never takes more than it was given.
    &input[usize::try_from(taken).map_or(input.len(), |taken| taken.min(input.len()))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(payload: &[u8], limit: usize) -> Result<Vec<u8>, InflateFault> {
        let mut into = b"kept".to_vec();
        let result = Inflater::new().inflate(payload, limit, &mut into);
        assert_eq!(into[..4], *b"kept");
        assert!(result.is_ok() || into.len() == 4, "nothing is left of a fault");
        result.map(|()| into.split_off(4))
    }

    /// Random bytes (xorshift64), the same in every run.
    fn random() -> impl Iterator<Item = u8> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
    }

    /// Bytes that do not compress.
    fn noise(length: usize) -> Vec<u8> {
        random().take(length).collect()
    }

    #[test]
    fn the_examples_of_rfc_7692() {
        let rows: [(&str, &[u8], &[u8]); 7] = [
            ("§7.2.3.1, one block", b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello"),
            ("§7.2.3.3, no compression", b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", b"Hello"),
            ("§7.2.3.4, BFINAL", b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", b"Hello"),
            ("BFINAL, and nothing behind it", b"\xf3\x48\xcd\xc9\xc9\x07\x00", b"Hello"),
            (
                "BFINAL, and another message behind it",
                b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00",
                b"HelloHello",
            ),
            ("§7.2.3.5, two blocks", b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", b"Hello"),
            ("§7.2.3.6, nothing", b"\x00", b""),
        ];
        for (name, payload, want) in rows {
            assert_eq!(inflate(payload, want.len()), Ok(want.to_vec()), "{name}");
        }
        let mut deflater = Deflater::fast();
        for (payload, want) in [(&b"Hello"[..], &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..]), (b"", b"\x00")] {
            // Twice: nothing is taken over.
            for _ in 0..2 {
                let mut into = b"kept".to_vec();
                deflater.compress(payload, &mut into);
                assert_eq!(into, [b"kept", want].concat());
            }
        }
    }

    #[test]
    fn there_and_back() {
        let (mut deflater, mut inflater) = (Deflater::fast(), Inflater::new());
        let lengths = (0..300).chain([1000, 4095, 4096, 16_383, 16_384, 65_535, 65_536, 100_000, 1_000_000]);
        for length in lengths {
            for payload in [noise(length), b"fanfare ".iter().copied().cycle().take(length).collect()] {
                let (mut deflated, mut inflated) = (Vec::new(), Vec::new());
                deflater.compress(&payload, &mut deflated);
                assert!(deflated.len() < deflated_bytes_max(length), "{length} became {}", deflated.len());
                assert_eq!(inflater.inflate(&deflated, length, &mut inflated), Ok(()), "{length}");
                assert!(inflated == payload, "{length}");
            }
        }
    }

    /// However little room there is at a time: the output is exactly full at one of these.
    #[test]
    fn room_that_is_exactly_full() {
        let payload = [noise(300), vec![b'a'; 300]].concat();
        let mut deflater = Deflater::fast();
        for room in 1..800 {
            let mut deflated = Vec::with_capacity(room);
            deflater.compress_by(&payload, &mut deflated, room);
            assert_eq!(inflate(&deflated, payload.len()), Ok(payload.clone()), "{room}");
        }
    }

    #[test]
    fn no_allocation_but_for_the_output() {
        let (mut deflated, mut inflated) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
        let room = [deflated.as_ptr(), inflated.as_ptr()];
        let (mut deflater, mut inflater) = (Deflater::fast(), Inflater::new());
        for _ in 0..10 {
            deflated.clear();
            inflated.clear();
            deflater.compress(&noise(1000), &mut deflated);
            assert_eq!(inflater.inflate(&deflated, 1000, &mut inflated), Ok(()));
        }
        assert_eq!([deflated.as_ptr(), inflated.as_ptr()], room, "neither has moved");
    }

    #[test]
    fn the_limit_holds() {
        let mut deflater = Deflater::fast();
        let mut bomb = Vec::new();
        deflater.compress(&vec![0; 10_000_000], &mut bomb);
        assert!(bomb.len() < 100_000, "a bomb");
        assert_eq!(inflate(&bomb, 10_000_000).map(|inflated| inflated.len()), Ok(10_000_000));
        assert_eq!(inflate(&bomb, 9_999_999), Err(InflateFault::TooLong));
        let mut into = Vec::new();
        assert_eq!(Inflater::new().inflate(&bomb, 1000, &mut into), Err(InflateFault::TooLong));
        assert!(into.capacity() <= 2048, "{} for a limit of 1000", into.capacity());
        assert_eq!(inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", 4), Err(InflateFault::TooLong));
        assert_eq!(inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", 0), Err(InflateFault::TooLong));
        assert_eq!(inflate(b"\x00", 0), Ok(Vec::new()));
    }

    /// Blocks that say nothing: empty ones, and final ones.
    #[test]
    fn what_says_nothing_is_counted_and_has_a_limit() {
        let rows: [(&str, &[u8]); 2] = [("stored", b"\x00\x00\x00\xff\xff"), ("final", b"\x03\x00")];
        for (name, block) in rows {
            let mut inflater = Inflater::new();
            let some = block.repeat(1 + PIECE_BYTES / block.len());
            let mut into = Vec::new();
            let _ = inflater.inflate(&some, 1 << 20, &mut into);
            assert!(inflater.wasted() + 100 > PIECE_BYTES, "{name}: {} wasted", inflater.wasted());
            let many = block.repeat(2 * INFLATE_WASTED_BYTES_MAX / block.len());
            assert_eq!(inflater.inflate(&many, 1 << 20, &mut into), Err(InflateFault::Corrupt), "{name}");
            assert!(inflater.wasted() <= INFLATE_WASTED_BYTES_MAX + PIECE_BYTES + 100);
        }
        // What comes before is no excuse.
        let mut deflated = Vec::new();
        Deflater::fast().compress(&vec![0; 1 << 20], &mut deflated);
        let late = [&deflated[..], &b"\x00\x00\x00\xff\xff".repeat(30_000)].concat();
        assert_eq!(inflate(&late, 1 << 21), Err(InflateFault::Corrupt));
        // One who flushes behind every few bytes wastes some.
        let chatty: Vec<u8> = b"\x00\x08\x00\xf7\xffeightbyt\x00\x00\x00\xff\xff".repeat(1_000);
        assert_eq!(inflate(&chatty, 1 << 20).map(|inflated| inflated.len()), Ok(8_000));
    }

    #[test]
    fn garbage() {
        let rows: [(&str, &[u8]); 4] = [
            ("a block of a type that is none", b"\x06"),
            ("a length that is not its complement", b"\x00\x05\x00\x00\x00Hello"),
            ("garbage behind a final block", b"\xf3\x48\xcd\xc9\xc9\x07\x00\xff"),
            // §7.2.3.2: the second message of those that keep their context looks back at the first.
            ("a window that is not there", b"\xf2\x00\x11\x00\x00"),
        ];
        let mut inflater = Inflater::new();
        for (name, payload) in rows {
            assert_eq!(inflate(payload, 1000), Err(InflateFault::Corrupt), "{name}");
            let mut into = Vec::new();
            let _ = inflater.inflate(payload, 1000, &mut into);
            // It is as good as new after that.
            assert_eq!(inflater.inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", 5, &mut into), Ok(()));
            assert_eq!(into, b"Hello", "after {name}");
        }
        let mut random = random();
        for _ in 0..20_000 {
            let length = random.next().map_or(0, |byte| usize::from(byte) % 40);
            let payload: Vec<_> = random.by_ref().take(length).collect();
            assert!(
                inflate(&payload, 500).is_ok_and(|inflated| inflated.len() <= 500)
                    || inflate(&payload, 500).is_err()
            );
        }
    }
}
