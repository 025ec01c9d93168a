//! Which listener speaks what.

use super::*;
use crate::program::program;
use std::net::SocketAddr;

/// Where it says that pages can be opened, by scheme.
fn places(server: &Server, scheme: &str) -> Vec<SocketAddr> {
    let log = server.log();
    let lines = log.lines().filter_map(|line| line.split_once(&format!(" on {scheme}://")));
    lines.map(|(_, page)| page.split_once('/').expect("a page").0.parse().expect("an address")).collect()
}

#[test]
fn plain_and_tls_side_by_side_hear_each_other() {
    let mut command = program();
    command.args(["--tls-self-signed", "--listen", "tls:127.0.0.1:0", "--listen", "127.0.0.1:0"]);
    let server = Server::spawn(command);
    until("both places are named", || server.log().matches("listening on").count() == 2);
    let ([tls], [plain]) = (&places(&server, "https")[..], &places(&server, "http")[..]) else {
        panic!("{}", server.log());
    };
    let mut secret = websocket(secure(*tls, settings(&TLS13)), "/");
    let mut open = tungstenite::client("ws://localhost/", connect(*plain)).expect("a handshake").0;
    for (text, from_tls) in [("from TLS", true), ("from the other", false)] {
        if from_tls {
            secret.send(text.into()).expect("sent");
        } else {
            open.send(text.into()).expect("sent");
        }
        assert_eq!(secret.read().expect("a broadcast"), text.into());
        assert_eq!(open.read().expect("a broadcast"), text.into());
    }
}

#[test]
fn without_tls_in_any_of_them_all_are() {
    let server = start(&[]);
    assert!(server.log().contains(&format!("on https://localhost:{}/websocket.html", server.port())));
    assert!(page(&mut secure_to(&server), "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn http_on_a_tls_port_is_told_so_in_plain_text() {
    let server = start(&[]);
    for request in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /broadcast HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut peer = server.connect();
        let response = peer.ask(request);
        assert_eq!(response.status, 400);
        let text = String::from_utf8(response.body.clone()).expect("text");
        assert!(text.contains("https://") && text.contains("wss://") && response.closes(), "{text}");
        peer.expect_end();
    }
    let mut peer = server.connect();
    peer.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(peer.response_head().status, 400);
    peer.expect_end();
    // A byte is enough to know it by, and the rest is dropped.
    let mut peer = server.connect();
    peer.send("G");
    assert_eq!(peer.response().status, 400);
    peer.send("ET / HTTP/1.1\r\n\r\n");
    peer.expect_end();
    until("the access log has them", || server.log().contains("POST /broadcast 400"));
}
