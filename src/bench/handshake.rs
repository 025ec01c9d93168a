//! The client's side of the opening handshake (RFC 6455 §4.1, RFC 7692 §7.1): a request, and what a response
//! to it must say.
//!
//! [`Request`] is written once for all connections and copied with a new key for each. [`response`] reads
//! what has come so far; nothing is kept between calls, and too little is no error.
//!
//! Must not know: sockets, clocks, where the randomness of a key comes from.
//!
//! Invariant: what is accepted agrees to nothing that was not offered.

use super::cause::{Cause, HandshakeFault};
use super::limits::{RESPONSE_HEAD_BYTES_MAX, RESPONSE_HEADERS_MAX};
use super::plan::HandshakeOptions;
use super::target::Target;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fanfare::websocket::handshake::accept_key;

/// A `Sec-WebSocket-Key`: 16 bytes in base64.
pub(crate) type Key = [u8; 24];

/// Makes a key of 16 random bytes.
pub(crate) fn key(random: [u8; 16]) -> Key {
    let mut key = [0; 24];
    STANDARD.encode_slice(random, &mut key).expect("16 bytes are 24 in base64");
    key
}

/// What is offered: no context is taken over, so that nobody keeps a window for each connection.
const DEFLATE_OFFER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The request of every connection, but for its key.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    template: Vec<u8>,
    /// Where the key stands in it.
    key_at: usize,
}

impl Request {
    /// Of values that have been checked: none holds a line break.
    pub(crate) fn new(target: &Target, options: &HandshakeOptions) -> Self {
        let mut head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ",
            target.path, target.authority
        );
        let key_at = head.len();
        head.extend(std::iter::repeat_n('=', size_of::<Key>()));
        head.push_str("\r\n");
        let mut line = |name: &str, value: &str| head.extend([name, ": ", value, "\r\n"]);
        if let Some(origin) = &options.origin {
            line("Origin", origin);
        }
        if let Some(token) = &options.token {
            line("Authorization", &format!("Bearer {token}"));
        }
        if !options.protocols.is_empty() {
            line("Sec-WebSocket-Protocol", &options.protocols.join(", "));
        }
        if options.deflate {
            line("Sec-WebSocket-Extensions", DEFLATE_OFFER);
        }
        for (name, value) in &options.headers {
            line(name, value);
        }
        head.push_str("\r\n");
        Self { template: head.into_bytes(), key_at }
    }

    /// Appends the request with this key.
    pub(crate) fn write(&self, key: &Key, into: &mut Vec<u8>) {
        let start = into.len() + self.key_at;
        into.extend_from_slice(&self.template);
        into[start..start + key.len()].copy_from_slice(key);
    }
}

/// Whether messages may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deflate {
    /// They are what they are.
    Off,
    /// permessage-deflate without context takeover on either side.
    On,
}

/// A handshake that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Bytes of the response; frames follow.
    pub(crate) consumed: usize,
    /// What was agreed on.
    pub(crate) deflate: Deflate,
}

/// Reads the response to the request with this key; `None`: it is not complete. Interim responses before it
/// are skipped (RFC 9110 §15.2).
///
/// # Errors
/// The status, when it is not 101, and what §4.1 says fails the handshake.
pub(crate) fn response(
    bytes: &[u8],
    key: &Key,
    offered: &HandshakeOptions,
) -> Result<Option<Accepted>, Cause> {
    let mut consumed = 0;
    loop {
        let mut lines = [httparse::EMPTY_HEADER; RESPONSE_HEADERS_MAX];
        let mut head = httparse::Response::new(&mut lines);
        let parsed = head.parse(&bytes[consumed..]);
        match parsed {
            Ok(httparse::Status::Complete(head_bytes)) => consumed += head_bytes,
            Ok(httparse::Status::Partial) if bytes.len() < RESPONSE_HEAD_BYTES_MAX => return Ok(None),
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Err(too_long(&head));
            }
            Err(_) => return Err(Cause::Handshake(HandshakeFault::NotHttp)),
        }
        // Where the reads happen to fall must not decide.
        if consumed > RESPONSE_HEAD_BYTES_MAX {
            return Err(too_long(&head));
        }
        match head.code {
            Some(101) => {
                let deflate = check(head.headers, key, offered).map_err(Cause::Handshake)?;
                return Ok(Some(Accepted { consumed, deflate }));
            }
            Some(100..200) => {}
            Some(status) => return Err(Cause::Http(status)),
            None => return Err(Cause::Handshake(HandshakeFault::NotHttp)),
        }
    }
}

