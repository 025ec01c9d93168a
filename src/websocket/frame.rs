//! One frame header, read and written (RFC 6455 §5.2).
//!
//! [`Header::parse`] reads the 2 to 14 bytes before a payload, [`Header::write`] makes them. Nothing
//! is kept between calls: given too few bytes, `parse` answers `Ok(None)` and consumes nothing. What
//! is wrong is told as soon as the byte that is wrong is there.
//!
//! Must not know: payloads, the frames before this one (`message` does), limits, sockets, clocks.
//!
//! Invariant: what `parse` accepts, `write` gives back byte for byte.

use super::Violation;

/// The longest header: 2 bytes, 8 of length, 4 of masking key.
pub const HEADER_BYTES_MAX: usize = 14;

/// The longest payload of a control frame (§5.5).
pub const CONTROL_BYTES_MAX: usize = 125;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const RSV1: u8 = 0x40;
const OPCODE: u8 = 0x0F;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7F;
const LENGTH_IN_16_BITS: u8 = 126;
const LENGTH_IN_64_BITS: u8 = 127;

/// What a frame is for (§5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// 0: the next fragment of the message begun.
    Continuation,
    /// 1: text, in UTF-8.
    Text,
    /// 2: any bytes.
    Binary,
    /// 8: the sender says no more.
    Close,
    /// 9: asks for a pong with the same payload.
    Ping,
    /// 10: the answer to a ping, or a sign of life.
    Pong,
}

impl Opcode {
    fn parse(bits: u8) -> Result<Self, Violation> {
        match bits {
            0 => Ok(Self::Continuation),
            1 => Ok(Self::Text),
            2 => Ok(Self::Binary),
            8 => Ok(Self::Close),
            9 => Ok(Self::Ping),
            10 => Ok(Self::Pong),
            reserved => Err(Violation::ReservedOpcode(reserved)),
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    /// Close, Ping or Pong: never fragmented, never more than 125 bytes (§5.5).
    pub fn is_control(self) -> bool {
        match self {
            Self::Continuation | Self::Text | Self::Binary => false,
            Self::Close | Self::Ping | Self::Pong => true,
        }
    }
}

/// What stands before a payload. The reserved bits are zero; that of a compressed message stands beside it, see
/// [`Header::parse_compressible`] and [`Encoded::compressed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The last frame of its message.
    pub fin: bool,
    /// What the frame is for.
    pub opcode: Opcode,
    /// The masking key; a client always has one, a server never (§5.1).
    pub masking_key: Option<[u8; 4]>,
    /// Bytes of payload, below 2^63.
    pub length: u64,
}

impl Header {
    /// Reads a header off the front of `bytes`, and says how many bytes it took. `Ok(None)`: there are
    /// not enough of them yet.
    ///
    /// # Errors
    /// What §5.2 and §5.5 do not allow in a header, at the first byte that shows it.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        if first & RESERVED != 0 {
            return Err(Violation::ReservedBits((first & RESERVED) >> 4));
        }
        let fin = first & FIN != 0;
        let opcode = Opcode::parse(first & OPCODE)?;
        if opcode.is_control() && !fin {
            return Err(Violation::FragmentedControl);
        }
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if opcode.is_control() && usize::from(second & LENGTH) > CONTROL_BYTES_MAX {
            return Err(Violation::ControlTooLong(u64::from(second & LENGTH)));
        }
        let Some((length, key_at)) = parse_length(second & LENGTH, &bytes[2..])? else { return Ok(None) };
        if second & MASKED == 0 {
            return Ok(Some((Self { fin, opcode, masking_key: None, length }, key_at)));
        }
        let Some(&masking_key) = bytes[key_at..].first_chunk() else { return Ok(None) };
        Ok(Some((Self { fin, opcode, masking_key: Some(masking_key), length }, key_at + 4)))
    }

    /// The same where permessage-deflate was agreed on: says as well whether the message that begins here is
    /// compressed (RFC 7692 §6).
    ///
    /// # Errors
    /// The same; RSV1 on anything but the first frame of a message is a reserved bit (§6.1).
    pub fn parse_compressible(bytes: &[u8]) -> Result<Option<(Self, usize, bool)>, Violation> {
        let with = |is_compressed: bool| move |(header, used)| (header, used, is_compressed);
        let is_compressed = bytes.first().is_some_and(|first| first & RSV1 != 0);
        if !is_compressed {
            return Ok(Self::parse(bytes)?.map(with(false)));
        }
        let mut plain = [0; HEADER_BYTES_MAX];
        let used = bytes.len().min(HEADER_BYTES_MAX);
        plain[..used].copy_from_slice(&bytes[..used]);
        plain[0] &= !RSV1;
        let may_be_compressed = matches!(plain[0] & OPCODE, 1 | 2);
        if !may_be_compressed {
            return Err(Violation::ReservedBits((bytes[0] & RESERVED) >> 4));
        }
        Ok(Self::parse(&plain[..used])?.map(with(true)))
    }

    /// The header on the wire, its length in the shortest form.
    pub fn write(&self) -> Encoded {
        let mut bytes = [0; HEADER_BYTES_MAX];
        bytes[0] = if self.fin { FIN } else { 0 } | self.opcode.bits();
        let masked = if self.masking_key.is_some() { MASKED } else { 0 };
        let mut used = 2;
        if let Ok(short) = u8::try_from(self.length)
            && short < LENGTH_IN_16_BITS
        {
            bytes[1] = masked | short;
        } else if let Ok(length) = u16::try_from(self.length) {
            bytes[1] = masked | LENGTH_IN_16_BITS;
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            used = 4;
        } else {
            bytes[1] = masked | LENGTH_IN_64_BITS;
            bytes[2..10].copy_from_slice(&self.length.to_be_bytes());
            used = 10;
        }
        if let Some(key) = self.masking_key {
            bytes[used..used + 4].copy_from_slice(&key);
            used += 4;
        }
        Encoded { bytes, used }
    }
}

