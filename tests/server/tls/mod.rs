//! TLS, with rustls as a client that has settings of its own. What other implementations make of it is in
//! `tests/tls.rs`.

mod abuse;
mod certificates;
mod client;
mod listeners;

use crate::support::{DEADLINE, Server, connect, until};
use client::{Secure, VERSIONS, page, secure, secure_to, session, settings, settings_that_trust, websocket};
use rustls::ProtocolVersion;
use rustls::version::TLS13;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use tungstenite::Message;

fn start(options: &[&str]) -> Server {
    Server::start(&[&["--tls-self-signed"], options].concat())
}

#[test]
fn a_page_and_an_echo_by_both_versions() {
    let server = start(&[]);
    for (version, want) in VERSIONS.into_iter().zip([ProtocolVersion::TLSv1_3, ProtocolVersion::TLSv1_2]) {
        let mut stream = secure(server.address(), settings(version));
        let response = page(&mut stream, "/");
        assert!(response.starts_with("HTTP/1.1 200") && response.ends_with("</html>\n"), "{response}");
        assert_eq!(stream.conn.protocol_version(), Some(want));
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));

        let mut client = websocket(secure(server.address(), settings(version)), "/echo");
        for length in [0, 1, 125, 126, 16_000, 16_384, 16_385, 65_536, 1_000_000] {
            let message = Message::binary(vec![length as u8; length]);
            client.send(message.clone()).expect("sent");
            assert!(client.read().expect("an echo") == message, "{length} bytes");
        }
        client.close(None).expect("it takes a Close");
        while client.read().is_ok() {}
        assert_eq!(client.get_mut().read(&mut [0]).expect("no cut: close_notify came"), 0);
    }
}

/// Each byte in a segment of its own: where the reads fall must not show, in no part of the handshake or of a record.
#[test]
fn records_cut_byte_by_byte() {
    let server = start(&[]);
    for version in VERSIONS {
        let mut session = session(settings(version));
        let mut stream = connect(server.address());
        let request = "GET /websocket.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        session.writer().write_all(request.as_bytes()).expect("it is kept until it may be said");
        let mut response = Vec::new();
        loop {
            let mut wire = Vec::new();
            while session.wants_write() {
                session.write_tls(&mut wire).expect("to memory");
            }
            wire.chunks(1).for_each(|byte| stream.write_all(byte).expect("sent"));
            if session.read_tls(&mut stream).expect("it answers") == 0 {
                break;
            }
            let state = session.process_new_packets().expect("what the server says is right");
            let mut piece = vec![0; state.plaintext_bytes_to_read()];
            session.reader().read_exact(&mut piece).expect("it is there");
            response.extend(piece);
        }
        let response = String::from_utf8_lossy(&response);
        assert!(response.starts_with("HTTP/1.1 200") && response.ends_with("</html>\n"), "{response}");
    }
}

/// Sixteen of a megabyte, to one that reads at once and to one that reads when all were sent: what waits encrypted for
/// it, waits in order.
#[test]
fn large_messages_to_slow_readers() {
    let server = start(&["--backlog", "64m"]);
    let number = |number: usize| {
        Message::binary((0..1 << 20).map(|at: usize| (at * 7 + at / 1000 + number) as u8).collect::<Vec<_>>())
    };
    let mut slow = websocket(secure_to(&server), "/");
    let mut fast = websocket(secure(server.address(), settings(VERSIONS[1])), "/");
    let mut sender = websocket(secure_to(&server), "/");
    for at in 0..16 {
        sender.send(number(at)).expect("sent");
        assert!(sender.read().expect("its own") == number(at), "{at} of the sender");
        assert!(fast.read().expect("a message") == number(at), "{at} of the fast one");
    }
    for at in 0..16 {
        assert!(slow.read().expect("a message") == number(at), "{at} of the slow one");
    }
}

