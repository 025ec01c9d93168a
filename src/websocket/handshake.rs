//! The server's side of the opening handshake (RFC 6455 §4.2).
//!
//! Must not know: whose pages may connect, what the connection becomes.

use super::extension::{self, Agreement};
use crate::config::{Compression, Legacy};
use crate::http::Refusal;
use crate::http::headers::is_token;
use crate::http::request::{Method, Request, Version};
use crate::http::response::{Head, Status};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1_smol::Sha1;

/// What is appended to the key before it is hashed (§1.3).
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const OLD_DRAFT: Refusal =
    Refusal::bad("the draft with Sec-WebSocket-Key1 is not spoken here: the WebSocket version is 13");

/// A handshake that is as §4.2.1 wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake<'p> {
    accept: String,
    protocol: Option<&'p str>,
    agreement: Option<Agreement>,
    /// The headers of the older draft are said as well.
    says_legacy: bool,
}

/// What a server is ready to agree to.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'p> {
    /// Subprotocols, the preferred one first.
    pub protocols: &'p [String],
    /// Whether messages may be compressed.
    pub compression: Compression,
    /// Whether the older draft is spoken as well.
    pub legacy: Legacy,
}

/// Checks a request against §4.2.1, picks the first of the protocols that the client offers, and the first of its
/// extensions that is spoken here.
///
/// # Errors
/// 426 for another version, 400 for anything else that is missing or wrong.
pub fn check<'p>(request: &Request<'_>, terms: &Terms<'p>) -> Result<Handshake<'p>, Refusal> {
    if is_of_the_draft(request) {
        return Err(OLD_DRAFT);
    }
    if request.method != Method::Get {
        return Err(Refusal::bad("a WebSocket handshake is a GET"));
    }
    if request.version != Version::Http11 {
        return Err(Refusal::bad("a WebSocket handshake is HTTP/1.1"));
    }
    if !request.headers.has_token("upgrade", "websocket") {
        return Err(Refusal::bad("Upgrade does not name websocket"));
    }
    if !request.headers.has_token("connection", "upgrade") {
        return Err(Refusal::bad("Connection does not name Upgrade"));
    }
    if request.headers.single("sec-websocket-version")? != Some(b"13") {
        return Err(Refusal::new(Status::UpgradeRequired, "the WebSocket version here is 13"));
    }
    let key =
        request.headers.single("sec-websocket-key")?.ok_or(Refusal::bad("there is no Sec-WebSocket-Key"))?;
    if !is_key(key) {
        return Err(Refusal::bad("Sec-WebSocket-Key is not 16 bytes in base64"));
    }
    if request.body.has_body() {
        return Err(Refusal::bad("a WebSocket handshake has no body"));
    }
    check_lists(request)?;
    let agreement = match terms.compression {
        Compression::Negotiated if cfg!(feature = "deflate") => {
            extension::agree(request.headers.list("sec-websocket-extensions"))
        }
        Compression::Negotiated | Compression::Never => None,
    };
    Ok(Handshake {
        accept: accept_key(key),
        protocol: choose_protocol(request, terms.protocols),
        agreement,
        says_legacy: terms.legacy == Legacy::Spoken,
    })
}

/// Whether a request begins the handshake of the older draft, whatever else is wrong with it.
pub fn is_of_the_draft(request: &Request<'_>) -> bool {
    let has = |name| request.headers.contains(name);
    (has("sec-websocket-key1") || has("sec-websocket-key2")) && !has("sec-websocket-version")
}

/// The first of `protocols` that the client offers.
pub(super) fn choose_protocol<'p>(request: &Request<'_>, protocols: &'p [String]) -> Option<&'p str> {
    let offered = |protocol: &&String| {
        request.headers.list("sec-websocket-protocol").any(|name| name == protocol.as_bytes())
    };
    protocols.iter().find(offered).map(String::as_str)
}

