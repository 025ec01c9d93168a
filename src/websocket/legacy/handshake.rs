//! The server's side of the older draft's opening handshake (draft-hixie-thewebsocketprotocol-76 §1.3, §5).
//!
//! Two keys in headers and eight bytes behind the head become sixteen bytes of MD5, which stand behind the head of the
//! answer.
//!
//! Must not know: whose pages may connect, what the connection becomes.

use crate::http::Refusal;
use crate::http::origin::Scheme;
use crate::http::request::{Method, Request, Version};
use crate::websocket::handshake::choose_protocol;

/// What comes behind the head of a request: the third key.
pub const KEY3_BYTES: usize = 8;

/// A handshake that is as the draft wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake<'r> {
    origin: &'r str,
    location: String,
    protocol: Option<&'r str>,
    answer: [u8; 16],
}

/// Checks a request, with the eight bytes behind its head, and picks the first of `protocols` that the client offers.
///
/// # Errors
/// 400 for what is missing or wrong.
pub fn check<'r>(
    request: &Request<'r>,
    key3: [u8; KEY3_BYTES],
    protocols: &'r [String],
    scheme: Scheme,
) -> Result<Handshake<'r>, Refusal> {
    if request.method != Method::Get || request.version != Version::Http11 {
        return Err(Refusal::bad("a handshake of the draft is a GET of HTTP/1.1"));
    }
    if !request.headers.has_token("upgrade", "websocket") {
        return Err(Refusal::bad("Upgrade does not name websocket"));
    }
    if !request.headers.has_token("connection", "upgrade") {
        return Err(Refusal::bad("Connection does not name Upgrade"));
    }
    if request.body.has_body() {
        return Err(Refusal::bad("a WebSocket handshake has no body"));
    }
    let key = |name| {
        let key = request.headers.single(name)?;
        key.and_then(number).ok_or(Refusal::bad("Sec-WebSocket-Key1 or Key2 is not as the draft wants it"))
    };
    let answer = answer(key("sec-websocket-key1")?, key("sec-websocket-key2")?, key3);
    // It comes back in the answer: nothing but what an origin is made of.
    let origin = request.headers.single("origin")?.unwrap_or(b"null");
    let is_clean = |origin: &&str| !origin.is_empty() && origin.bytes().all(|byte| byte.is_ascii_graphic());
    let origin = str::from_utf8(origin).ok().filter(is_clean).ok_or(Refusal::bad("Origin is no origin"))?;
    let scheme = match scheme {
        Scheme::Http => "ws",
        Scheme::Https => "wss",
    };
    let location = format!("{scheme}://{}{}", request.host, request.target);
    if !location.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::bad("the target of a handshake of the draft is ASCII"));
    }
    Ok(Handshake { origin, location, protocol: choose_protocol(request, protocols), answer })
}

impl Handshake<'_> {
    /// The head that completes the handshake, and the answer behind it.
    pub fn response(&self) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Origin: {}\r\nSec-WebSocket-Location: {}\r\n",
            self.origin, self.location
        );
        if let Some(protocol) = self.protocol {
            head = head + "Sec-WebSocket-Protocol: " + protocol + "\r\n";
        }
        [head.as_bytes(), b"\r\n", &self.answer].concat()
    }
}

