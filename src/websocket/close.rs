//! The body of a Close frame (RFC 6455 §5.5.1, §7.4): nothing, or a code and a reason.
//!
//! Must not know: when a connection closes, or why.

use super::Violation;
use super::frame::{CONTROL_BYTES_MAX, Header, Opcode};
use crate::message::CloseCode;

/// The longest reason, in bytes of UTF-8: a control frame less the code.
pub const REASON_BYTES_MAX: usize = CONTROL_BYTES_MAX - 2;

/// Reads the body of a Close. Without one the code is [`CloseCode::NO_STATUS`].
///
/// # Errors
/// Half a code, a code that may not be sent, a reason that is not UTF-8.
pub fn parse(body: &[u8]) -> Result<(CloseCode, &str), Violation> {
    if body.is_empty() {
        return Ok((CloseCode::NO_STATUS, ""));
    }
    let Some((code, reason)) = body.split_first_chunk() else { return Err(Violation::CloseTooShort) };
    let code = CloseCode(u16::from_be_bytes(*code));
    if !code.may_be_sent() {
        return Err(Violation::CloseCodeInvalid(code));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok((code, reason)),
        Err(_) => Err(Violation::CloseReasonNotUtf8),
    }
}

/// A server's Close frame. [`CloseCode::NO_STATUS`], and every code that may not be sent, makes an empty
/// body. A reason that is too long is cut at a character.
pub fn write(code: CloseCode, reason: &str) -> Vec<u8> {
    let mut body = Vec::new();
    if code.may_be_sent() {
        body.extend_from_slice(&code.0.to_be_bytes());
        body.extend_from_slice(&reason.as_bytes()[..floor_boundary(reason, REASON_BYTES_MAX)]);
    }
    let header = Header { fin: true, opcode: Opcode::Close, masking_key: None, length: body.len() as u64 };
    [&*header.write(), &body].concat()
}

/// The last character boundary at `limit` or before.
fn floor_boundary(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        type Row = (&'static str, &'static [u8], Result<(CloseCode, &'static str), Violation>);
        let rows: [Row; 8] = [
            ("none", b"", Ok((CloseCode::NO_STATUS, ""))),
            ("half a code", b"\x03", Err(Violation::CloseTooShort)),
            ("1000", b"\x03\xe8", Ok((CloseCode::NORMAL, ""))),
            ("1001, bye", b"\x03\xe9bye", Ok((CloseCode::GOING_AWAY, "bye"))),
            ("1005", b"\x03\xed", Err(Violation::CloseCodeInvalid(CloseCode(1005)))),
            ("2999", b"\x0b\xb7", Err(Violation::CloseCodeInvalid(CloseCode(2999)))),
            ("4999", b"\x13\x87", Ok((CloseCode(4999), ""))),
            ("bad reason", b"\x03\xe8\xff", Err(Violation::CloseReasonNotUtf8)),
        ];
        for (name, body, want) in rows {
            assert_eq!(parse(body), want, "{name}");
        }
    }

    #[test]
    fn written() {
        assert_eq!(write(CloseCode::NORMAL, "ok"), b"\x88\x04\x03\xe8ok");
        for never_sent in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(write(CloseCode(never_sent), "lost"), b"\x88\x00", "{never_sent}");
        }
        let long = write(CloseCode::NORMAL, &"é".repeat(100));
        assert_eq!(long.len(), 2 + 2 + 122, "cut between two characters");
        assert!(parse(&long[2..]).is_ok());
    }
}
