//! The body of a Close beside RFC 6455 §7.4 in other words, and what is written read back.

use super::input::Input;
use fanfare::CloseCode;
use fanfare::websocket::Violation;
use fanfare::websocket::close;
use fanfare::websocket::frame::{Header, Opcode};
use std::str;

/// The input: a body; the same as a code and a reason is written as well.
pub fn check(input: &[u8]) {
    assert_eq!(close::parse(input), restated(input));

    let mut decisions = Input::new(input);
    let code = CloseCode(decisions.number());
    let reason = String::from_utf8_lossy(decisions.rest());
    let frame = close::write(code, &reason);
    let (header, head_bytes) = Header::parse(&frame).expect("a right header").expect("a whole one");
    let body = &frame[head_bytes..];
    let length = body.len() as u64;
    assert_eq!(header, Header { fin: true, opcode: Opcode::Close, masking_key: None, length });
    assert!(body.len() <= 125, "a control frame has no more");
    let want = match is_on_the_wire(code.0) {
        true => (code, cut(&reason)),
        false => (CloseCode(1005), ""),
    };
    assert_eq!(close::parse(body), Ok(want));
}

/// §5.5.1: nothing, or two bytes of a code that may be there and a reason in UTF-8.
fn restated(body: &[u8]) -> Result<(CloseCode, &str), Violation> {
    match *body {
        [] => Ok((CloseCode(1005), "")),
        [_] => Err(Violation::CloseTooShort),
        [high, low, ref reason @ ..] => {
            let code = u16::from(high) * 256 + u16::from(low);
            if !is_on_the_wire(code) {
                return Err(Violation::CloseCodeInvalid(CloseCode(code)));
            }
            let reason = str::from_utf8(reason).map_err(|_| Violation::CloseReasonNotUtf8)?;
            Ok((CloseCode(code), reason))
        }
    }
}

/// §7.4.1, §7.4.2, and what was registered since.
fn is_on_the_wire(code: u16) -> bool {
    match code {
        0..=999 => false,         // not used
        1000..=1003 => true,      // normal, going away, protocol error, unsupported data
        1004 => false,            // reserved
        1005 | 1006 => false,     // no status, abnormal: for the local end alone
        1007..=1011 => true,      // invalid payload, policy, too big, mandatory extension, internal error
        1012..=1014 => true,      // registered: service restart, try again later, bad gateway
        1015 => false,            // TLS handshake: for the local end alone
        1016..=2999 => false,     // not registered
        3000..=3999 => true,      // for libraries and frameworks
        4000..=4999 => true,      // private use
        5000..=u16::MAX => false, // no such range
    }
}

/// As many whole characters as fit beside the code.
fn cut(reason: &str) -> &str {
    let fits = |(at, character): &(usize, char)| at + character.len_utf8() <= 123;
    let last = reason.char_indices().take_while(fits).last();
    last.map_or("", |(at, character)| &reason[..at + character.len_utf8()])
}
