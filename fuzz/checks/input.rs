//! The fuzzer's bytes as decisions: numbers off the front, the places where a payload is cut, and the rest.
//!
//! Bytes that are not there are zeros, so that every input means something and shorter ones mean less.

/// What is left of an input.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// All of it.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether there is nothing left to decide with.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.rest.split_off_first().copied().unwrap_or(0)
    }

    /// A yes or a no.
    pub fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    /// A number below `bound`, of one byte: so at most 255.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// A number of two bytes.
    pub fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// So many bytes, or as many as there are.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let length = length.min(self.rest.len());
        self.rest.split_off(..length).unwrap_or_default()
    }

    /// Where what follows is cut: a count, and so many sizes of pieces, which come round again. `0` is byte by
    /// byte, so a seed may begin with that digit and go on as plain text.
    pub fn cuts(&mut self) -> Cuts {
        let count = self.below(8);
        let sizes = match count {
            0 => vec![1],
            count => (0..count).map(|_| usize::from(self.byte()) + 1).collect(),
        };
        Cuts { sizes }
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// The sizes of the pieces that something comes in. Invariant: there is one, and none is 0.
#[derive(Clone, Debug)]
pub struct Cuts {
    sizes: Vec<usize>,
}

impl Cuts {
    /// No cuts, but for those of whoever takes 64 KiB at most at a time.
    pub fn whole() -> Self {
        Self { sizes: vec![1 << 16] }
    }

    /// The pieces of `whole`.
    pub fn pieces<'a>(&self, whole: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = whole;
        self.sizes().map_while(move |size| {
            let piece = rest.split_off(..size.min(rest.len())).unwrap_or_default();
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// The size of piece i.
    pub fn size(&self, i: usize) -> usize {
        self.sizes[i % self.sizes.len()]
    }

    /// The sizes, for ever.
    pub fn sizes(&self) -> impl Iterator<Item = usize> {
        self.sizes.iter().copied().cycle()
    }
}