#[test]
fn files_in_pieces_and_in_ranges() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let content: Vec<u8> = (0..5_000_000_u32).map(|at| (at * 7 + at / 1000) as u8).collect();
    std::fs::write(folder.path().join("large.bin"), &content).expect("it is ours");
    let server = start(&["--www", folder.path().to_str().expect("a name in UTF-8")]);
    for (range, want) in [("", &content[..]), ("Range: bytes=70000-3999999\r\n", &content[70_000..4_000_000])]
    {
        let mut stream = secure_to(&server);
        let request =
            format!("GET /large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{range}\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        thread::sleep(Duration::from_millis(50)); // so that the socket is full in between
        let mut response = Vec::new();
        stream.read_to_end(&mut response).expect("all of it, and the end");
        assert!(response.ends_with(want) && response.len() - want.len() < 500, "{range:?}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = start(&[]);
    let mut stream = secure_to(&server);
    let request = "GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
    stream.write_all(request.as_bytes()).expect("sent");
    let last = page(&mut stream, "/missing");
    assert_eq!(last.matches("HTTP/1.1 200").count(), 200);
    assert!(last.contains("HTTP/1.1 404") && last.ends_with("</html>\n"));
}

/// A page goes behind its last byte, in order: `close_notify`, then FIN. And the peer's `close_notify` is the end of what
/// it has to say, with and without a FIN.
#[test]
fn both_ends_say_that_it_is_over() {
    let server = start(&[]);
    let mut client = secure_to(&server);
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    client.conn.send_close_notify();
    client.flush().expect("sent");
    let mut response = Vec::new();
    client.read_to_end(&mut response).expect("a page, and close_notify");
    assert!(response.ends_with(b"</html>\n"));
    assert_eq!(client.sock.read(&mut [0]).expect("a FIN"), 0);

    let mut client = secure_to(&server);
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    client.sock.shutdown(Shutdown::Write).expect("it is connected");
    let mut response = Vec::new();
    client.read_to_end(&mut response).expect("a FIN without close_notify is an end as well");
    assert!(response.ends_with(b"</html>\n"));
}

#[test]
fn a_drain_closes_with_1001_and_says_so_in_tls_as_well() {
    let mut server = start(&[]);
    let mut client = websocket(secure_to(&server), "/");
    let mut idle = secure_to(&server);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    idle.read_exact(&mut [0; 100]).expect("a page");
    server.signal("TERM");
    match client.read() {
        Ok(Message::Close(Some(frame))) => assert_eq!(u16::from(frame.code), 1001),
        other => panic!("{other:?}"),
    }
    while client.read().is_ok() {}
    assert_eq!(client.get_mut().read(&mut [0]).expect("close_notify"), 0);
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).expect("close_notify");
    drop((client, idle));
    assert_eq!(server.exit_code(DEADLINE), Some(0));
}

#[test]
fn many_at_once() {
    let server = start(&[]);
    let mut clients: Vec<_> = (0..200).map(|_| websocket(secure_to(&server), "/")).collect();
    for round in 0..3 {
        clients[round].send(format!("round {round}").into()).expect("sent");
        for client in &mut clients {
            assert_eq!(client.read().expect("a broadcast"), format!("round {round}").into());
        }
    }
}

/// A ticket takes the place of a certificate when somebody comes again.
#[test]
fn who_was_here_comes_in_by_a_ticket() {
    let server = start(&[]);
    for version in VERSIONS {
        let settings = settings(version);
        for want in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
            let mut stream = secure(server.address(), settings.clone());
            page(&mut stream, "/");
            assert_eq!(stream.conn.handshake_kind(), Some(want), "{version:?}");
        }
    }
}

#[test]
fn past_the_limit_it_is_said_by_tls() {
    let server = start(&["--max-connections", "1"]);
    for version in VERSIONS {
        // The second comes in by a ticket: there its client has the last word of the handshake.
        let settings = settings(version);
        for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
            let mut client = None;
            until("the one before is gone", || {
                let stream = secure(server.address(), settings.clone());
                client = tungstenite::client("wss://localhost/", stream).ok();
                client.is_some()
            });
            let mut stream = secure(server.address(), settings.clone());
            let mut response = String::new();
            stream.read_to_string(&mut response).expect("an answer before anything was asked");
            assert!(response.starts_with("HTTP/1.1 503"), "{kind:?}: {response}");
            drop(client);
        }
    }
}

/// What TLS carries, not what carries it.
#[test]
fn a_trace_shows_plaintext() {
    let server = start(&[]);
    let mut viewer = websocket(secure_to(&server), "/inspect?trace=0123456789abcdef");
    let mut client = websocket(secure_to(&server), "/?trace=0123456789abcdef");
    client.send(Message::text("Hello")).expect("sent");
    assert_eq!(client.read().expect("it hears itself"), Message::text("Hello"));
    let mut told = || viewer.read().expect("a record").into_text().expect("text").to_string();
    for sign in ["GET /?trace=", "HTTP/1.1 101 ", "\"preview\":\"Hello\"", "\"wire\":\"810548656c6c6f\""] {
        let record = told();
        assert!(record.contains(sign), "{record}");
    }
    drop(client);
    assert!(told().contains("\"kind\":\"close\""));
}
