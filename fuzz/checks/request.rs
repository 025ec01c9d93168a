//! A request's head: read whole and cut, routed, judged by its origin, and shaken hands with.

use super::input::Input;
use fanfare::config::{Compression, Legacy, OriginRule};
use fanfare::http::Refusal;
use fanfare::http::coding::{Accepted, Coding};
use fanfare::http::conditional::{Answer, Conditions, Validators};
use fanfare::http::origin::{self, Peer};
use fanfare::http::path::CleanPath;
use fanfare::http::request::{self, Method, Request};
use fanfare::http::response::Content;
use fanfare::http::route::{Route, route};
use fanfare::websocket::extension::{self, Agreement};
use fanfare::websocket::handshake::{self, Terms};
use std::net::IpAddr;
use std::str;

/// Cuts that are tried: parsing starts anew at each.
const CUTS_MAX: usize = 600;

/// The input: cuts, what the server speaks, then what a client sends.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let cuts = input.cuts();
    let speaks = input.byte();
    let wire = input.rest();

    let whole = request::parse(wire);
    let ends = cuts.sizes().scan(0, |end, size| {
        *end += size;
        Some(*end)
    });
    for end in ends.take_while(|end| *end < wire.len()).take(CUTS_MAX) {
        judges_alike(&request::parse(&wire[..end]), &whole, end);
    }
    if whole.is_err() {
        assert_eq!(request::content_of_refusal(wire), content(wire), "the content of a refusal");
    }
    let Ok(Some((request, used))) = whole else { return };
    assert!(used <= wire.len());
    assert_eq!(request::parse(&wire[..used]), Ok(Some((request.clone(), used))), "nothing behind it matters");
    let mut lines = wire[..used].split(|&byte| byte == b'\n');
    assert_eq!(lines.next_back(), Some(&b""[..]), "the head ends with a line");
    assert!(lines.all(|line| line.ends_with(b"\r")), "a line ends without a carriage return");
    is_well_formed(&request);
    assert_eq!(request.method.content(), content(wire));
    let is_page = match route(&request) {
        Ok(Route::Page(wanted)) => {
            assert_eq!(wanted, content(wire));
            let _ = CleanPath::parse(&request.target);
            answers_a_part_of_it(&request, wanted);
            true
        }
        Ok(Route::Stats(wanted)) => {
            assert_eq!(wanted, content(wire));
            true
        }
        Ok(Route::Broadcast | Route::Echo | Route::Inspect | Route::Options) | Err(_) => false,
    };
    origins_are_consistent(&request);
    let protocols = protocols(speaks);
    let terms =
        Terms { protocols: &protocols, compression: Compression::Negotiated, legacy: Legacy::Refused };
    if let Ok(handshake) = handshake::check(&request, &terms) {
        assert!(!is_page, "a right handshake is not given a page");
        is_right_answer(&request, &handshake.response(), &protocols);
    }
}

/// Whatever it asks for of a page is within it, and in a coding that is there.
fn answers_a_part_of_it(request: &Request<'_>, wanted: Content) {
    let conditions = Conditions::parse(&request.headers);
    for length in [0, 1, 1000, u64::MAX] {
        let page = Validators { etag: "\"a\"", modified: Some(784_111_777), has_codings: false };
        if let Answer::Part(range) = conditions.answer(page, length, wanted, u64::MAX) {
            assert!(range.start < range.end && range.end <= length, "{range:?} of {length}");
            assert_eq!(wanted, Content::Sent, "a HEAD has no range");
        }
    }
    let accepted = Accepted::parse(&request.headers);
    for there in Coding::ALL {
        let chosen = accepted.choose(|coding| coding == there || coding == Coding::Identity);
        assert!(chosen == there || chosen == Coding::Identity, "{chosen:?} where there is {there:?}");
    }
}

type Parsed<'a> = Result<Option<(Request<'a>, usize)>, Refusal>;

/// What is cut is not judged yet, or it is judged as the whole is.
fn judges_alike(cut: &Parsed<'_>, whole: &Parsed<'_>, end: usize) {
    match (cut, whole) {
        (Ok(None), Ok(Some((_, used)))) => assert!(end < *used, "all of it is there at {end}"),
        (Ok(None), Ok(None) | Err(_)) => {}
        (Ok(Some(_)) | Err(_), whole) => assert_eq!(cut, whole, "cut at {end}"),
    }
}

/// RFC 9110 §9.3.2: the answer to a HEAD has no content, whatever becomes of it. In front of it only empty lines
/// are passed over (RFC 9112 §2.2).
fn content(wire: &[u8]) -> Content {
    let mut lines = wire.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    if first.starts_with(b"HEAD ") { Content::Omitted } else { Content::Sent }
}

