//! Peers that do not do what TLS asks of them.

use super::*;

/// What comes until the end, however that comes.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let (mut got, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        got.extend_from_slice(&piece[..read]);
    }
    got
}

/// A ClientHello as it goes on the wire.
fn hello() -> Vec<u8> {
    let mut wire = Vec::new();
    session(settings(&TLS13)).write_tls(&mut wire).expect("to memory");
    wire
}

#[test]
fn half_a_handshake_has_as_long_as_a_request() {
    let server = start(&["--handshake-timeout", "300ms"]);
    let hello = hello();
    let begun = Instant::now();
    let mut streams: Vec<_> = [0, 1, 5, hello.len() / 2, hello.len() - 1, hello.len()]
        .into_iter()
        .map(|length| {
            let mut stream = connect(server.address());
            stream.write_all(&hello[..length]).expect("sent");
            (length, stream)
        })
        .collect();
    for (length, stream) in &mut streams {
        let answer = rest(stream);
        assert_eq!(answer.is_empty(), *length < hello.len(), "{length} of {} bytes", hello.len());
    }
    assert!(begun.elapsed() >= Duration::from_millis(250), "not before its time");
    // And one that is through with it, and asks nothing.
    let mut silent = secure_to(&server);
    while silent.conn.is_handshaking() {
        silent.conn.complete_io(&mut silent.sock).expect("a handshake");
    }
    assert_eq!(silent.read(&mut [0]).expect("close_notify: nothing was cut"), 0);
    assert!(page(&mut secure_to(&server), "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn garbage_is_an_alert_or_the_end() {
    let server = start(&["-v"]);
    let mut wrong_length = hello();
    wrong_length[3] = 0xff;
    let mut wrong_message = hello();
    wrong_message[5] = 99;
    let rows: [(&str, &[u8]); 8] = [
        ("letters", b"hello, is anybody there?\n"),
        ("zeros", &[0; 100]),
        ("SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"),
        ("a record that is too long", &wrong_length),
        ("an unknown message", &wrong_message),
        ("data before the handshake", b"\x17\x03\x03\x00\x05hello"),
        ("an empty record", b"\x16\x03\x01\x00\x00"),
        ("an alert", b"\x15\x03\x01\x00\x02\x02\x28"),
    ];
    for (name, wire) in rows {
        let mut stream = connect(server.address());
        stream.write_all(wire).expect("sent");
        let answer = rest(&mut stream);
        assert!(answer.is_empty() || answer[0] == 0x15, "{name}: {}", answer.escape_ascii());
    }
    server.wait_for_log("TLS failed: ");
    assert!(page(&mut secure_to(&server), "/").starts_with("HTTP/1.1 200"));
}

/// A handshake message that goes on and on, in records that are right each.
#[test]
fn an_endless_hello_is_not_kept() {
    let server = start(&["-v"]);
    let mut stream = connect(server.address());
    let mut record = vec![0x16, 3, 1, 0x40, 0];
    record.extend([1, 0, 0xff, 0xff]);
    record.resize(5 + 0x4000, 0);
    let _ = stream.write_all(&record);
    for _ in 0..4 {
        let mut record = vec![0x16, 3, 3, 0x40, 0];
        record.resize(5 + 0x4000, 0);
        let _ = stream.write_all(&record); // it may be over already
    }
    rest(&mut stream);
    server.wait_for_log("a message of the handshake is too long");
}

/// Ciphertext that was changed on its way: what came before it counts, what comes behind it does not.
#[test]
fn a_changed_record_ends_its_connection_alone() {
    let server = start(&["-v"]);
    let mut witness = websocket(secure_to(&server), "/");
    let mut client = websocket(secure_to(&server), "/");
    client.send("heard".into()).expect("sent");
    assert_eq!(client.read().expect("its own"), "heard".into());
    let secure = client.get_mut();
    secure.conn.writer().write_all(b"\x81\x85\0\0\0\0never").expect("it takes them");
    let mut wire = Vec::new();
    secure.conn.write_tls(&mut wire).expect("to memory");
    *wire.last_mut().expect("a record") ^= 1;
    secure.sock.write_all(&wire).expect("sent");
    let answer = rest(&mut secure.sock);
    assert_eq!(answer.first(), Some(&0x17), "an alert, encrypted: {}", answer.escape_ascii());
    server.wait_for_log("TLS failed: cannot decrypt");
    let mut other = websocket(secure_to(&server), "/");
    other.send("the next".into()).expect("sent");
    for want in ["heard", "the next"] {
        assert_eq!(witness.read().expect("a message"), want.into());
    }
}

/// Keys may be changed, but not for ever without a word in between.
#[test]
fn a_flood_of_key_updates_ends() {
    let server = start(&["-v"]);
    let mut client = websocket(secure_to(&server), "/echo");
    for round in 0..100 {
        client.get_mut().conn.refresh_traffic_keys().expect("TLS 1.3");
        client.send(format!("{round}").into()).expect("sent");
        assert_eq!(client.read().expect("an echo"), format!("{round}").into(), "with new keys on both sides");
    }
    let secure = client.get_mut();
    for _ in 0..100 {
        secure.conn.refresh_traffic_keys().expect("TLS 1.3");
        let mut wire = Vec::new();
        secure.conn.write_tls(&mut wire).expect("to memory");
        if secure.sock.write_all(&wire).is_err() {
            break;
        }
    }
    rest(&mut secure.sock);
    server.wait_for_log("TLS failed: ");
    assert!(page(&mut secure_to(&server), "/").starts_with("HTTP/1.1 200"));
}

/// Takes nothing of what it asks for again and again: what waits for it has its bound, and others their pages.
#[cfg(target_os = "linux")]
#[test]
fn who_takes_nothing_costs_no_more_than_without_tls() {
    let server = start(&[]);
    let before = server.peak_bytes();
    let mut lazy: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = secure_to(&server);
            stream.sock.set_write_timeout(Some(Duration::from_millis(200))).expect("a timeout");
            let request = b"GET /websocket.html HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3000);
            let written = stream.write_all(&request);
            assert!(written.is_ok() || written.is_err_and(|e| e.kind() != io::ErrorKind::InvalidData));
            stream
        })
        .collect();
    assert!(page(&mut secure_to(&server), "/").starts_with("HTTP/1.1 200"));
    let growth = server.peak_growth(before);
    assert!(growth < 64 << 20, "{growth} bytes for 50 of them");
    assert!(lazy.iter_mut().all(|stream: &mut Secure| stream.read(&mut [0; 10]).is_ok()));
}