/// A status says more than the length of what comes with it.
fn too_long(head: &httparse::Response<'_, '_>) -> Cause {
    match head.code {
        None | Some(100..200) => Cause::Handshake(HandshakeFault::HeadTooLong),
        Some(status) => Cause::Http(status),
    }
}

type Lines<'a> = [httparse::Header<'a>];

/// A 101 against §4.1, in its order.
fn check(lines: &Lines<'_>, key: &Key, offered: &HandshakeOptions) -> Result<Deflate, HandshakeFault> {
    if !has_token(lines, "upgrade", "websocket") {
        return Err(HandshakeFault::Upgrade);
    }
    if !has_token(lines, "connection", "upgrade") {
        return Err(HandshakeFault::Connection);
    }
    let mut accepts = values(lines, "sec-websocket-accept");
    let accept = accepts.next().ok_or(HandshakeFault::Accept)?;
    if accepts.next().is_some() || accept.trim_ascii() != accept_key(key).as_bytes() {
        return Err(HandshakeFault::Accept);
    }
    let deflate = check_extensions(lines, offered)?;
    // One at most, on one line (§11.3.4).
    let mut protocols = values(lines, "sec-websocket-protocol");
    match (protocols.next(), protocols.next()) {
        (None, _) => Ok(deflate),
        (Some(name), None) if offered.protocols.iter().any(|known| known.as_bytes() == name.trim_ascii()) => {
            Ok(deflate)
        }
        (Some(_), _) => Err(HandshakeFault::Subprotocol),
    }
}

/// permessage-deflate once, if it was offered, and nothing else.
fn check_extensions(lines: &Lines<'_>, offered: &HandshakeOptions) -> Result<Deflate, HandshakeFault> {
    let mut deflate = Deflate::Off;
    // A comma inside quotes would cut here as well: no parameter has one.
    for member in list(lines, "sec-websocket-extensions") {
        let is_new = offered.deflate && deflate == Deflate::Off;
        if !is_new || !is_agreement(member) {
            return Err(HandshakeFault::Extension);
        }
        deflate = Deflate::On;
    }
    Ok(deflate)
}

/// Whether this agrees to [`DEFLATE_OFFER`] (RFC 7692 §7.1): the server must take over no context, since that
/// was asked of it; it may ask the same of us, and may name its own window, which any decoder can read.
fn is_agreement(member: &[u8]) -> bool {
    let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    if parts.next() != Some(b"permessage-deflate") {
        return false;
    }
    let (mut server, mut client, mut window) = (0, 0, 0);
    for parameter in parts {
        match parameter {
            b"server_no_context_takeover" => server += 1,
            b"client_no_context_takeover" => client += 1,
            other if is_server_window(other) => window += 1,
            _ => return false,
        }
    }
    server == 1 && client <= 1 && window <= 1
}

/// `server_max_window_bits` may be there though it was not offered (RFC 7692 §7.1.2.1): 8 to 15, without a
/// leading zero.
fn is_server_window(parameter: &[u8]) -> bool {
    let Some(at) = parameter.iter().position(|&byte| byte == b'=') else { return false };
    let (name, value) = (parameter[..at].trim_ascii(), parameter[at + 1..].trim_ascii());
    name == b"server_max_window_bits"
        && [8_u8, 9, 10, 11, 12, 13, 14, 15].iter().any(|bits| is_number(value, *bits))
}

/// Whether a value, quoted or not (RFC 6455 §9.1), is this number of at most two digits.
fn is_number(value: &[u8], number: u8) -> bool {
    let digits = [b'0' + number / 10, b'0' + number % 10];
    let digits = if number < 10 { &digits[1..] } else { &digits[..] };
    match value.strip_prefix(b"\"") {
        None => value == digits,
        Some(quoted) => quoted.strip_suffix(b"\"").is_some_and(|quoted| is_unescaped(quoted, digits)),
    }
}

/// Whether a quoted text is this one, once a backslash stands for what follows it (RFC 9110 §5.6.4).
fn is_unescaped(mut quoted: &[u8], text: &[u8]) -> bool {
    text.iter().all(|byte| {
        quoted = quoted.strip_prefix(b"\\").unwrap_or(quoted);
        let Some((first, rest)) = quoted.split_first() else { return false };
        quoted = rest;
        first == byte
    }) && quoted.is_empty()
}

