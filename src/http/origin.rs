//! Whose pages may connect (RFC 6455 §10.2, RFC 6454 §7).
//!
//! Must not know: what the request is for.

use super::Refusal;
use super::request::Request;
use super::response::Status;
use crate::config::OriginRule;
use std::net::IpAddr;

/// Where the other end of a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// On this machine: a page of a foreign name that resolves to us is DNS rebinding.
    Loopback,
    /// Anywhere else.
    Remote,
}

/// What a request came by (RFC 9110 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// As it is.
    Http,
    /// By TLS.
    Https,
}

const FOREIGN: Refusal = Refusal::new(
    Status::Forbidden,
    "pages of this origin may not connect; the server's option --origin says which may",
);

/// Allows a request by its `Origin`. One without is no browser's, and is allowed.
///
/// # Errors
/// 403 when no rule allows it, 400 when there are two.
pub fn check(request: &Request<'_>, rules: &[OriginRule], peer: Peer) -> Result<(), Refusal> {
    let Some(origin) = request.headers.single("origin")? else { return Ok(()) };
    let origin = str::from_utf8(origin).map_err(|_| FOREIGN)?;
    let allowed = rules.iter().any(|rule| match rule {
        OriginRule::Any => true,
        OriginRule::Same => is_same_host(origin, request.host, peer),
        OriginRule::SameOrNull => origin == "null" || is_same_host(origin, request.host, peer),
        OriginRule::Host(wanted) => is_host(origin, wanted),
    });
    if allowed { Ok(()) } else { Err(FOREIGN) }
}

/// The host and port of an origin, `scheme://host[:port]`.
fn authority(origin: &str) -> Option<&str> {
    let (scheme, authority) = origin.split_once("://")?;
    (!scheme.is_empty() && !authority.is_empty() && !authority.contains(['/', '@', ' '])).then_some(authority)
}

/// An authority without its port; an IPv6 address keeps its brackets.
fn host_name(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => authority,
    }
}

fn is_same_host(origin: &str, host: &str, peer: Peer) -> bool {
    let Some(authority) = authority(origin) else { return false };
    let name = host_name(authority);
    if name.is_empty() || !name.eq_ignore_ascii_case(host_name(host)) {
        return false;
    }
    match peer {
        Peer::Loopback => is_local_name(name),
        Peer::Remote => true,
    }
}

/// A name that no foreign name server can make mean this machine.
fn is_local_name(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

fn is_host(origin: &str, wanted: &str) -> bool {
    let Some(authority) = authority(origin) else { return false };
    authority.eq_ignore_ascii_case(wanted) || host_name(authority).eq_ignore_ascii_case(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request;

    fn allowed(rules: &[OriginRule], peer: Peer, host: &str, origin: Option<&str>) -> bool {
        let origin = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
        let wire = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{origin}\r\n");
        let (request, _) = request::parse(wire.as_bytes()).expect("right").expect("complete");
        check(&request, rules, peer).is_ok()
    }

    #[test]
    fn rules() {
        use OriginRule::{Any, Host, Same, SameOrNull};
        use Peer::{Loopback, Remote};
        let example = || Host("example.com".to_owned());
        let rows = [
            (SameOrNull, Loopback, "localhost:9999", None, true),
            (SameOrNull, Loopback, "example.com", Some("null"), true),
            (SameOrNull, Loopback, "localhost:9999", Some("http://localhost:9999"), true),
            (SameOrNull, Loopback, "localhost:9999", Some("http://LOCALHOST:8080"), true),
            (SameOrNull, Loopback, "127.0.0.1:9999", Some("http://127.0.0.1:9999"), true),
            (SameOrNull, Loopback, "[::1]:9999", Some("http://[::1]:9999"), true),
            (SameOrNull, Loopback, "[::1]", Some("http://[::1]:9999"), true),
            (SameOrNull, Loopback, "localhost:9999", Some("http://evil.example"), false),
            (SameOrNull, Loopback, "evil.example:9999", Some("http://evil.example:9999"), false),
            (SameOrNull, Loopback, "localhost.evil.example", Some("http://localhost.evil.example"), false),
            (SameOrNull, Remote, "box.lan:9999", Some("http://box.lan:9999"), true),
            (SameOrNull, Remote, "box.lan:9999", Some("http://other.lan"), false),
            (SameOrNull, Remote, "box.lan", Some("http://"), false),
            (SameOrNull, Remote, "box.lan", Some("box.lan"), false),
            (SameOrNull, Remote, "box.lan", Some("http://x@box.lan"), false),
            (Same, Remote, "box.lan", Some("null"), false),
            (Same, Remote, "box.lan", Some("https://box.lan"), true),
            (example(), Remote, "box.lan", Some("https://example.com"), true),
            (example(), Remote, "box.lan", Some("https://example.com:8443"), true),
            (example(), Remote, "box.lan", Some("https://box.lan"), false),
            (Host("example.com:1".to_owned()), Remote, "box.lan", Some("https://example.com:2"), false),
            (Any, Loopback, "localhost", Some("http://evil.example"), true),
        ];
        for (rule, peer, host, origin, want) in rows {
            let name = format!("{rule:?}, {peer:?}, Host {host}, Origin {origin:?}");
            assert_eq!(allowed(&[rule], peer, host, origin), want, "{name}");
        }
    }
}