/// What all connections may keep, in the trials below.
#[cfg(target_os = "linux")]
const BUFFERS: (&str, u64) = ("2m", 2 << 20);
/// What a connection has beside that, and the allocator's share.
#[cfg(target_os = "linux")]
const EACH: u64 = 12 * 1024;
#[cfg(target_os = "linux")]
const SLACK: u64 = 6 << 20;

/// A record of which the last byte does not come, 400 times over.
#[cfg(target_os = "linux")]
#[test]
fn halves_of_records_are_kept_within_the_budget() {
    let server = start(&["--buffers", BUFFERS.0, "-v"]);
    let warm: Vec<_> = (0..20).map(|_| websocket(secure_to(&server), "/echo")).collect();
    let before = server.peak_bytes();
    let mut halves: Vec<_> = (0..400)
        .map(|_| {
            let mut client = websocket(secure_to(&server), "/echo");
            let secure = client.get_mut();
            secure.conn.writer().write_all(&[0x82, 0xfe, 0x40, 0x00, 0, 0, 0, 0]).expect("it takes them");
            secure.conn.writer().write_all(&[7; 16_000]).expect("it takes them");
            let mut wire = Vec::new();
            while secure.conn.wants_write() {
                secure.conn.write_tls(&mut wire).expect("to memory");
            }
            let _ = secure.sock.write_all(&wire[..wire.len() - 1]); // it may have had to give way
            client
        })
        .collect();
    let mut modest = websocket(secure_to(&server), "/echo");
    let large = Message::binary(vec![1; 100_000]);
    modest.send(large.clone()).expect("sent");
    assert!(modest.read().expect("an echo") == large, "there is room for who keeps less");
    server.wait_for_log("kept the most when memory ran out");
    let growth = server.peak_growth(before);
    assert!(growth < BUFFERS.1 + 421 * EACH + SLACK, "{growth} bytes");
    halves.clear();
    drop(warm);
    assert!(page(&mut secure_to(&server), "/").starts_with("HTTP/1.1 200"));
}

/// Who reads more than it writes has records in hand while it writes: echoes of many messages, sent without a look at
/// what comes back.
#[test]
fn many_echoes_at_once() {
    let server = start(&[]);
    for version in VERSIONS {
        let mut client = websocket(secure(server.address(), settings(version)), "/echo");
        let message = |number: usize| Message::binary(vec![number as u8; 3000 + number * 100]);
        for number in 0..100 {
            client.write(message(number)).expect("it takes them");
        }
        client.flush().expect("sent");
        for number in 0..100 {
            assert!(client.read().expect("an echo") == message(number), "{number}");
        }
    }
}

/// Many who take nothing for a while: what waits for them encrypted stays within half of the budget, nobody has to
/// give way for it, and in the end each has all of it in order.
#[cfg(target_os = "linux")]
#[test]
fn what_waits_encrypted_is_within_the_budget() {
    const HEARERS: usize = 60;
    const MESSAGES: u8 = 10;
    let server = start(&["--buffers", BUFFERS.0, "--backlog", "64m", "--ping", "0", "-v"]);
    let hearer = |_| {
        let stream = secure_to(&server);
        // Or the system would take all of it.
        socket2::SockRef::from(&stream.sock).set_recv_buffer_size(128 * 1024).expect("it can be small");
        websocket(stream, "/")
    };
    let mut hearers: Vec<_> = (0..HEARERS).map(hearer).collect();
    let mut sender = websocket(secure(server.address(), settings(VERSIONS[1])), "/");
    let before = server.peak_bytes();
    let message = |number: u8| Message::binary(vec![number; 400_000 + usize::from(number)]);
    for number in 0..MESSAGES {
        sender.send(message(number)).expect("sent");
        assert!(sender.read().expect("its own") == message(number), "{number}");
    }
    // The backlog holds each message once, and segments of it come and go.
    let growth = server.peak_growth(before);
    let messages = u64::from(MESSAGES) * 400_000;
    assert!(growth < messages * 5 / 4 + BUFFERS.1 + HEARERS as u64 * EACH + SLACK, "{growth} bytes");
    thread::scope(|scope| {
        for hearer in &mut hearers {
            scope.spawn(move || {
                socket2::SockRef::from(&hearer.get_ref().sock)
                    .set_recv_buffer_size(1 << 20)
                    .expect("or large");
                for number in 0..MESSAGES {
                    assert!(hearer.read().expect("a message") == message(number), "{number}");
                }
            });
        }
    });
    assert!(!server.log().contains("kept the most"), "{}", server.log());
}