/// The values of all header lines of one name.
fn values<'a>(lines: &Lines<'a>, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
    let named = lines.iter().filter(move |line| line.name.eq_ignore_ascii_case(name));
    named.map(|line| line.value)
}

/// The members of a list, over all header lines of one name (RFC 9110 §5.6.1).
fn list<'a>(lines: &Lines<'a>, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
    let members = values(lines, name).flat_map(|value| value.split(|&byte| byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

fn has_token(lines: &Lines<'_>, name: &'static str, token: &str) -> bool {
    list(lines, name).any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::target::Address;

    /// The example of §1.3.
    const KEY: &Key = b"dGhlIHNhbXBsZSBub25jZQ==";
    const RIGHT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    fn offer() -> HandshakeOptions {
        HandshakeOptions { protocols: vec!["chat".into(), "v2".into()], deflate: true, ..Default::default() }
    }

    fn fault(fault: HandshakeFault) -> Result<Option<Accepted>, Cause> {
        Err(Cause::Handshake(fault))
    }

    #[test]
    fn requests() {
        let target = Target {
            url: "ws://example.com/chat?a=1".into(),
            address: Address::Tcp { host: "example.com".into(), port: 80 },
            is_tls: false,
            authority: "example.com".into(),
            path: "/chat?a=1".into(),
        };
        let plain = "GET /chat?a=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
                     Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let all = HandshakeOptions {
            headers: vec![("X-One".into(), "1".into()), ("X-One".into(), "2".into())],
            origin: Some("http://example.com".into()),
            token: Some("s3cret".into()),
            ..offer()
        };
        let more = "Origin: http://example.com\r\nAuthorization: Bearer s3cret\r\n\
                    Sec-WebSocket-Protocol: chat, v2\r\n\
                    Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                    client_no_context_takeover\r\nX-One: 1\r\nX-One: 2\r\n";
        for (options, want) in
            [(HandshakeOptions::default(), format!("{plain}\r\n")), (all, format!("{plain}{more}\r\n"))]
        {
            let mut into = b"kept".to_vec();
            Request::new(&target, &options).write(&key(*b"the sample nonce"), &mut into);
            assert_eq!(String::from_utf8(into).expect("ASCII"), format!("kept{want}"));
        }
    }

    /// Every response is fed whole and byte by byte, with a frame behind it.
    #[test]
    fn responses() {
        let on = |deflate| Ok(Some(Accepted { consumed: 0, deflate }));
        let takeover = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover";
        let many = format!("HTTP/1.1 101 S\r\n{}\r\n", "A: b\r\n".repeat(RESPONSE_HEADERS_MAX + 1));
        let rows = [
            (format!("{RIGHT}\r\n"), on(Deflate::Off)),
            (format!("{RIGHT}Sec-WebSocket-Protocol: v2\r\n\r\n"), on(Deflate::Off)),
            (format!("{RIGHT}{takeover}\r\n\r\n"), on(Deflate::On)),
            (
                format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n{RIGHT}\r\n"),
                on(Deflate::Off),
            ),
            (
                RIGHT.to_uppercase().replace("S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                    + "\r\n",
                on(Deflate::Off),
            ),
            (RIGHT.replace(": Upgrade", ": keep-alive, upgrade") + "\r\n", on(Deflate::Off)),
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".into(), Err(Cause::Http(403))),
            ("HTTP/1.0 502 Bad Gateway\r\n\r\n".into(), Err(Cause::Http(502))),
            ("HTTP/1.1 200 OK\r\n\r\n".into(), Err(Cause::Http(200))),
            (many.replace("101", "503"), Err(Cause::Http(503))),
            (many, fault(HandshakeFault::HeadTooLong)),
            ("SSH-2.0-OpenSSH_9.2\r\n".into(), fault(HandshakeFault::NotHttp)),
            (RIGHT.replace(": websocket", ": h2c") + "\r\n", fault(HandshakeFault::Upgrade)),
            (RIGHT.replace("Upgrade: w", "X: w") + "\r\n", fault(HandshakeFault::Upgrade)),
            (RIGHT.replace(": Upgrade", ": close") + "\r\n", fault(HandshakeFault::Connection)),
            (RIGHT.replace("s3p", "S3p") + "\r\n", fault(HandshakeFault::Accept)),
            (RIGHT.replace("-Accept", "-Key") + "\r\n", fault(HandshakeFault::Accept)),
            (
                format!("{RIGHT}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
                fault(HandshakeFault::Accept),
            ),
            (format!("{RIGHT}Sec-WebSocket-Protocol: Chat\r\n\r\n"), fault(HandshakeFault::Subprotocol)),
            (format!("{RIGHT}Sec-WebSocket-Protocol:\r\n\r\n"), fault(HandshakeFault::Subprotocol)),
            (
                format!("{RIGHT}Sec-WebSocket-Protocol: v2\r\nSec-WebSocket-Protocol: v2\r\n\r\n"),
                fault(HandshakeFault::Subprotocol),
            ),
            (
                format!("{RIGHT}Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n\r\n"),
                fault(HandshakeFault::Extension),
            ),
            (format!("{RIGHT}{takeover}\r\n{takeover}\r\n\r\n"), fault(HandshakeFault::Extension)),
        ];
        for (wire, want) in rows {
            let want =
                want.map(|accepted| accepted.map(|accepted| Accepted { consumed: wire.len(), ..accepted }));
            let with_frame = [wire.as_bytes(), b"\x81\x05Hello"].concat();
            assert_eq!(response(&with_frame, KEY, &offer()), want, "{wire}");
            let step = (0..=wire.len())
                .find_map(|length| response(&wire.as_bytes()[..length], KEY, &offer()).transpose());
            assert_eq!(step, want.transpose(), "byte by byte: {wire}");
        }
    }

    #[test]
    fn nothing_is_agreed_that_was_not_offered() {
        let none = HandshakeOptions::default();
        for (line, want) in [
            ("Sec-WebSocket-Protocol: chat", HandshakeFault::Subprotocol),
            (
                "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover",
                HandshakeFault::Extension,
            ),
        ] {
            assert_eq!(response(format!("{RIGHT}{line}\r\n\r\n").as_bytes(), KEY, &none), fault(want));
        }
    }

    #[test]
    fn agreements() {
        let base = "permessage-deflate; server_no_context_takeover";
        for right in [
            "",
            ";client_no_context_takeover",
            "; server_max_window_bits=8",
            " ;server_max_window_bits=\"15\"; client_no_context_takeover",
            r#"; server_max_window_bits="\1\0""#,
        ] {
            assert!(is_agreement(format!("{base}{right}").as_bytes()), "{right}");
        }
        for wrong in [
            ";",
            "; server_no_context_takeover",
            "; client_no_context_takeover=1",
            "; client_max_window_bits=15",
            "; client_max_window_bits",
            "; server_max_window_bits",
            "; server_max_window_bits=7",
            "; server_max_window_bits=16",
            "; server_max_window_bits=08",
            "; server_max_window_bits=\"15",
            "; server_max_window_bits=\"1\\5\\\"",
            "; server_max_window_bits=9; server_max_window_bits=9",
            "; unknown",
        ] {
            assert!(!is_agreement(format!("{base}{wrong}").as_bytes()), "{wrong}");
        }
        // What we asked of the server is not in its answer, and another name.
        assert!(!is_agreement(b"permessage-deflate"));
        assert!(!is_agreement(b"permessage-bzip2; server_no_context_takeover"));
    }

    #[test]
    fn a_head_without_end() {
        let long = |bytes: usize| {
            let head = format!("{RIGHT}X: ");
            format!("{head}{}\r\n\r\n", "x".repeat(bytes - head.len() - 4))
        };
        let right = long(RESPONSE_HEAD_BYTES_MAX);
        assert!(matches!(response(right.as_bytes(), KEY, &offer()), Ok(Some(_))));
        let too_long = long(RESPONSE_HEAD_BYTES_MAX + 1);
        assert_eq!(response(too_long.as_bytes(), KEY, &offer()), fault(HandshakeFault::HeadTooLong));
        let cut = &too_long.as_bytes()[..RESPONSE_HEAD_BYTES_MAX];
        assert_eq!(response(cut, KEY, &offer()), fault(HandshakeFault::HeadTooLong));
        assert_eq!(response(&cut[1..cut.len()], KEY, &offer()), fault(HandshakeFault::NotHttp), "TTP/1.1");
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(RESPONSE_HEAD_BYTES_MAX);
        assert_eq!(
            response(interim.as_bytes(), KEY, &offer()),
            fault(HandshakeFault::HeadTooLong),
            "interim"
        );
    }
}