impl Handshake<'_> {
    /// What was agreed on about compression; `None`: nothing.
    pub fn agreement(&self) -> Option<Agreement> {
        self.agreement
    }

    /// The 101 that completes the handshake (§4.2.2).
    pub fn response(&self) -> Vec<u8> {
        let mut head = Head::new(Status::SwitchingProtocols, 0)
            .header("Upgrade", "websocket")
            .header("Connection", "Upgrade")
            .header("Sec-WebSocket-Accept", &self.accept);
        if self.says_legacy {
            // Word for word as in the transcript that people compare with.
            head = head
                .header("Sec-WebSocket-Origin", "null")
                .header("Sec-WebSocket-Location", "ws://example.com/");
        }
        if let Some(protocol) = self.protocol {
            head = head.header("Sec-WebSocket-Protocol", protocol);
        }
        if let Some(agreement) = self.agreement {
            head = head.header("Sec-WebSocket-Extensions", agreement.response());
        }
        head.finish()
    }
}

/// `Sec-WebSocket-Accept` for a key (§4.2.2, step 5.4).
pub fn accept_key(key: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID.as_bytes());
    STANDARD.encode(hash.digest().bytes())
}

/// What is no list of what it should list fails the handshake, whatever else is in it (§4.2.1, §4.3).
fn check_lists(request: &Request<'_>) -> Result<(), Refusal> {
    let is_list = |name: &str, is_member: fn(&[u8]) -> bool| {
        let mut members = request.headers.list(name).peekable();
        !request.headers.contains(name) || (members.peek().is_some() && members.all(is_member))
    };
    if !is_list("connection", is_token) || !is_list("upgrade", is_protocol) {
        return Err(Refusal::bad("Connection or Upgrade is no list of names"));
    }
    if !is_list("sec-websocket-protocol", is_token) {
        return Err(Refusal::bad("Sec-WebSocket-Protocol is no list of names"));
    }
    if !is_list("sec-websocket-extensions", extension::is_offer) {
        return Err(Refusal::bad("Sec-WebSocket-Extensions is no list of extensions"));
    }
    Ok(())
}

/// A protocol of HTTP's: a name, and a version or none (RFC 9110 §7.8).
fn is_protocol(member: &[u8]) -> bool {
    member.splitn(2, |&byte| byte == b'/').all(is_token)
}

