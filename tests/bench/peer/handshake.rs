//! A client's request, and the answer it gets.

use super::fault::Fault;
use fanfare::websocket::handshake::accept_key;

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The path and the query.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head without its empty line; gives `None` when it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let target = lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?.to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<Option<_>>()?;
        Some(Self { target, headers })
    }

    /// The value of a header that is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        if values.next().is_some() { None } else { Some(value) }
    }

    /// What is wrong with it (RFC 6455 §4.2.1).
    pub(super) fn violation(&self) -> Option<&'static str> {
        let has = |name, value: &str| self.header(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
        let is_key = |key: &&str| key.len() == 24 && key.ends_with("==");
        let rows = [
            ("a request without one Host", self.header("Host").is_some()),
            ("a request without Upgrade: websocket", has("Upgrade", "websocket")),
            ("a request without Connection: Upgrade", has("Connection", "upgrade")),
            ("a request for another version", has("Sec-WebSocket-Version", "13")),
            ("a key that is not 16 bytes", self.header("Sec-WebSocket-Key").filter(is_key).is_some()),
        ];
        rows.iter().find_map(|(violation, is_right)| (!is_right).then_some(*violation))
    }
}

/// What a request gets.
pub(super) enum Answer {
    /// These bytes; then the connection is open.
    Open(String),
    /// These bytes; then its end.
    Refuse(String),
    /// These bytes, and more of a head for ever.
    Endless(String),
    /// Nothing.
    Silence,
}

/// Answers the handshake of the connection with this number, from 1.
pub(super) fn answer(head: &Head, number: u64, fault: Fault) -> Answer {
    if let Fault::RefuseBeyond(allowed, status) = fault
        && number > allowed
    {
        return refuse(status, "");
    }
    let key = head.header("Sec-WebSocket-Key").unwrap_or_default();
    let accept = |key: &str, more: &str| {
        let accept = accept_key(key.as_bytes());
        let upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
        format!("{upgrade}Sec-WebSocket-Accept: {accept}\r\n{more}")
    };
    let open = |more| Answer::Open(accept(key, more) + "\r\n");
    if fault == Fault::NeverAnswer {
        return Answer::Silence;
    }
    if fault == Fault::WrongAccept {
        return Answer::Open(accept("another", "") + "\r\n");
    }
    if fault == Fault::NotHttp {
        return Answer::Refuse("220 mail.example ESMTP\r\n\r\n".to_owned());
    }
    if fault == Fault::Redirect {
        return refuse(302, "Location: ws://127.0.0.1:9/\r\n");
    }
    if fault == Fault::HugeHead {
        return Answer::Endless(accept(key, "X-Filler: "));
    }
    if fault == Fault::UnofferedProtocol {
        return open("Sec-WebSocket-Protocol: unoffered\r\n");
    }
    if fault == Fault::UnofferedExtension {
        return open("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    }
    match head.header("Sec-WebSocket-Protocol").and_then(|offer| offer.split(',').next()) {
        Some(first) => open(&format!("Sec-WebSocket-Protocol: {}\r\n", first.trim())),
        None => open(""),
    }
}

/// An answer with a status that is not 101.
pub(super) fn refuse(status: u16, more: &str) -> Answer {
    let close = "Connection: close\r\nContent-Length: 0\r\n";
    Answer::Refuse(format!("HTTP/1.1 {status} No WebSocket\r\n{close}{more}\r\n"))
}
