//! Records as JSON (RFC 8259), one object each, in ASCII but for what strings hold.

use super::record::{Direction, Frame, Record, What};
use std::fmt::Write as _;

/// Writing to a String does not fail.
const INFALLIBLE: &str = "a String takes everything";

/// One record.
pub(super) fn record(record: &Record) -> String {
    let direction = match record.direction {
        Direction::In => "in",
        Direction::Out => "out",
    };
    let mut json = format!("{{\"at_us\":{},\"dir\":\"{direction}\",\"kind\":", record.at_us);
    match &record.what {
        What::Handshake(text) => {
            json.push_str("\"handshake\",\"text\":");
            push_string(&mut json, &String::from_utf8_lossy(text));
        }
        What::Frame(frame) => push_frame(&mut json, frame),
        What::Close => json.push_str("\"close\""),
    }
    json.push('}');
    json
}

/// So many records are missing here, the last of them of this time.
pub(super) fn dropped(count: u64, at_us: u64) -> String {
    format!("{{\"at_us\":{at_us},\"kind\":\"dropped\",\"count\":{count}}}")
}

fn push_frame(json: &mut String, frame: &Frame) {
    let shape = &frame.shape;
    write!(
        json,
        "\"frame\",\"fin\":{},\"rsv\":{},\"opcode\":{},\"masked\":{},\"key\":",
        shape.fin,
        shape.rsv,
        shape.opcode,
        shape.key.is_some()
    )
    .expect(INFALLIBLE);
    match &shape.key {
        Some(key) => push_hex(json, key),
        None => json.push_str("null"),
    }
    write!(json, ",\"length\":{},\"wire\":", shape.length).expect(INFALLIBLE);
    push_hex(json, frame.wire());
    json.push_str(",\"preview\":");
    match frame.preview() {
        Some(text) => push_string(json, &text),
        None => json.push_str("null"),
    }
}

fn push_hex(json: &mut String, bytes: &[u8]) {
    json.push('"');
    let digit = |bits: u8| char::from(b"0123456789abcdef"[usize::from(bits)]);
    bytes.iter().for_each(|byte| json.extend([digit(byte >> 4), digit(byte & 0x0F)]));
    json.push('"');
}

/// §7: quotation mark, backslash and control characters may not stand as they are.
fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\r' => json.push_str("\\r"),
            '\n' => json.push_str("\\n"),
            letter if letter.is_control() => {
                write!(json, "\\u{:04x}", u32::from(letter)).expect(INFALLIBLE);
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::{Tap, Trace};
    use super::*;
    use crate::budget::Budget;

    #[test]
    fn as_the_contract_has_it() {
        let mut trace = Trace::new(&Budget::new(usize::MAX));
        Tap::of_responses(0).receive(
            b"HTTP/1.1 101 \"\\\x01\xFF\r\n\r\n\x81\x05Hello\x8a\x00\x88\x05\x03\xe8bye",
            7,
            &mut trace,
        );
        Tap::of_frames().receive(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 9, &mut trace);
        trace.push(Record { at_us: 10, direction: Direction::In, what: What::Close });
        let want = [
            r#"{"at_us":7,"dir":"out","kind":"handshake","text":"HTTP/1.1 101 \"\\\u0001�\r\n\r\n"}"#,
            r#"{"at_us":7,"dir":"out","kind":"frame","fin":true,"rsv":0,"opcode":1,"masked":false,"key":null,"length":5,"wire":"810548656c6c6f","preview":"Hello"}"#,
            r#"{"at_us":7,"dir":"out","kind":"frame","fin":true,"rsv":0,"opcode":10,"masked":false,"key":null,"length":0,"wire":"8a00","preview":null}"#,
            r#"{"at_us":7,"dir":"out","kind":"frame","fin":true,"rsv":0,"opcode":8,"masked":false,"key":null,"length":5,"wire":"880503e8627965","preview":"bye"}"#,
            r#"{"at_us":9,"dir":"in","kind":"frame","fin":true,"rsv":0,"opcode":1,"masked":true,"key":"37fa213d","length":5,"wire":"818537fa213d7f9f4d5158","preview":"Hello"}"#,
            r#"{"at_us":10,"dir":"in","kind":"close"}"#,
        ];
        let got: Vec<_> = std::iter::from_fn(|| trace.pop()).collect();
        assert_eq!(got, want);
    }
}