/// 16 bytes in base64: 24 characters.
fn is_key(key: &[u8]) -> bool {
    key.len() == 24 && STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request;

    const RIGHT: [(&str, &str); 5] = [
        ("Host", "example.com"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
    ];

    fn shake(line: &str, headers: &[(&str, &str)], protocols: &[&str]) -> Result<String, Refusal> {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let wire = format!("{line}\r\n{headers}\r\n");
        let (request, _) = request::parse(wire.as_bytes()).expect("right").expect("complete");
        let protocols: Vec<_> = protocols.iter().map(|&name| name.to_owned()).collect();
        let terms =
            Terms { protocols: &protocols, compression: Compression::Negotiated, legacy: Legacy::Refused };
        let response = check(&request, &terms)?.response();
        Ok(String::from_utf8(response).expect("ASCII"))
    }

    #[test]
    fn the_example_of_section_1_3() {
        let want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        assert_eq!(shake("GET /chat HTTP/1.1", &RIGHT, &[]), Ok(format!("{want}\r\n")));
        let offered = [&RIGHT[..], &[("Sec-WebSocket-Protocol", "chat, superchat")]].concat();
        let chat = format!("{want}Sec-WebSocket-Protocol: chat\r\n\r\n");
        assert_eq!(shake("GET /chat HTTP/1.1", &offered, &["v9", "chat"]), Ok(chat));
    }

    #[test]
    fn the_transcript() {
        assert_eq!(accept_key(b"sN9cRrP/n9NdMgdcy2VJFQ=="), "fFBooB7FAkLlXgRSz0BT3v4hq5s=");
        let wire = b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Key: sN9cRrP/n9NdMgdcy2VJFQ==\r\nOrigin: null\r\nSec-WebSocket-Version: 13\r\n\r\n";
        let (request, _) = request::parse(wire).expect("right").expect("complete");
        let terms = Terms { protocols: &[], compression: Compression::Negotiated, legacy: Legacy::Spoken };
        let response = check(&request, &terms).expect("right").response();
        let want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: fFBooB7FAkLlXgRSz0BT3v4hq5s=\r\nSec-WebSocket-Origin: null\r\n\
                    Sec-WebSocket-Location: ws://example.com/\r\n\r\n";
        assert_eq!(String::from_utf8(response).as_deref(), Ok(want));
    }

    #[test]
    fn compression_is_agreed_on_where_it_may_be() {
        let wire = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Extensions: foo\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        let (request, _) = request::parse(wire).expect("right").expect("complete");
        let there_is = cfg!(feature = "deflate");
        for (compression, want) in [(Compression::Negotiated, there_is), (Compression::Never, false)] {
            let terms = Terms { protocols: &[], compression, legacy: Legacy::Refused };
            let handshake = check(&request, &terms).expect("right");
            assert_eq!(handshake.agreement().is_some(), want, "{compression:?}");
            let response = String::from_utf8(handshake.response()).expect("ASCII");
            assert_eq!(response.contains("Sec-WebSocket-Extensions: permessage-deflate; "), want);
        }
    }

    #[test]
    fn the_servers_preference_decides() {
        let offered =
            [&RIGHT[..], &[("Sec-WebSocket-Protocol", "a"), ("Sec-WebSocket-Protocol", "b ,c")]].concat();
        for (protocols, want) in [(&["c", "a"][..], Some("c")), (&["b"], Some("b")), (&["A"], None)] {
            let response = shake("GET / HTTP/1.1", &offered, protocols).expect("right");
            let agreed = response.split("Sec-WebSocket-Protocol: ").nth(1).map(str::trim_end);
            assert_eq!(agreed, want, "{protocols:?}");
        }
    }

    /// Each row changes one header of a right handshake; an empty value leaves it out.
    #[test]
    fn refused() {
        let bad = Status::BadRequest;
        let rows = [
            ("GET / HTTP/1.1", "Sec-WebSocket-Version", "8", Status::UpgradeRequired),
            ("GET / HTTP/1.1", "Sec-WebSocket-Version", "", Status::UpgradeRequired),
            ("GET / HTTP/1.1", "Sec-WebSocket-Version", "13, 8", Status::UpgradeRequired),
            ("GET / HTTP/1.1", "Sec-WebSocket-Key", "", bad),
            ("GET / HTTP/1.1", "Sec-WebSocket-Key", "dGhlIHNhbXBsZQ==", bad),
            ("GET / HTTP/1.1", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", bad),
            ("GET / HTTP/1.1", "Sec-WebSocket-Key", "!GhlIHNhbXBsZSBub25jZQ==", bad),
            // The example of §4.1, before its erratum 3150: bits that mean nothing are set.
            ("GET / HTTP/1.1", "Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEC==", bad),
            ("GET / HTTP/1.1", "Connection", "keep-alive", bad),
            ("GET / HTTP/1.1", "Connection", "", bad),
            ("GET / HTTP/1.1", "Connection", "Upgrade, a b", bad),
            ("GET / HTTP/1.1", "Upgrade", "websocket, a b", bad),
            ("GET / HTTP/1.1", "Upgrade", "websocket, a/", bad),
            ("GET / HTTP/1.1", "Upgrade", "", bad),
            ("GET / HTTP/1.1", "Content-Length", "5", bad),
            ("GET / HTTP/1.1", "Transfer-Encoding", "chunked", bad),
            ("GET / HTTP/1.1", "Sec-WebSocket-Protocol", "a b", bad),
            ("GET / HTTP/1.1", "Sec-WebSocket-Protocol", ",", bad),
            ("GET / HTTP/1.1", "Sec-WebSocket-Extensions", "permessage-deflate; =", bad),
            ("POST / HTTP/1.1", "Host", "h", bad),
            ("GET / HTTP/1.0", "Host", "h", bad),
        ];
        for (line, name, value, want) in rows {
            let mut headers: Vec<_> = RIGHT.iter().copied().filter(|(other, _)| *other != name).collect();
            if !value.is_empty() {
                headers.push((name, value));
            }
            let got = shake(line, &headers, &[]).map_err(|refusal| refusal.status);
            assert_eq!(got, Err(want), "{line}, {name}: {value}");
        }
    }

    #[test]
    fn tokens_without_case_in_lists_over_lines() {
        let headers = [
            ("host", "h"),
            ("UPGRADE", "h2c"),
            ("upgrade", "x/1.1, WebSocket"),
            ("Connection", "keep-alive"),
            ("connection", ",uPGRADE"),
            ("sec-websocket-KEY", "  dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
        ];
        assert!(shake("GET / HTTP/1.1", &headers, &[]).is_ok());
    }
}
