//! Masking (RFC 6455 §5.3): payload byte i is combined with byte i mod 4 of the key.
//!
//! Must not know: frames. A payload that comes in pieces names where each piece starts.

/// Masks or unmasks `bytes` in place; `offset` is where they stand in their payload.
///
/// Eight bytes at a time, which the compiler widens: memory speed, in safe code.
pub fn apply(bytes: &mut [u8], key: [u8; 4], offset: u64) {
    let turn = (offset % 4) as usize;
    let key: [u8; 4] = std::array::from_fn(|i| key[(i + turn) % 4]);
    let half = u64::from(u32::from_ne_bytes(key));
    let word = half << 32 | half;
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever a payload stands in memory, and wherever in its payload a piece begins.
    #[test]
    fn its_own_inverse_at_every_alignment() {
        let plain: Vec<u8> = (0..200).collect();
        for start in 0..16 {
            for (end, offset) in [(start, 0), (start + 1, 3), (190, 1), (199, 2), (200, 7)] {
                let mut bytes = plain.clone();
                apply(&mut bytes[start..end], [1, 2, 4, 8], offset);
                assert_eq!(bytes[..start], plain[..start], "what is before is not touched");
                assert_eq!(bytes[end..], plain[end..], "nor what is behind");
                apply(&mut bytes[start..end], [1, 2, 4, 8], offset);
                assert_eq!(bytes, plain, "{start}..{end} at {offset}");
            }
        }
    }

    #[test]
    fn as_the_rfc_says_at_every_length_and_offset() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for offset in 0..9_u64 {
            for length in 0..40 {
                let plain: Vec<u8> = (0..length).collect();
                let want: Vec<u8> =
                    plain.iter().zip(offset..).map(|(byte, i)| byte ^ key[(i % 4) as usize]).collect();
                let mut got = plain.clone();
                apply(&mut got, key, offset);
                assert_eq!(got, want, "{length} bytes at {offset}");
                apply(&mut got, key, offset);
                assert_eq!(got, plain, "and back");
            }
        }
    }
}