/// RFC 9110 §5.1 and §5.5, RFC 9112 §3.2: nothing that could split or smuggle what is made of it.
fn is_well_formed(request: &Request<'_>) {
    let target = &*request.target;
    let is_whole_server = target == "*" && request.method == Method::Options;
    assert!(target.starts_with('/') || is_whole_server, "the target {target:?}");
    assert!(target.bytes().all(|byte| byte > b' ' && byte != 0x7f && byte != b'#'), "the target {target:?}");
    assert!(request.host.bytes().all(|byte| byte.is_ascii_graphic()), "the host {:?}", request.host);
    assert!(!request.host.contains(['/', '\\', '@', '"']), "the host {:?}", request.host);
    for header in request.headers.iter() {
        assert!(!header.name.is_empty(), "a header without a name");
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert!(header.name.bytes().all(is_token), "the header {:?}", header.name);
        assert!(!header.value.iter().any(|byte| b"\r\n\0".contains(byte)), "the value of {}", header.name);
        assert_eq!(
            header.value,
            header.value.trim_ascii(),
            "white space around the value of {}",
            header.name
        );
    }
}

/// What a stricter rule allows, a laxer one does; without an Origin everybody may come.
fn origins_are_consistent(request: &Request<'_>) {
    let allows = |rule: OriginRule, peer| origin::check(request, &[rule], peer).is_ok();
    let count = request.headers.values("origin").count();
    let is_text = request.headers.values("origin").all(|origin| str::from_utf8(origin).is_ok());
    assert_eq!(allows(OriginRule::Any, Peer::Loopback), count < 2 && is_text, "any origin, but one");
    for peer in [Peer::Loopback, Peer::Remote] {
        let host = allows(OriginRule::Host("example.com".to_owned()), peer);
        let (same, same_or_null) = (allows(OriginRule::Same, peer), allows(OriginRule::SameOrNull, peer));
        assert!(!same || same_or_null, "`null` comes on top");
        assert!(count != 0 || (same && host), "no origin is no page's");
        assert!(count < 2 || !(same_or_null || host), "two origins are none");
        assert_eq!(origin::check(request, &[], peer).is_ok(), count == 0, "no rule allows nobody");
    }
    let same = |peer| allows(OriginRule::Same, peer);
    assert!(!same(Peer::Loopback) || same(Peer::Remote), "a loopback peer is looked at more closely");
    let is_rebound = count == 1 && !is_this_machine(request.host);
    assert!(!is_rebound || !same(Peer::Loopback), "{} may be a foreign name that leads here", request.host);
}

/// Whether an authority is `localhost` or an address, which no foreign name server can give away.
fn is_this_machine(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        Some(_) | None => authority,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

fn protocols(speaks: u8) -> Vec<String> {
    ["chat", "v2.chat", "x"]
        .into_iter()
        .zip(0..)
        .filter(|(_, bit)| speaks >> bit & 1 == 1)
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// RFC 6455 §4.2.2: a head that a client can read, with the right answer, and a protocol that it offered.
fn is_right_answer(request: &Request<'_>, response: &[u8], protocols: &[String]) {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(response).expect("a head that parses");
    assert_eq!(parsed, httparse::Status::Complete(response.len()), "the head and nothing else");
    assert_eq!((head.version, head.code), (Some(1), Some(101)));
    let value = |name: &str| {
        let mut values = head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let value = values.next().map(|header| header.value);
        assert!(values.next().is_none(), "{name} is there twice");
        value
    };
    assert_eq!(value("upgrade"), Some(&b"websocket"[..]));
    assert_eq!(value("connection"), Some(&b"Upgrade"[..]));
    let key = request.headers.single("sec-websocket-key").expect("one key").expect("one key");
    assert_eq!(value("sec-websocket-accept"), Some(handshake::accept_key(key).as_bytes()));
    let offers =
        |name: &str| request.headers.list("sec-websocket-protocol").any(|offer| offer == name.as_bytes());
    let agreed = protocols.iter().find(|name| offers(name));
    assert_eq!(value("sec-websocket-protocol"), agreed.map(|name| name.as_bytes()));
    let offers = request.headers.list("sec-websocket-extensions");
    let agreed = extension::agree(offers).filter(|_| cfg!(feature = "deflate")).map(Agreement::response);
    assert_eq!(value("sec-websocket-extensions"), agreed.map(str::as_bytes));
}
