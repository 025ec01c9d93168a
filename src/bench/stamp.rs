//! What a message carries, so that each delivery of it can be checked: who sent it, its number, when it was meant to
//! be sent, and from there on a filler in which every byte is known.
//!
//! A payload is a stamp of [`BYTES`] bytes and the filler. All of it is letters, digits, `-` and `_`: it goes as text
//! and as binary, and nothing that wraps it in JSON, HTML or a URL has to escape it.
//!
//! ```text
//! ff_RRRRSSSSNNNNNNNTTTTTTTCCC…filler
//!    run sender number  time  check
//! ```
//!
//! Must not know: sockets, clocks, who receives.
//!
//! Invariant: a payload with one byte changed is never taken for one that is whole.

/// Bytes of a stamp: no payload can be shorter.
pub(crate) const BYTES: usize = 28;

/// What a stamp begins with, before the run's own digits.
const MARKER: &[u8; 3] = b"ff_";
const RUN: usize = 3;
const SENDER: usize = 7;
const SEQUENCE: usize = 11;
const INTENDED: usize = 18;
const CHECK: usize = 25;

/// A payload that begins like this many of the marker's and the run's bytes is ours, if damaged.
const LIKENESS_MIN: usize = 5;

/// Fillers differ by where in the pattern they begin, in so many ways.
const TURNS: usize = 64;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NO_DIGIT: u8 = 0xFF;
const VALUES: [u8; 256] = values();

/// Who sent a message, and when it should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The number of the connection that sent it, below 2^24.
    pub(crate) sender: u32,
    /// How many that sender sent before it, below 2^42.
    pub(crate) sequence: u64,
    /// When it was meant to be sent, in microseconds since the run began, below 2^42.
    pub(crate) intended_us: u64,
}

/// What a payload turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// One of this run's, whole.
    Whole(Stamp),
    /// One of this run's in which something is wrong, and whose, if that can still be read.
    Damaged(Option<Stamp>),
    /// None of this run's: a greeting, another publisher's.
    Foreign,
}

/// The messages of one run: their length, their filler, and the digits that tell them from another run's.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    start: [u8; SENDER],
    length: usize,
    filler: Vec<u8>,
}

impl Pattern {
    /// Messages of `length` bytes, at least [`BYTES`]; of `run` its lower 24 bits count.
    pub(crate) fn new(run: u32, length: usize) -> Self {
        let mut start = [0; SENDER];
        start[..RUN].copy_from_slice(MARKER);
        put(&mut start[RUN..], u64::from(run));
        // Any sequence does whose neighbours differ; this one is Knuth's generator of 64 bits.
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            DIGITS[(state >> 58) as usize]
        };
        let filler = (0..length.saturating_sub(BYTES) + TURNS).map(|_| next()).collect();
        Self { start, length: length.max(BYTES), filler }
    }

    /// Bytes of a payload.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// What every payload of this run begins with, and no other's.
    pub(crate) fn start(&self) -> &[u8] {
        &self.start
    }

    /// Appends the payload that carries this.
    pub(crate) fn write(&self, stamp: Stamp, into: &mut Vec<u8>) {
        let mut bytes = [0; BYTES];
        bytes[..SENDER].copy_from_slice(&self.start);
        put(&mut bytes[SENDER..SEQUENCE], u64::from(stamp.sender));
        put(&mut bytes[SEQUENCE..INTENDED], stamp.sequence);
        put(&mut bytes[INTENDED..CHECK], stamp.intended_us);
        let check = checksum(&bytes);
        put(&mut bytes[CHECK..], check);
        into.extend_from_slice(&bytes);
        into.extend_from_slice(self.filler(stamp));
    }

    /// What a payload is that is there as one piece.
    pub(crate) fn inspect(&self, payload: &[u8]) -> Arrival {
        let (head, rest) = payload.split_at(payload.len().min(BYTES));
        match self.parse(head) {
            Ok(stamp) if rest == self.filler(stamp) => Arrival::Whole(stamp),
            Ok(stamp) => Arrival::Damaged(Some(stamp)),
            Err(what) => what,
        }
    }

    /// The stamp, or what a payload is that begins with these bytes and not with a stamp of ours.
    fn parse(&self, head: &[u8]) -> Result<Stamp, Arrival> {
        let Some(bytes) = head.first_chunk::<BYTES>() else {
            return Err(self.unreadable(head));
        };
        if get(&bytes[CHECK..]) != Some(checksum(bytes)) {
            return Err(self.unreadable(head));
        }
        if !bytes.starts_with(&self.start) {
            return Err(Arrival::Foreign); // another run's, and whole
        }
        let field = |from: usize, to: usize| get(&bytes[from..to]).ok_or(Arrival::Damaged(None));
        Ok(Stamp {
            sender: u32::try_from(field(SENDER, SEQUENCE)?).map_err(|_| Arrival::Damaged(None))?,
            sequence: field(SEQUENCE, INTENDED)?,
            intended_us: field(INTENDED, CHECK)?,
        })
    }

    fn unreadable(&self, head: &[u8]) -> Arrival {
        let alike = head.iter().zip(&self.start).filter(|(have, want)| have == want).count();
        if alike >= LIKENESS_MIN { Arrival::Damaged(None) } else { Arrival::Foreign }
    }

    fn filler(&self, stamp: Stamp) -> &[u8] {
        let turn = ((stamp.sequence ^ u64::from(stamp.sender)) % TURNS as u64) as usize;
        &self.filler[turn..turn + self.length - BYTES]
    }
}

