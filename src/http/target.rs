//! What a request is for, as its request line says it (RFC 9112 §3.2).
//!
//! Must not know: what is there.

use super::Refusal;
use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The host of a target in absolute form, and the path and query; `*` where the whole server is meant, and nothing
/// where an absolute form has neither.
///
/// A server must understand the absolute form although only proxies are sent it (§3.2.2).
///
/// # Errors
/// What is neither a path, an absolute `http` or `ws` URL, nor `*`; a fragment, which a client keeps to itself
/// (§3.2; RFC 6455 §3).
pub fn split(target: &str) -> Result<(Option<&str>, Cow<'_, str>), Refusal> {
    if target.contains('#') {
        return Err(Refusal::bad("the target has a fragment"));
    }
    // In a query browsers leave it as it was typed.
    if !target.split('?').next().is_some_and(has_whole_escapes) {
        return Err(Refusal::bad("a percent sign is no escape"));
    }
    if target.starts_with('/') || target == "*" {
        return Ok((None, target.into()));
    }
    let begins =
        |prefix: &str| target.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let scheme = ["http://", "https://", "ws://", "wss://"].into_iter().find(|scheme| begins(scheme));
    let Some(scheme) = scheme else { return Err(Refusal::bad("the target is no path")) };
    let rest = &target[scheme.len()..];
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if !is_authority(authority) {
        return Err(Refusal::bad("the target has no host"));
    }
    // Without a path the root is meant (RFC 3986 §6.2.3); without a query either it may be the whole server.
    let path = if path.starts_with('?') { format!("/{path}").into() } else { path.into() };
    Ok((Some(authority), path))
}

/// Whether a text is a host, with a port or without (RFC 3986 §3.2). Names of users are refused: in front of a
/// host they are there to deceive (RFC 9110 §4.2.4).
pub fn is_authority(text: &str) -> bool {
    let (is_host, rest) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, rest)) = rest.split_once(']') else { return false };
            (address.parse::<Ipv6Addr>().is_ok(), rest)
        }
        None => {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (is_name(name), rest)
        }
    };
    let is_port =
        |rest: &str| rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    is_host && (rest.is_empty() || is_port(rest))
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed) && has_whole_escapes(name)
}

/// Whether every percent sign stands before two digits.
pub fn has_whole_escapes(text: &str) -> bool {
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    text.split('%').skip(1).all(is_escape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::Status;

    #[test]
    fn forms() {
        let split = |target: &'static str| match split(target) {
            Ok((authority, path)) => Ok((authority, path.into_owned())),
            Err(refusal) => Err(refusal.status),
        };
        let of = |authority, path: &str| Ok((authority, path.to_owned()));
        assert_eq!(split("/a?b"), of(None, "/a?b"));
        assert_eq!(split("//h/a"), of(None, "//h/a"));
        assert_eq!(split("http://h:1/a?b"), of(Some("h:1"), "/a?b"));
        assert_eq!(split("HTTP://h"), of(Some("h"), ""));
        assert_eq!(split("http://h/"), of(Some("h"), "/"));
        assert_eq!(split("wss://[::1]:9/"), of(Some("[::1]:9"), "/"));
        assert_eq!(split("http://h?q"), of(Some("h"), "/?q"));
        assert_eq!(split("*"), of(None, "*"));
        for target in [
            "",
            "ftp://h/",
            "h:443",
            "http:///x",
            "http://u@h/",
            "http://:80/",
            "**",
            "/a#b",
            "a",
            "\u{e9}",
            "/%zz",
            "/100%",
        ] {
            assert_eq!(split(target), Err(Status::BadRequest), "{target}");
        }
    }

    #[test]
    fn authorities() {
        for right in ["h", "h:", "h:80", "127.0.0.1:1", "[::1]", "[::1]:9", "a_b.example", "%41"] {
            assert!(is_authority(right), "{right}");
        }
        for wrong in [
            "",
            ":80",
            "h:x",
            "a:b:c",
            "[1",
            "[1]",
            "[::1]9",
            "[::1%25eth0]",
            "[::1%/]",
            "::1",
            "%zz",
            "a/b",
            "a b",
            "\u{e9}",
        ] {
            assert!(!is_authority(wrong), "{wrong}");
        }
    }
}