/// What a key stands for: the number of its digits, divided by its spaces; without a rest, or it is none (§5.2).
fn number(key: &[u8]) -> Option<u32> {
    let spaces = key.iter().filter(|&&byte| byte == b' ').count() as u64;
    let mut digits = key.iter().filter(|byte| byte.is_ascii_digit()).peekable();
    digits.peek()?;
    let number = digits
        .try_fold(0_u64, |number, &digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?;
    let quotient = number.checked_div(spaces).filter(|quotient| quotient * spaces == number)?;
    u32::try_from(quotient).ok()
}

fn answer(first: u32, second: u32, key3: [u8; KEY3_BYTES]) -> [u8; 16] {
    let challenge = [&first.to_be_bytes()[..], &second.to_be_bytes(), &key3].concat();
    md5::compute(challenge).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request;
    use crate::websocket::handshake::is_of_the_draft;

    /// The example of §1.2.
    const RIGHT: [(&str, &str); 7] = [
        ("Host", "example.com"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key2", "12998 5 Y3 1  .P00"),
        ("Sec-WebSocket-Protocol", "sample"),
        ("Upgrade", "WebSocket"),
        ("Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5"),
        ("Origin", "http://example.com"),
    ];

    fn shake(line: &str, headers: &[(&str, &str)], scheme: Scheme) -> Result<String, Refusal> {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let wire = format!("{line}\r\n{headers}\r\n");
        let (request, _) = request::parse(wire.as_bytes()).expect("right").expect("complete");
        assert!(is_of_the_draft(&request));
        let protocols = ["sample".to_owned()];
        let response = check(&request, *b"^n:ds[4U", &protocols, scheme)?.response();
        Ok(String::from_utf8(response).expect("ASCII"))
    }

    #[test]
    fn the_example_of_section_1_2() {
        let want = "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Origin: http://example.com\r\nSec-WebSocket-Location: ws://example.com/demo\r\n\
                    Sec-WebSocket-Protocol: sample\r\n\r\n8jKS'y:G*Co,Wxa-";
        assert_eq!(shake("GET /demo HTTP/1.1", &RIGHT, Scheme::Http).as_deref(), Ok(want));
        let secure = shake("GET /a?b=c HTTP/1.1", &RIGHT, Scheme::Https).expect("right");
        assert!(secure.contains("\r\nSec-WebSocket-Location: wss://example.com/a?b=c\r\n"), "{secure}");
    }

    /// The numbers of §5.2 and §10.
    #[test]
    fn keys() {
        for (key, want) in [
            ("4 @1  46546xW%0l 1 5", Some(829_309_203)),
            ("12998 5 Y3 1  .P00", Some(259_970_620)),
            ("18x 6]8vM;54 *(5:  {   U1]8  z [  8", Some(155_712_099)),
            ("1_ tx7X d  <  nw  334J702) 7]o}` 0", Some(173_347_027)),
            ("3e6b263  4 17 80", Some(906_585_445)),
            ("17  9 G`ZD9   2 2b 7X 3 /r90", Some(179_922_739)),
            ("1 0", Some(10)),
            ("10", None),
            ("1 1 1", None),
            ("a b", None),
            ("", None),
            ("4294967295 ", Some(u32::MAX)),
            ("4294967296 ", None),
            ("99999999999999999999999999 ", None),
        ] {
            assert_eq!(number(key.as_bytes()), want, "{key}");
        }
        // The example of §10.
        let answered = answer(155_712_099, 173_347_027, *b"Tm[K T2u");
        assert_eq!(&answered, b"fQJ,fN/4F4!~K~MH");
    }

    /// Each row changes one header of a right handshake; an empty value leaves it out.
    #[test]
    fn refused() {
        let line = "GET / HTTP/1.1";
        for (line, name, value) in [
            (line, "Sec-WebSocket-Key1", ""),
            (line, "Sec-WebSocket-Key2", ""),
            (line, "Sec-WebSocket-Key1", "4@146546xW%0l15"),
            (line, "Sec-WebSocket-Key2", "12998 5 Y3 1  .P01"),
            (line, "Upgrade", "h2c"),
            (line, "Connection", "close"),
            (line, "Content-Length", "8"),
            (line, "Origin", "http://a b"),
            (line, "Origin", "http://\u{e9}"),
            ("POST / HTTP/1.1", "X", "y"),
            ("GET / HTTP/1.0", "X", "y"),
        ] {
            let mut headers: Vec<_> = RIGHT.iter().copied().filter(|(other, _)| *other != name).collect();
            if !value.is_empty() {
                headers.push((name, value));
            }
            assert!(shake(line, &headers, Scheme::Http).is_err(), "{line}, {name}: {value}");
        }
        let mut twice = RIGHT.to_vec();
        twice.push(("Sec-WebSocket-Key1", "1 0"));
        assert!(shake(line, &twice, Scheme::Http).is_err());
    }

    #[test]
    fn without_an_origin_or_a_protocol() {
        let headers: Vec<_> = RIGHT
            .into_iter()
            .filter(|(name, _)| !["Origin", "Sec-WebSocket-Protocol"].contains(name))
            .collect();
        let response = shake("GET / HTTP/1.1", &headers, Scheme::Http).expect("right");
        assert!(response.contains("\r\nSec-WebSocket-Origin: null\r\n") && !response.contains("-Protocol:"));
    }
}