/// The check of a payload that comes in pieces. Keeps the stamp, never the filler.
#[derive(Clone, Debug, Default)]
pub(crate) struct Check {
    head: [u8; BYTES],
    /// Bytes seen.
    length: u64,
    differs: bool,
}

impl Check {
    /// Takes the next piece.
    pub(crate) fn take(&mut self, pattern: &Pattern, mut piece: &[u8]) {
        let missing = BYTES.saturating_sub(usize::try_from(self.length).unwrap_or(BYTES));
        if missing > 0 {
            let (head, rest) = piece.split_at(piece.len().min(missing));
            let at = BYTES - missing;
            self.head[at..at + head.len()].copy_from_slice(head);
            self.length += head.len() as u64;
            piece = rest;
        }
        if piece.is_empty() {
            return;
        }
        // A stamp that cannot be read has no filler to compare with, and is told by `finish`.
        if !self.differs
            && let Ok(stamp) = pattern.parse(&self.head)
        {
            let at = usize::try_from(self.length - BYTES as u64).unwrap_or(usize::MAX);
            let filler = pattern.filler(stamp);
            let want = filler.get(at..).and_then(|rest| rest.get(..piece.len()));
            self.differs = want != Some(piece);
        }
        self.length += piece.len() as u64;
    }

    /// Whether nothing has come of it yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// What it was; the next piece begins another payload.
    pub(crate) fn finish(&mut self, pattern: &Pattern) -> Arrival {
        let done = std::mem::take(self);
        let seen = usize::try_from(done.length).unwrap_or(usize::MAX);
        match pattern.parse(&done.head[..seen.min(BYTES)]) {
            Ok(stamp) if seen == pattern.length && !done.differs => Arrival::Whole(stamp),
            Ok(stamp) => Arrival::Damaged(Some(stamp)),
            Err(what) => what,
        }
    }
}

/// Writes the lower bits of a number, six to a byte, the highest first.
fn put(into: &mut [u8], mut number: u64) {
    for byte in into.iter_mut().rev() {
        *byte = DIGITS[(number & 63) as usize];
        number >>= 6;
    }
}

fn get(digits: &[u8]) -> Option<u64> {
    // All of them at once rather than up to the first that is none: this is what a message received costs most.
    let (number, seen) = digits.iter().fold((0, 0), |(number, seen), &digit| {
        let value = VALUES[usize::from(digit)];
        (number << 6 | u64::from(value), seen | value)
    });
    (seen < NO_DIGIT).then_some(number)
}

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
}

