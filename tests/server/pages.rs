//! The pages in the binary, and HTTP/1.1 as a browser, a proxy or somebody with `nc` speaks it.

use crate::peer::{Peer, Response};
use crate::support::Server;
use std::fs;
use std::net::{Ipv6Addr, TcpListener};
use std::path::Path;

const GET: &str = "GET /broadcast.html HTTP/1.1\r\nHost: localhost\r\n\r\n";

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A page as it is in the repository.
fn source(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("www").join(name)).expect("a page of ours")
}

#[track_caller]
pub(crate) fn assert_is_page(response: &Response, name: &str) {
    assert_eq!((response.status, response.body == source(name)), (200, true), "{name}");
}

#[test]
fn pages_come_with_type_and_length() {
    let server = Server::start(&[]);
    let rows = [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/index.html", "index.html", "text/html; charset=utf-8"),
        ("/websocket.html", "websocket.html", "text/html; charset=utf-8"),
        ("/broadcast.html?from=a%20link", "broadcast.html", "text/html; charset=utf-8"),
        ("/style.css", "style.css", "text/css; charset=utf-8"),
        ("/websocket.js", "websocket.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "favicon.svg", "image/svg+xml"),
        ("http://localhost/style.css", "style.css", "text/css; charset=utf-8"),
    ];
    for (path, name, content_type) in rows {
        let response = server.connect().ask(get(path));
        assert_is_page(&response, name);
        assert_eq!(response.header("content-type"), Some(content_type), "{path}");
        assert_eq!(response.header("content-length"), Some(&*source(name).len().to_string()), "{path}");
    }
}

#[test]
fn both_loopback_addresses_have_the_same_port() {
    let server = Server::start(&[]);
    assert_is_page(&server.connect().ask(GET), "broadcast.html");
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("skipped in part: this machine has no IPv6");
        return;
    }
    let mut over_ipv6 = Peer::new(crate::support::connect((Ipv6Addr::LOCALHOST, server.port()).into()));
    assert_is_page(&over_ipv6.ask(GET), "broadcast.html");
}

#[test]
fn head_has_the_headers_and_no_body() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    for (path, status) in [("/websocket.html", 200), ("/nothing", 404)] {
        let mut got = peer.ask(get(path));
        peer.send(get(path).replace("GET", "HEAD"));
        let mut head = peer.response_head();
        for response in [&mut got, &mut head] {
            assert_eq!(response.status, status, "{path}");
            response.headers.retain(|(name, _)| name != "Date");
        }
        assert_eq!(head.headers, got.headers, "{path}");
    }
    // Had a body followed, this would not be a status line.
    assert_is_page(&peer.ask(GET), "broadcast.html");
}

#[test]
fn what_is_not_there_is_404_and_the_connection_stays() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    for path in ["/nothing", "/style.css/", "/www/index.html", "/nothing/"] {
        assert_eq!(peer.ask(get(path)).status, 404, "{path}");
    }
    assert_is_page(&peer.ask(GET), "broadcast.html");
}

#[test]
fn what_is_hidden_or_outside_is_404() {
    let server = Server::start(&[]);
    for path in
        ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/.git/config", "/.env", "//etc/passwd"]
    {
        assert_eq!(server.connect().ask(get(path)).status, 404, "{path}");
    }
}

#[test]
fn other_methods_are_405_with_allow() {
    const ALLOW: &str = "GET, HEAD, OPTIONS";
    let server = Server::start(&[]);
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
        let response = server.connect().ask(GET.replace("GET", method));
        assert_eq!((response.status, response.header("allow")), (405, Some(ALLOW)), "{method}");
    }
    assert_eq!(server.connect().ask(GET.replace("GET", "BREW")).status, 501);
}

#[test]
fn one_connection_takes_many_requests() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    for name in ["index.html", "broadcast.html", "style.css", "index.html"] {
        let response = peer.ask(get(&format!("/{name}")));
        assert_is_page(&response, name);
        assert!(!response.closes(), "{name}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let names = ["style.css", "index.html", "websocket.html"];
    peer.send(names.map(|name| get(&format!("/{name}"))).concat());
    for name in names {
        assert_is_page(&peer.response(), name);
    }
    // More than the server keeps of its own responses: the rest waits until these are taken.
    peer.send(get("/websocket.html").repeat(300));
    for _ in 0..300 {
        assert_is_page(&peer.response(), "websocket.html");
    }
}

#[test]
fn the_connection_ends_when_the_client_wants_that() {
    let server = Server::start(&[]);
    let rows = [
        ("HTTP/1.1, close", "HTTP/1.1", "Connection: close\r\n", true),
        ("HTTP/1.1, Close in a list", "HTTP/1.1", "Connection: x, Close\r\n", true),
        ("HTTP/1.1", "HTTP/1.1", "", false),
        ("HTTP/1.0", "HTTP/1.0", "", true),
        ("HTTP/1.0, keep-alive", "HTTP/1.0", "Connection: keep-alive\r\n", false),
    ];
    for (name, version, connection, closes) in rows {
        let mut peer = server.connect();
        let request = format!("GET /broadcast.html {version}\r\nHost: localhost\r\n{connection}\r\n");
        let response = peer.ask(&request);
        assert_is_page(&response, "broadcast.html");
        assert_eq!(response.closes(), closes, "{name}");
        if closes {
            peer.expect_end();
        } else {
            assert_is_page(&peer.ask(&request), "broadcast.html");
        }
    }
}

/// The browser of a phone on a bad line, or somebody who types.
#[test]
fn a_request_may_come_a_byte_at_a_time() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    for _ in 0..2 {
        peer.send_byte_by_byte(GET);
        assert_is_page(&peer.response(), "broadcast.html");
    }
}

#[test]
fn a_client_that_has_sent_everything_still_gets_its_response() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    peer.send(get("/style.css"));
    peer.send_end();
    assert_is_page(&peer.response(), "style.css");
    peer.expect_end();
}

/// All pages together stay small, whatever they come to do: somebody may look at them over a bad line.
#[test]
fn all_pages_together_are_small_on_the_wire() {
    const BYTES_MAX: usize = 60_000;
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("www");
    let entries = fs::read_dir(folder).expect("there are pages");
    let names =
        entries.map(|entry| entry.expect("it can be listed").file_name().into_string().expect("UTF-8"));
    let mut sizes: Vec<_> = names
        .map(|name| {
            let request = format!("GET /{name} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n");
            let response = peer.ask(request);
            assert_eq!(response.status, 200, "{name} is in the program");
            assert_eq!(response.header("content-encoding"), Some("gzip"), "{name} comes compressed");
            (response.body.len(), name)
        })
        .collect();
    sizes.sort();
    let total: usize = sizes.iter().map(|(size, _)| size).sum();
    assert!(sizes.len() > 5 && total <= BYTES_MAX, "{total} bytes in all: {sizes:?}");
}
