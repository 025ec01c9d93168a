//! The opening handshake (RFC 6455 §4.2): the transcripts, what is refused, and whose pages may connect.

use crate::peer::{ACCEPT, Frame, PING, PONG, handshake};
use crate::support::Server;

#[test]
fn transcripts_are_answered_as_published() {
    let server = Server::start(&[]);
    let rows = [
        (
            "RFC 6455 §1.3",
            "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, superchat\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n",
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ),
        (
            "a page from disk",
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nHost: example.com\r\nOrigin: null\r\n\
             Sec-WebSocket-Key: sN9cRrP/n9NdMgdcy2VJFQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            "fFBooB7FAkLlXgRSz0BT3v4hq5s=",
        ),
    ];
    for (name, request, accept) in rows {
        let mut peer = server.connect();
        let response = peer.ask(request);
        assert_eq!(response.status, 101, "{name}");
        assert_eq!(response.header("upgrade"), Some("websocket"), "{name}");
        assert_eq!(response.header("connection"), Some("Upgrade"), "{name}");
        assert_eq!(response.header("sec-websocket-accept"), Some(accept), "{name}");
        for absent in ["sec-websocket-protocol", "sec-websocket-extensions", "content-length"] {
            assert_eq!(response.header(absent), None, "{name}: nothing was agreed on");
        }
        peer.send(Frame::text(name).masked());
        assert_eq!(peer.frame(), Frame::text(name));
    }
}

#[test]
fn any_path_is_one_channel() {
    let server = Server::start(&[]);
    let paths = ["/", "/chat", "/a/b?c=d", "/no%20such%20page", "//", "/../x"];
    let mut peers: Vec<_> = paths.iter().map(|path| server.websocket(path)).collect();
    peers[0].send(Frame::text("to all").masked());
    for (peer, path) in peers.iter_mut().zip(paths) {
        assert_eq!(peer.frame(), Frame::text("to all"), "{path}");
    }
}