/// 18 bits over everything before them. Each step can be undone, so two stamps that differ in one byte differ before
/// the last cut, which takes the product's upper bits.
fn checksum(stamp: &[u8; BYTES]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = stamp[..CHECK].as_chunks::<8>();
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let sum = words.iter().fold(FACTOR, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    let sum = rest.iter().fold(sum, |sum, &byte| mix(sum, u64::from(byte)));
    (sum ^ sum >> 32).wrapping_mul(FACTOR) >> 46
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { sender: 18_999, sequence: 1_234_567_890_123, intended_us: 604_800_000_000 };

    fn payload(pattern: &Pattern, stamp: Stamp) -> Vec<u8> {
        let mut bytes = Vec::new();
        pattern.write(stamp, &mut bytes);
        bytes
    }

    /// In pieces of `step` bytes.
    fn in_pieces(pattern: &Pattern, payload: &[u8], step: usize) -> Arrival {
        let mut check = Check::default();
        payload.chunks(step).for_each(|piece| check.take(pattern, piece));
        check.finish(pattern)
    }

    #[test]
    fn there_and_back() {
        for length in [BYTES, BYTES + 1, 64, 1000, 70_000] {
            let pattern = Pattern::new(0x00AB_CDEF, length);
            for stamp in [STAMP, Stamp { sender: 0, sequence: 0, intended_us: 0 }] {
                let bytes = payload(&pattern, stamp);
                assert_eq!(bytes.len(), length);
                assert!(bytes.iter().all(|byte| DIGITS.contains(byte)));
                assert_eq!(pattern.inspect(&bytes), Arrival::Whole(stamp));
                for step in [1, 7, 27, 28, 29, length] {
                    assert_eq!(in_pieces(&pattern, &bytes, step), Arrival::Whole(stamp), "{step}");
                }
            }
        }
    }

    /// Whichever byte is another, and whatever it is, it shows, and is not taken for somebody else's message.
    #[test]
    fn one_byte_changed() {
        let pattern = Pattern::new(7, 64);
        let whole = payload(&pattern, STAMP);
        assert_eq!(pattern.inspect(&whole), Arrival::Whole(STAMP));
        for at in 0..whole.len() {
            for other in (0..=255).filter(|byte| *byte != whole[at]) {
                let mut bytes = whole.clone();
                bytes[at] = other;
                let want = if at < BYTES { Arrival::Damaged(None) } else { Arrival::Damaged(Some(STAMP)) };
                assert_eq!(pattern.inspect(&bytes), want, "byte {at} is {other}");
                assert_eq!(in_pieces(&pattern, &bytes, 10), want, "byte {at} is {other}, in pieces");
            }
        }
    }

    #[test]
    fn cut_and_lengthened() {
        let pattern = Pattern::new(7, 64);
        let whole = payload(&pattern, STAMP);
        for length in (0..whole.len()).chain([65, 100]) {
            let bytes: Vec<u8> = whole.iter().copied().chain([b'A'; 40]).take(length).collect();
            let want = match length {
                0..LIKENESS_MIN => Arrival::Foreign,
                LIKENESS_MIN..BYTES => Arrival::Damaged(None),
                _ => Arrival::Damaged(Some(STAMP)),
            };
            assert_eq!(pattern.inspect(&bytes), want, "{length} bytes");
            for step in [1, 30, 101] {
                assert_eq!(in_pieces(&pattern, &bytes, step), want, "{length} bytes, {step} a piece");
            }
        }
    }

    #[test]
    fn not_ours() {
        let (pattern, other) = (Pattern::new(7, 64), Pattern::new(8, 64));
        for foreign in [&b"hello"[..], b"", &[0; 64], &[b'A'; 64], &payload(&other, STAMP)] {
            assert_eq!(pattern.inspect(foreign), Arrival::Foreign);
            assert_eq!(in_pieces(&pattern, foreign, 3), Arrival::Foreign);
        }
    }

    /// One sender's filler put behind another one's stamp is damage too.
    #[test]
    fn fillers_differ() {
        let pattern = Pattern::new(7, 64);
        let next = Stamp { sequence: STAMP.sequence + 1, ..STAMP };
        let mixed = [&payload(&pattern, STAMP)[..BYTES], &payload(&pattern, next)[BYTES..]].concat();
        assert_eq!(pattern.inspect(&mixed), Arrival::Damaged(Some(STAMP)));
    }

    #[test]
    fn a_check_begins_anew_after_each_payload() {
        let pattern = Pattern::new(7, 64);
        let mut check = Check::default();
        check.take(&pattern, b"something else that is longer than a stamp");
        assert_eq!(check.finish(&pattern), Arrival::Foreign);
        check.take(&pattern, &payload(&pattern, STAMP));
        assert_eq!(check.finish(&pattern), Arrival::Whole(STAMP));
    }
}
