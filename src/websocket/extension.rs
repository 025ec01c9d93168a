//! What a client offers in `Sec-WebSocket-Extensions` (RFC 6455 §9.1), and what of it is agreed to: permessage-deflate
//! without context takeover (RFC 7692 §7.1).
//!
//! One that is malformed fails the handshake; one that is not known, or asks for what is not done here, is declined.
//!
//! Must not know: how anything is compressed.

use crate::http::headers::is_token;
use std::borrow::Cow;

/// How far compressed data may look back (RFC 7692 §7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// 32 KiB.
    Full,
    /// 512 bytes, the least that the compressor here can: for whoever asks for less than a full one.
    Small,
}

impl Window {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Full, Self::Small];

    /// Its size, as a power of two.
    pub fn bits(self) -> u8 {
        match self {
            Self::Full => 15,
            Self::Small => 9,
        }
    }
}

/// permessage-deflate as it was agreed on: neither side keeps anything from one message to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// How far back the server looks.
    pub window: Window,
    /// The client has asked about it, and is told.
    is_window_told: bool,
}

impl Agreement {
    /// What the response says (RFC 7692 §7.1). That of a client's own window says nothing: every size is read here.
    pub fn response(self) -> &'static str {
        match (self.is_window_told, self.window) {
            (false, _) => "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            (true, Window::Full) => {
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                 server_max_window_bits=15"
            }
            (true, Window::Small) => {
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                 server_max_window_bits=9"
            }
        }
    }
}

/// The first of a client's offers that can be agreed to; the members of its lists, in their order.
pub fn agree<'o>(offers: impl Iterator<Item = &'o [u8]>) -> Option<Agreement> {
    offers.filter_map(agree_to).next()
}

/// RFC 7692 §7.1: an offer with a parameter that is unknown, there twice or of a wrong value is declined; so is one that
/// asks for a window smaller than there is.
fn agree_to(offer: &[u8]) -> Option<Agreement> {
    let mut parts = offer.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    if !parts.next()?.eq_ignore_ascii_case(b"permessage-deflate") {
        return None;
    }
    let mut seen = [false; 4];
    let mut agreement = Agreement { window: Window::Full, is_window_told: false };
    for part in parts {
        let (name, value) = split(part);
        let parameter = Parameter::parse(name)?;
        if std::mem::replace(&mut seen[parameter as usize], true) {
            return None;
        }
        match (parameter, value) {
            (Parameter::ServerNoContextTakeover | Parameter::ClientNoContextTakeover, None) => {}
            (Parameter::ServerNoContextTakeover | Parameter::ClientNoContextTakeover, Some(_)) => {
                return None;
            }
            (Parameter::ClientMaxWindowBits, None) => {}
            (Parameter::ClientMaxWindowBits, Some(value)) => {
                window_bits(&value)?;
            }
            (Parameter::ServerMaxWindowBits, None) => return None,
            (Parameter::ServerMaxWindowBits, Some(value)) => {
                let window =
                    Window::ALL.into_iter().find(|window| Some(window.bits()) <= window_bits(&value));
                agreement = Agreement { window: window?, is_window_told: true };
            }
        }
    }
    Some(agreement)
}

/// The parameters there are (RFC 7692 §7.1).
#[derive(Clone, Copy)]
enum Parameter {
    ServerNoContextTakeover,
    ClientNoContextTakeover,
    ServerMaxWindowBits,
    ClientMaxWindowBits,
}

impl Parameter {
    fn parse(name: &[u8]) -> Option<Self> {
        let known: [(&[u8], Self); 4] = [
            (b"server_no_context_takeover", Self::ServerNoContextTakeover),
            (b"client_no_context_takeover", Self::ClientNoContextTakeover),
            (b"server_max_window_bits", Self::ServerMaxWindowBits),
            (b"client_max_window_bits", Self::ClientMaxWindowBits),
        ];
        known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, parameter)| parameter)
    }
}

/// 8 to 15, without zeros in front (RFC 7692 §7.1.2).
fn window_bits(value: &[u8]) -> Option<u8> {
    let is_number = !value.is_empty() && value[0] != b'0' && value.iter().all(u8::is_ascii_digit);
    let bits = is_number.then(|| str::from_utf8(value).ok()?.parse().ok())??;
    (8..=15).contains(&bits).then_some(bits)
}

/// Whether a member of the list is an extension: a name, and parameters with a value or without.
pub fn is_offer(member: &[u8]) -> bool {
    let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    parts.next().is_some_and(is_token) && parts.all(is_parameter)
}

fn is_parameter(parameter: &[u8]) -> bool {
    let (name, value) = split(parameter);
    is_token(name) && value.is_none_or(|value| is_token(&value))
}

/// A parameter's name and value; a quoted value is what it stands for (RFC 6455 §9.1: a token as well). What is
/// quoted wrong stands for nothing, which no token is.
fn split(parameter: &[u8]) -> (&[u8], Option<Cow<'_, [u8]>>) {
    let Some(at) = parameter.iter().position(|&byte| byte == b'=') else { return (parameter, None) };
    let (name, value) = (parameter[..at].trim_ascii_end(), parameter[at + 1..].trim_ascii_start());
    if !value.starts_with(b"\"") {
        return (name, Some(Cow::Borrowed(value)));
    }
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    (name, Some(Cow::Owned(quoted.and_then(unescape).unwrap_or_default())))
}

fn unescape(quoted: &[u8]) -> Option<Vec<u8>> {
    let mut token = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(&byte) = bytes.next() {
        token.push(if byte == b'\\' { *bytes.next()? } else { byte });
    }
    Some(token)
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

    const BASE: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    fn agreed(offers: &str) -> Option<String> {
        let members = offers.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        agree(members).map(|agreement| agreement.response().to_owned())
    }

    /// RFC 7692 §7.1, parameter by parameter.
    #[test]
    fn what_is_agreed_to() {
        let told = |bits| format!("{BASE}; server_max_window_bits={bits}");
        for (offer, want) in [
            ("permessage-deflate", BASE.to_owned()),
            ("PerMessage-Deflate", BASE.to_owned()),
            ("permessage-deflate; client_max_window_bits", BASE.to_owned()),
            ("permessage-deflate; client_max_window_bits=8", BASE.to_owned()),
            ("permessage-deflate;server_no_context_takeover;client_no_context_takeover", BASE.to_owned()),
            ("permessage-deflate; server_max_window_bits=15", told(15)),
            ("permessage-deflate; server_max_window_bits=\"15\"", told(15)),
            ("permessage-deflate; server_max_window_bits=14", told(9)),
            ("permessage-deflate; server_max_window_bits=9; client_max_window_bits=9", told(9)),
            ("x-webkit-deflate-frame, permessage-deflate", BASE.to_owned()),
            // The examples of §7.1.3: what cannot be had, and the same without it.
            ("permessage-deflate; server_max_window_bits=8, permessage-deflate", BASE.to_owned()),
            ("permessage-deflate; server_max_window_bits=10, permessage-deflate", told(9)),
        ] {
            assert_eq!(agreed(offer), Some(want), "{offer}");
        }
    }

    #[test]
    fn what_is_declined() {
        for offer in [
            "",
            "x-webkit-deflate-frame",
            "permessage-bzip2",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; server_max_window_bits=1000000000000",
            "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
            "permessage-deflate; client_max_window_bits=0",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover=true",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; mux",
        ] {
            assert_eq!(agreed(offer), None, "{offer}");
        }
    }
}