/// A right handshake, but for one thing: `wrong` takes the place of `right`.
#[test]
fn what_is_wrong_with_a_handshake_is_told_by_its_status() {
    let server = Server::start(&[]);
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let rows = [
        (version, "Sec-WebSocket-Version: 8\r\n", 426),
        (version, "Sec-WebSocket-Version: 14\r\n", 426),
        (version, "Sec-WebSocket-Version: thirteen\r\n", 426),
        (version, "", 426),
        (version, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n", 400),
        (key, "", 400),
        (key, "Sec-WebSocket-Key:\r\n", 400),
        (key, "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n", 400),
        (key, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n", 400),
        (key, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", 400),
        (key, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n", 400),
        (key, "Sec-WebSocket-Key: the sample nonce, of 24.\r\n", 400),
        (
            key,
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n",
            400,
        ),
        ("GET ", "POST ", 400),
        ("GET ", "HEAD ", 400),
        ("HTTP/1.1", "HTTP/1.0", 400),
        ("Connection: Upgrade\r\n", "", 400),
        ("Connection: Upgrade\r\n", "Connection: keep-alive\r\n", 400),
        ("Connection: Upgrade\r\n", "Connection: Upgraded\r\n", 400),
        ("Upgrade: websocket\r\n", "", 400),
        ("Upgrade: websocket\r\n", "Upgrade: h2c\r\n", 400),
        ("Upgrade: websocket\r\n", "Upgrade: websockets\r\n", 400),
        ("Host: localhost\r\n", "", 400),
        ("Host: localhost\r\n", "Host: localhost\r\nSec-WebSocket-Protocol: a b\r\n", 400),
        ("Host: localhost\r\n", "Host: localhost\r\nSec-WebSocket-Protocol:\r\n", 400),
        ("Host: localhost\r\n", "Host: localhost\r\nSec-WebSocket-Extensions: a; =b\r\n", 400),
        ("Host: localhost\r\n", "Host: localhost\r\nOrigin: http://evil.example\r\n", 403),
        ("Host: localhost\r\n", "Host: localhost\r\nOrigin: http://localhost.evil.example\r\n", 403),
        ("Host: localhost\r\n", "Host: localhost\r\nOrigin: localhost\r\n", 403),
        ("Host: localhost\r\n", "Host: localhost\r\nOrigin:\r\n", 403),
    ];
    for (right, wrong, status) in rows {
        let request = handshake("/", "").replacen(right, wrong, 1);
        let mut peer = server.connect();
        peer.send(&request);
        let response = if wrong == "HEAD " { peer.response_head() } else { peer.response() };
        assert_eq!(response.status, status, "{request}");
        let offered = response.header("sec-websocket-version");
        assert_eq!(offered, (status == 426).then_some("13"), "{request}");
        assert_eq!(response.header("sec-websocket-accept"), None, "{request}");
        assert!(response.closes(), "{request}");
        peer.expect_end();
        server.websocket("/").send(Frame::text("right").masked());
    }
}

#[test]
fn tokens_have_no_case_and_come_in_lists_over_lines() {
    let server = Server::start(&[]);
    let rows = [
        ("Upgrade: WebSocket\r\n", "Connection: upgrade\r\n"),
        ("UPGRADE: WEBSOCKET\r\n", "CONNECTION: UPGRADE\r\n"),
        ("Upgrade: h2c, websocket\r\n", "Connection: keep-alive, Upgrade\r\n"),
        ("Upgrade:websocket\r\n", "Connection:  keep-alive ,\tUpgrade ,\r\n"),
        ("Upgrade: h2c\r\nUpgrade: websocket\r\n", "Connection: keep-alive\r\nConnection: Upgrade\r\n"),
    ];
    for (upgrade, connection) in rows {
        let request = handshake("/", "").replace("Upgrade: websocket\r\n", upgrade);
        let request = request.replace("Connection: Upgrade\r\n", connection);
        let response = server.connect().ask(&request);
        assert_eq!(
            (response.status, response.header("sec-websocket-accept")),
            (101, Some(ACCEPT)),
            "{request}"
        );
    }
    let request = handshake("/", "").replace("Sec-WebSocket-Key: ", "sec-websocket-key:\t ");
    assert_eq!(server.connect().ask(request.replace("Host", "hOST")).status, 101, "names have no case");
}

#[test]
fn a_handshake_may_come_a_byte_at_a_time() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    peer.send_byte_by_byte(handshake("/", ""));
    assert_eq!(peer.response().status, 101);
    peer.send(Frame::text("hello").masked());
    assert_eq!(peer.frame(), Frame::text("hello"));
}

/// RFC 6455 §4.1 lets no client do that before the answer is there; some do, and proxies join segments.
#[test]
fn frames_in_the_same_write_as_the_handshake_count() {
    let server = Server::start(&[]);
    let frames = [Frame::text("early"), Frame::new(PING, "are you there"), Frame::text("late")];
    let wire: Vec<u8> = frames.iter().flat_map(Frame::masked).collect();
    let whole = [handshake("/", "").as_bytes(), &wire].concat();
    // Cut behind the handshake, in a header, in a masking key and in a payload.
    let end = whole.len() - wire.len();
    for cut in [whole.len(), end, end + 1, end + 4, end + 8, whole.len() - 1] {
        let mut peer = server.connect();
        peer.send(&whole[..cut]);
        peer.send(&whole[cut..]);
        assert_eq!(peer.response().status, 101, "cut at {cut}");
        peer.expect(&[Frame::text("early"), Frame::new(PONG, "are you there"), Frame::text("late")]);
    }
}

/// A page and then a WebSocket, as over a proxy that keeps its connections.
#[test]
fn a_connection_that_had_pages_can_become_a_websocket() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let page = "GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(peer.ask(page).status, 200);
    peer.send([page, &handshake("/", "")].concat());
    assert_eq!([peer.response().status, peer.response().status], [200, 101]);
    peer.send(Frame::text("hello").masked());
    assert_eq!(peer.frame(), Frame::text("hello"));
}

#[test]
fn the_subprotocol_is_the_one_the_server_prefers() {
    let server = Server::start(&["--protocol", "new", "--protocol", "old"]);
    let rows = [
        ("Sec-WebSocket-Protocol: old, new\r\n", Some("new")),
        ("Sec-WebSocket-Protocol: old\r\nSec-WebSocket-Protocol: new\r\n", Some("new")),
        ("Sec-WebSocket-Protocol: other, old\r\n", Some("old")),
        ("Sec-WebSocket-Protocol: other\r\n", None),
        ("Sec-WebSocket-Protocol: New\r\n", None),
        ("", None),
    ];
    for (offer, agreed) in rows {
        let response = server.connect().ask(handshake("/", offer));
        assert_eq!((response.status, response.header("sec-websocket-protocol")), (101, agreed), "{offer}");
    }
}

/// Offers of extensions are no reason to refuse: the server speaks none and says so by silence.
#[test]
fn unknown_extensions_are_declined() {
    let server = Server::start(&[]);
    let response = server.connect().ask(handshake("/", "Sec-WebSocket-Extensions: x-unheard-of; a=1\r\n"));
    assert_eq!((response.status, response.header("sec-websocket-extensions")), (101, None));
}

#[test]
fn pages_of_this_server_may_connect_and_others_may_not() {
    // Each row: the rules, what stands in Host, what in Origin, and the status.
    let default: &[&str] = &[];
    let example: &[&str] = &["--origin", "example.com", "--origin", "other.example:8080"];
    let rows = [
        (default, "localhost:9999", "http://localhost:9999", 101),
        (default, "localhost:9999", "https://LOCALHOST", 101),
        (default, "127.0.0.1", "http://127.0.0.1", 101),
        (default, "[::1]:9999", "http://[::1]:9999", 101),
        (default, "anything.example", "null", 101),
        (default, "localhost", "http://127.0.0.1", 403),
        (default, "localhost", "https://evil.example", 403),
        // DNS rebinding: a page of evil.example, which now resolves to 127.0.0.1.
        (default, "evil.example", "http://evil.example", 403),
        (default, "evil.example:9999", "http://evil.example:9999", 403),
        (default, "localhost.evil.example", "http://localhost.evil.example", 403),
        (&["--origin", "same"], "localhost", "http://localhost", 101),
        (&["--origin", "same"], "localhost", "null", 403),
        (&["--origin", "any"], "localhost", "https://evil.example", 101),
        (&["--origin", "any"], "evil.example", "http://evil.example", 101),
        (&["--origin", "any"], "localhost", "null", 101),
        (example, "localhost", "https://example.com", 101),
        (example, "localhost", "http://EXAMPLE.com:8080", 101),
        (example, "localhost", "https://other.example:8080", 101),
        (example, "localhost", "https://other.example", 403),
        (example, "localhost", "https://sub.example.com", 403),
        (example, "localhost", "https://example.com.evil.example", 403),
    ];
    let mut running: Option<(&[&str], Server)> = None;
    for (options, host, origin, status) in rows {
        if running.as_ref().is_none_or(|(others, _)| *others != options) {
            running = Some((options, Server::start(options)));
        }
        let (_, server) = running.as_ref().expect("it was started");
        let request = handshake("/", &format!("Origin: {origin}\r\n"));
        let request = request.replacen("Host: localhost", &format!("Host: {host}"), 1);
        let response = server.connect().ask(request);
        assert_eq!(response.status, status, "{options:?}, Host: {host}, Origin: {origin}");
        let without = server.connect().ask(handshake("/", ""));
        assert_eq!(without.status, 101, "{options:?}: who sends no Origin is no page");
    }
}

/// Who meets a 403 looks into the log, and finds there what to do.
#[test]
fn a_refused_origin_is_logged_with_the_option_that_allows_it() {
    let server = Server::start(&["-v"]);
    let response = server.connect().ask(handshake("/", "Origin: https://evil.example\r\n"));
    assert_eq!(response.status, 403);
    server.wait_for_log("--origin");
    assert!(String::from_utf8_lossy(&response.body).contains("--origin"), "the response says it as well");
}
