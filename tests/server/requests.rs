//! Requests as RFC 9112 has them: what is an error and what is not, bodies, expectations, forms of the target.

use crate::pages::{assert_is_page, get};
use crate::peer::handshake;
use crate::support::Server;

/// Whatever is done with the body, it is never taken for a request.
#[test]
fn a_body_is_not_the_next_request() {
    let server = Server::start(&[]);
    for method in ["POST", "GET"] {
        let mut peer = server.connect();
        let head = format!("{method} /style.css HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n");
        peer.send(format!("{head}GET /{}", get("/broadcast.html")));
        let first = peer.response();
        assert_eq!(first.status, if method == "POST" { 405 } else { 200 });
        if first.closes() {
            peer.expect_end();
        } else {
            assert_is_page(&peer.response(), "broadcast.html");
        }
    }
}

#[test]
fn wrong_requests_get_their_status_and_the_end() {
    let server = Server::start(&[]);
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: x\r\n".repeat(2_000));
    let endless = format!("GET /{}", "x".repeat(100_000));
    let rows = [
        ("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
        ("two Hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        ("a Host whose port is none", "GET / HTTP/1.1\r\nHost: h:x\r\n\r\n", 400),
        ("a Host that is none", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("space before a colon", "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        ("a folded header", "GET / HTTP/1.1\r\nHost: localhost\r\nX: 1\r\n 2\r\n\r\n", 400),
        ("a NUL in a header", "GET / HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n", 400),
        ("bare line feeds", "GET / HTTP/1.1\nHost: localhost\n\n", 400),
        ("a relative target", "GET index.html HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("an escape that is none", "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("garbage", "\x01\x02\x03\r\n\r\n", 400),
        ("words", "hello, is anybody there?\r\n\r\n", 400),
        ("a TLS hello", "\x16\x03\x01\x02\0\x01\0\x01\u{7f}\x03\x03", 400),
        ("no length", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
        ("two lengths", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("HTTP/1.2", "GET / HTTP/1.2\r\nHost: localhost\r\n\r\n", 505),
        (
            "a length beside chunks",
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            400,
        ),
        ("chunks in the middle", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, x\r\n\r\n", 400),
        ("an unknown coding", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("chunks in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("an unknown expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417),
        ("space before the first header", "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400),
        ("a bare carriage return", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400),
        ("an asterisk", "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("a fragment", "GET /#x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("a user in front of the host", "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("a tunnel", "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405),
        ("HTTP/0.9", "GET /\r\n\r\n", 400),
        ("a long body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n", 413),
        ("a long header", &long, 431),
        ("many headers", &many, 431),
        ("a request line without end", &endless, 414),
    ];
    for (name, request, status) in rows {
        let mut peer = server.connect();
        let response = peer.ask(request);
        assert_eq!((response.status, response.closes()), (status, true), "{name}");
        peer.expect_end();
    }
    server.assert_serves();
}

/// A head that cannot be understood may be that of a HEAD: whoever sent it reads no content.
#[test]
fn the_answer_to_a_wrong_head_request_has_no_content() {
    let server = Server::start(&[]);
    for request in
        ["HEAD / HTTP/1.1\r\n\r\n", "HEAD / HTTP/2.0\r\n", "\r\nHEAD a HTTP/1.1\r\nHost: h\r\n\r\n"]
    {
        let mut peer = server.connect();
        peer.send(request);
        assert!(peer.response_head().closes(), "{request:?}");
        peer.expect_end();
    }
}

/// A client that waits is told to send what will be dropped, and its connection lives on.
#[test]
fn a_client_that_waits_with_its_body_is_told_to_send_it() {
    let server = Server::start(&[]);
    for method in ["GET", "OPTIONS"] {
        let mut peer = server.connect();
        peer.send(expecting(method, "HTTP/1.1", "Content-Length: 5\r\n"));
        let interim = peer.response_head();
        assert_eq!((interim.status, interim.headers.len()), (100, 0), "{method}");
        let last = peer.response();
        assert_eq!(last.status, if method == "GET" { 200 } else { 204 });
        assert!(!last.closes());
        peer.send(format!("GET /{}", get("/index.html")));
        assert_is_page(&peer.response(), "index.html");
    }
}

/// Each row is answered at once and with nothing before the answer.
#[test]
fn who_need_not_wait_is_not_told_to_go_on() {
    let server = Server::start(&[]);
    let rows = [
        ("it knows no 100", expecting("GET", "HTTP/1.0", "Content-Length: 5\r\n"), 200),
        ("it has no body", expecting("GET", "HTTP/1.1", ""), 200),
        ("it has sent it", expecting("GET", "HTTP/1.1", "Content-Length: 5\r\n") + "12345", 200),
        (
            "its connection ends",
            expecting("GET", "HTTP/1.1", "Content-Length: 5\r\nConnection: close\r\n"),
            200,
        ),
        ("its body has no length", expecting("GET", "HTTP/1.1", "Transfer-Encoding: chunked\r\n"), 200),
        ("it is refused", expecting("POST", "HTTP/1.1", "Content-Length: 5\r\n"), 405),
        ("it is too long", expecting("GET", "HTTP/1.1", "Content-Length: 5000000\r\n"), 413),
        ("it is a handshake", handshake("/", "Expect: 100-continue\r\nContent-Length: 5\r\n"), 400),
    ];
    for (name, request, status) in rows {
        assert_eq!(server.connect().ask(request).status, status, "{name}");
    }
}

fn expecting(method: &str, version: &str, headers: &str) -> String {
    format!("{method} /style.css {version}\r\nHost: localhost\r\nExpect: 100-continue\r\n{headers}\r\n")
}

/// What comes behind a request that is refused is read and dropped, or a reset would overtake the answer
/// (RFC 9112 §9.6).
#[test]
fn a_refusal_is_not_lost_because_more_comes() {
    let server = Server::start(&[]);
    for (request, status) in [
        ("PUT /style.css HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16777216\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\n\r\n", 400),
    ] {
        let mut peer = server.connect();
        peer.send(request);
        (0..16).for_each(|_| peer.send(vec![b'x'; 1 << 20]));
        assert_eq!(peer.response().status, status);
        peer.expect_end();
    }
}

/// Where the chunks end the server does not look: the connection ends, and what is in them is no request.
#[test]
fn a_chunked_body_ends_the_connection() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let head = "GET /style.css HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    peer.send(format!("{head}5\r\nhello\r\n0\r\n\r\n{}", get("/index.html")));
    let response = peer.response();
    assert_is_page(&response, "style.css");
    assert!(response.closes());
    peer.expect_end();
}

#[test]
fn a_longer_body_than_is_dropped_ends_the_connection() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let head = |length: usize| {
        format!("GET /style.css HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
    };
    for length in [1, 65_536] {
        peer.send(head(length));
        peer.send("x".repeat(length));
        assert_is_page(&peer.response(), "style.css");
    }
    let response = peer.ask(head(65_537));
    assert_eq!((response.status, response.closes()), (413, true));
    peer.expect_end();
}

#[test]
fn absolute_targets_are_understood() {
    let server = Server::start(&[]);
    for scheme in ["http", "HTTP", "ws"] {
        let request = format!("GET {scheme}://localhost/style.css HTTP/1.1\r\nHost: other\r\n\r\n");
        assert_is_page(&server.connect().ask(request), "style.css");
    }
    let mut peer = server.connect();
    assert_eq!(peer.ask(handshake("ws://localhost/chat", "")).status, 101);
    // The host of the target counts, not that of the header (RFC 9112 §3.2.2): this page is not of `evil`.
    let origin = "Origin: http://localhost\r\n";
    let foreign = handshake("http://evil/", origin);
    assert_eq!(server.connect().ask(foreign).status, 403);
}

#[test]
fn options_says_what_may_be_asked_for() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    for target in ["*", "/", "/nothing", "http://localhost"] {
        peer.send(format!("OPTIONS {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let response = peer.response();
        assert_eq!(
            (response.status, response.header("allow")),
            (204, Some("GET, HEAD, OPTIONS")),
            "{target}"
        );
    }
    // Kinds of requests in one segment are answered in their order.
    peer.send(format!("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n{}{}", get("/index.html"), get("/nothing")));
    assert_eq!(peer.response().status, 204);
    assert_is_page(&peer.response(), "index.html");
    assert_eq!(peer.response().status, 404);
    let last = peer.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert!(last.closes());
    peer.expect_end();
}

/// A flood of requests that cost the server nothing to answer waits until its answers are taken.
#[test]
fn a_flood_of_small_requests_is_answered_to_its_end() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let mut sender = crate::peer::Peer::new(peer.stream().try_clone().expect("a second handle"));
    std::thread::scope(|scope| {
        scope.spawn(move || sender.send("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n".repeat(20_000)));
        for _ in 0..20_000 {
            assert_eq!(peer.response().status, 204);
        }
    });
    server.assert_serves();
}
