//! What a client offers in `Sec-WebSocket-Extensions` (RFC 6455 §9.1). None is spoken here yet; one that is
//! malformed fails the handshake all the same.
//!
//! Must not know: what an extension does.

use crate::http::headers::is_token;

/// Whether a member of the list is an extension: a name, and parameters with a value or without.
pub fn is_offer(member: &[u8]) -> bool {
    let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    parts.next().is_some_and(is_token) && parts.all(is_parameter)
}

fn is_parameter(parameter: &[u8]) -> bool {
    let Some(at) = parameter.iter().position(|&byte| byte == b'=') else { return is_token(parameter) };
    let (name, value) = (&parameter[..at], &parameter[at + 1..]);
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    is_token(name) && quoted.map_or_else(|| is_token(value), is_quoted_token)
}

/// Inside the quotes is a token as well, once what is escaped is no more (§9.1).
fn is_quoted_token(quoted: &[u8]) -> bool {
    let mut token = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        let byte = if byte == b'\\' { bytes.next().copied() } else { Some(byte) };
        let Some(byte) = byte else { return false };
        token.push(byte);
    }
    is_token(&token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers() {
        for right in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "a;b=1 ; c=\"2\"",
            "x-webkit-deflate-frame",
            r#"a;b="\1\2""#,
        ] {
            assert!(is_offer(right.as_bytes()), "{right}");
        }
        for wrong in
            ["", ";", "a;", "a b", "a;=1", "a;b=", "a;b=\"\"", "a;b=\"1 2\"", "a;b=\"1", "a/b", r#"a;b="\"#]
        {
            assert!(!is_offer(wrong.as_bytes()), "{wrong}");
        }
    }
}