/// The length, and where in the header it ends.
fn parse_length(short: u8, extended: &[u8]) -> Result<Option<(u64, usize)>, Violation> {
    match short {
        LENGTH_IN_16_BITS => {
            let Some(&bytes) = extended.first_chunk() else { return Ok(None) };
            let length = u64::from(u16::from_be_bytes(bytes));
            if length < u64::from(LENGTH_IN_16_BITS) {
                return Err(Violation::LengthNotMinimal(length));
            }
            Ok(Some((length, 4)))
        }
        LENGTH_IN_64_BITS => {
            if extended.first().is_some_and(|highest| highest & 0x80 != 0) {
                return Err(Violation::LengthTooLarge);
            }
            let Some(&bytes) = extended.first_chunk() else { return Ok(None) };
            let length = u64::from_be_bytes(bytes);
            if length <= u64::from(u16::MAX) {
                return Err(Violation::LengthNotMinimal(length));
            }
            Ok(Some((length, 10)))
        }
        short => Ok(Some((u64::from(short), 2))),
    }
}

/// A header's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    bytes: [u8; HEADER_BYTES_MAX],
    used: usize,
}

impl Encoded {
    /// The header of a frame that is one byte: the older draft's.
    pub fn of_one(byte: u8) -> Self {
        let mut bytes = [0; HEADER_BYTES_MAX];
        bytes[0] = byte;
        Self { bytes, used: 1 }
    }

    /// The same with RSV1: the message is compressed (RFC 7692 §6).
    pub fn compressed(mut self) -> Self {
        self.bytes[0] |= RSV1;
        self
    }
}

impl std::ops::Deref for Encoded {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

    fn header(fin: bool, opcode: Opcode, masking_key: Option<[u8; 4]>, length: u64) -> Header {
        Header { fin, opcode, masking_key, length }
    }

    #[test]
    fn there_and_back() {
        let rows: [(&str, &[u8], Header); 9] = [
            ("text, §5.7", b"\x81\x05", header(true, Opcode::Text, None, 5)),
            ("masked text, §5.7", b"\x81\x85\x37\xfa\x21\x3d", header(true, Opcode::Text, KEY, 5)),
            ("first fragment, §5.7", b"\x01\x03", header(false, Opcode::Text, None, 3)),
            ("last fragment, §5.7", b"\x80\x02", header(true, Opcode::Continuation, None, 2)),
            ("ping, §5.7", b"\x89\x05", header(true, Opcode::Ping, None, 5)),
            ("masked pong, §5.7", b"\x8a\x85\x37\xfa\x21\x3d", header(true, Opcode::Pong, KEY, 5)),
            ("256 bytes, §5.7", b"\x82\x7e\x01\x00", header(true, Opcode::Binary, None, 256)),
            ("64 KiB, §5.7", b"\x82\x7f\0\0\0\0\0\x01\0\0", header(true, Opcode::Binary, None, 65_536)),
            (
                "longest",
                b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
                header(true, Opcode::Binary, None, (1 << 63) - 1),
            ),
        ];
        for (name, wire, want) in rows {
            assert_eq!(Header::parse(wire), Ok(Some((want, wire.len()))), "{name}");
            assert_eq!(&*want.write(), wire, "{name}");
            for cut in 0..wire.len() {
                assert_eq!(Header::parse(&wire[..cut]), Ok(None), "{name}, cut at {cut}");
            }
        }
    }

    /// Each row is refused with its last byte, not before.
    #[test]
    fn refused_at_the_first_wrong_byte() {
        let rows: [(&str, &[u8], Violation); 10] = [
            ("RSV1", b"\xc1", Violation::ReservedBits(4)),
            ("RSV3", b"\x91", Violation::ReservedBits(1)),
            ("opcode 3", b"\x83", Violation::ReservedOpcode(3)),
            ("opcode 15", b"\x8f", Violation::ReservedOpcode(15)),
            ("ping in fragments", b"\x09", Violation::FragmentedControl),
            ("close of 126 bytes", b"\x88\xfe", Violation::ControlTooLong(126)),
            ("5 in 16 bits", b"\x81\xfe\x00\x05", Violation::LengthNotMinimal(5)),
            ("125 in 16 bits", b"\x81\xfe\x00\x7d", Violation::LengthNotMinimal(125)),
            ("65535 in 64 bits", b"\x81\xff\0\0\0\0\0\0\xff\xff", Violation::LengthNotMinimal(65_535)),
            ("2^63", b"\x81\xff\x80", Violation::LengthTooLarge),
        ];
        for (name, wire, want) in rows {
            assert_eq!(Header::parse(wire), Err(want), "{name}");
            assert_eq!(Header::parse(&wire[..wire.len() - 1]), Ok(None), "{name}, one byte less");
        }
    }
}
