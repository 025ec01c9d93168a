//! `/inspect`: the trace of one connection, as its viewer gets it, and `/stats`.

use crate::peer::{BINARY, CLOSE, CONTINUATION, DEFLATE, Frame, PING, PONG, Peer, TEXT, handshake, header};
use crate::support::Server;
use serde_json::{Value, json};

const ID: &str = "0123456789-abcdef_XYZ";

fn viewed(id: &str) -> String {
    format!("/inspect?trace={id}")
}

fn traced(id: &str) -> String {
    format!("/?trace={id}")
}

/// The next record.
#[track_caller]
fn record(viewer: &mut Peer) -> Value {
    let frame = viewer.frame();
    assert_eq!(frame.opcode, TEXT, "{frame:?}");
    let record: Value = serde_json::from_slice(&frame.payload).expect("a record is JSON");
    assert!(record["at_us"].is_u64(), "{record}");
    record
}

/// The next records, each as its direction and the frame's first bytes.
#[track_caller]
fn wires(viewer: &mut Peer, count: usize) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (0..count).map(|_| record(viewer)).map(|record| (text(&record["dir"]), text(&record["wire"]))).collect()
}

/// Skips the two records of a handshake.
#[track_caller]
fn pass_handshake(viewer: &mut Peer) {
    for direction in ["in", "out"] {
        let record = record(viewer);
        assert_eq!((&record["dir"], &record["kind"]), (&json!(direction), &json!("handshake")), "{record}");
    }
}

#[test]
fn all_that_happens_on_one_connection() {
    let server = Server::start(&[]);
    let mut viewer = server.websocket(&viewed(ID));
    let mut peer = server.websocket(&traced(ID));

    let request = record(&mut viewer);
    assert_eq!(
        request,
        json!({ "at_us": 0, "dir": "in", "kind": "handshake", "text": handshake(&traced(ID), "") })
    );
    let response = record(&mut viewer);
    assert_eq!((&response["dir"], &response["kind"]), (&json!("out"), &json!("handshake")));
    let text = response["text"].as_str().expect("a text");
    assert!(text.starts_with("HTTP/1.1 101 Switching Protocols\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    assert!(text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{text}");

    peer.send(Frame::text("Hello").masked());
    let mut hello = record(&mut viewer);
    assert!(hello["at_us"].take().as_u64() >= response["at_us"].as_u64(), "time goes on");
    let want = json!({
        "at_us": null, "dir": "in", "kind": "frame", "fin": true, "rsv": 0, "opcode": 1, "masked": true,
        "key": "37fa213d", "length": 5, "wire": "818537fa213d7f9f4d5158", "preview": "Hello",
    });
    assert_eq!(hello, want);
    let mut hello = record(&mut viewer);
    hello["at_us"].take();
    let want = json!({
        "at_us": null, "dir": "out", "kind": "frame", "fin": true, "rsv": 0, "opcode": 1, "masked": false,
        "key": null, "length": 5, "wire": "810548656c6c6f", "preview": "Hello",
    });
    assert_eq!(hello, want);

    // Fragments, what comes between them, and what others say.
    peer.send(Frame::begun(TEXT, "a").masked());
    peer.send(Frame::new(PING, "p").masked());
    peer.expect(&[Frame::text("Hello"), Frame::new(PONG, "p")]);
    peer.send(Frame::new(CONTINUATION, "b").masked());
    peer.expect(&[Frame::text("ab")]);
    let other = &mut server.websocket("/");
    other.send(Frame::new(BINARY, [7; 1000]).masked());
    peer.expect(&[Frame::new(BINARY, [7; 1000])]);
    peer.send(Frame::close(1000, "bye").masked());
    peer.expect(&[Frame::close(1000, "bye")]);
    let seven = format!("827e03e8{}", "07".repeat(60));
    let want = [
        ("in", "018137fa213d56"),
        ("in", "898137fa213d47"),
        ("out", "8a0170"),
        ("in", "808137fa213d55"),
        ("out", "81026162"),
        ("out", &*seven),
        ("in", "888537fa213d3412434452"),
        ("out", "880503e8627965"),
    ];
    assert_eq!(wires(&mut viewer, want.len()), want.map(|(dir, wire)| (dir.to_owned(), wire.to_owned())));
    let end = record(&mut viewer);
    assert_eq!(
        (&end["dir"], &end["kind"]),
        (&json!("out"), &json!("close")),
        "the server ends it (RFC 6455 §7.1.1)"
    );
    drop(peer);
    viewer.expect(&[Frame::close(1000, "the connection is over")]);
}

#[test]
fn the_viewer_may_come_later() {
    let server = Server::start(&[]);
    let mut peer = server.websocket(&traced(ID));
    peer.send(Frame::text("early").masked());
    peer.expect(&[Frame::text("early")]);
    let mut viewer = server.websocket(&viewed(ID));
    pass_handshake(&mut viewer);
    let want = [("in", "818537fa213d529b53514e"), ("out", "81056561726c79")];
    assert_eq!(wires(&mut viewer, 2), want.map(|(dir, wire)| (dir.to_owned(), wire.to_owned())));
    drop(peer);
    let end = record(&mut viewer);
    assert_eq!((&end["dir"], &end["kind"]), (&json!("in"), &json!("close")), "it has gone without a Close");
    viewer.expect(&[Frame::close(1000, "the connection is over")]);
}

/// It may come behind other requests, and need not wait for its 101.
#[test]
fn a_handshake_in_the_middle_of_a_read() {
    let server = Server::start(&["--www", env!("CARGO_MANIFEST_DIR")]);
    let mut viewer = server.websocket(&viewed(ID));
    let mut peer = server.connect();
    let page = "GET /Cargo.toml HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let hasty =
        [page, "GET /src/lib.rs HTTP/1.1\r\nHost: localhost\r\n\r\n", &handshake(&traced(ID), "")].concat();
    peer.send([hasty.as_bytes(), &Frame::text("at once").masked()].concat());
    for status in [200, 200, 101] {
        assert_eq!(peer.response().status, status);
    }
    peer.expect(&[Frame::text("at once")]);
    let request = record(&mut viewer);
    assert_eq!(request["text"], handshake(&traced(ID), ""));
    let said = record(&mut viewer);
    assert_eq!((&said["dir"], &said["preview"]), (&json!("in"), &json!("at once")));
    let response = record(&mut viewer);
    let text = response["text"].as_str().expect("a text");
    assert!(text.starts_with("HTTP/1.1 101 ") && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(record(&mut viewer)["preview"], "at once");
}

#[test]
fn a_viewer_has_the_connection_pinged() {
    let server = Server::start(&["-v"]);
    let mut viewer = server.websocket(&viewed(ID));
    viewer.send(Frame::text("ping").masked()); // there is none yet
    let mut peer = server.websocket(&traced(ID));
    pass_handshake(&mut viewer);
    viewer.send(Frame::text("ping").masked());
    let ping = Frame::new(PING, "fanfare");
    peer.expect(&[ping]);
    peer.send(Frame::new(PONG, "fanfare").masked());
    let want = [("out", "890766616e66617265"), ("in", "8a8737fa213d519b4f5b568844")];
    assert_eq!(wires(&mut viewer, 2), want.map(|(dir, wire)| (dir.to_owned(), wire.to_owned())));

    // That is all it may say, and nobody else hears it.
    viewer.send(Frame::text("Hello").masked());
    viewer.expect(&[Frame::close(1008, "all a viewer may say is ping")]);
    server.wait_for_log("is closed with 1008: all it may say is ping");
    peer.send(Frame::text("still here").masked());
    peer.expect(&[Frame::text("still here")]);
}

#[test]
fn what_cannot_be_watched() {
    let server = Server::start(&[]);
    let refused = |path: &str, more: &str| server.connect().ask(handshake(path, more));
    for path in ["/inspect", "/inspect?trace=", "/inspect?trace=short", "/inspect?trace=0123456789abcde%66"] {
        assert_eq!(refused(path, "").status, 400, "{path}");
    }
    let foreign = "Origin: http://elsewhere.example\r\n";
    assert_eq!(refused(&viewed(ID), foreign).status, 403);
    let mut viewer = server.websocket(&viewed(ID));
    assert_eq!(refused(&viewed(ID), "").status, 409);
    // Another connection of the same name is one like any other.
    let mut first = server.websocket(&traced(ID));
    let mut second = server.websocket(&traced(ID));
    pass_handshake(&mut viewer);
    second.send(Frame::text("b").masked());
    for peer in [&mut first, &mut second] {
        peer.expect(&[Frame::text("b")]);
    }
    assert_eq!(wires(&mut viewer, 1), [("out".to_owned(), "810162".to_owned())]);
}

#[test]
fn sixteen_are_watched_at_a_time() {
    let server = Server::start(&[]);
    let id = |number: usize| format!("{number:016}");
    // Traces that nobody watches give way to those that somebody does.
    let mut unseen: Vec<_> = (0..20).map(|number| server.websocket(&traced(&id(number)))).collect();
    let mut viewers: Vec<_> = (100..116).map(|number| server.websocket(&viewed(&id(number)))).collect();
    let mut late = server.connect();
    let response = late.ask(handshake(&viewed(&id(200)), ""));
    assert_eq!((response.status, response.header("retry-after")), (429, Some("5")));
    // A connection is never refused for its trace, and those that gave way work on.
    let mut untraced = server.websocket(&traced(&id(201)));
    untraced.send(Frame::text("all").masked());
    unseen.iter_mut().chain([&mut untraced]).for_each(|peer| peer.expect(&[Frame::text("all")]));
    // One that leaves makes room.
    let mut gone = viewers.pop().expect("there are sixteen");
    gone.send(Frame::close(1000, "").masked());
    gone.expect(&[Frame::close(1000, "")]);
    gone.expect_end();
    drop(gone);
    let mut next = server.websocket(&viewed(&id(300)));
    let _peer = server.websocket(&traced(&id(300)));
    pass_handshake(&mut next);
}

/// Who watches and does not read costs half a megabyte; what is missing is counted.
#[test]
fn the_oldest_records_give_way() {
    const MESSAGES: u64 = 20_000;
    let server = Server::start(&[]);
    let mut viewer = server.websocket(&viewed(ID));
    let mut peer = server.websocket(&traced(ID));
    let frame = Frame::text("0123456789").masked();
    for _ in 0..MESSAGES / 100 {
        peer.send(frame.repeat(100));
        (0..100).for_each(|_| assert_eq!(peer.frame().payload, b"0123456789"));
    }
    peer.send(Frame::text("the last").masked());
    peer.expect(&[Frame::text("the last")]);
    let (mut told, mut dropped, mut last) = (0, 0, 0);
    while last < 2 {
        let record = record(&mut viewer);
        match record["kind"].as_str() {
            Some("dropped") => dropped += record["count"].as_u64().expect("a count"),
            Some("frame") => {
                told += 1;
                last += u64::from(record["preview"] == "the last");
            }
            Some("handshake") => told += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(dropped > 0, "all {told} fit");
    assert_eq!(told + dropped, 2 * MESSAGES + 4, "everything is told or counted");
}

/// Its slot and its name are free for the next, whether it answers or not.
#[test]
fn a_viewer_that_was_told_to_go_leaves_its_trace() {
    let server = Server::start(&[]);
    let mut viewer = server.websocket(&viewed(ID));
    drop(server.websocket(&traced(ID)));
    pass_handshake(&mut viewer);
    assert_eq!(record(&mut viewer)["kind"], "close");
    viewer.expect(&[Frame::close(1000, "the connection is over")]);
    let mut next = server.websocket(&viewed(ID));
    let _peer = server.websocket(&traced(ID));
    pass_handshake(&mut next);
}

/// What is only shown gives way to what somebody says.
#[test]
fn traces_give_way_to_messages_when_memory_runs_out() {
    const LARGE: usize = 960 << 10;
    let server = Server::start(&["--buffers", "1m", "--max-message", "1m"]);
    let mut traced: Vec<_> =
        (0..16).map(|number| server.websocket(&format!("/echo?trace={number:016}"))).collect();
    for peer in &mut traced {
        peer.send(Frame::text("x").masked().repeat(100));
        (0..100).for_each(|_| assert_eq!(peer.frame(), Frame::text("x")));
    }
    let mut large = server.websocket("/echo");
    large.send(header(true, BINARY, LARGE as u64));
    for _ in 0..LARGE >> 16 {
        large.send([7; 1 << 16]);
    }
    let frame = large.frame();
    assert_eq!((frame.opcode, frame.payload.len()), (BINARY, LARGE), "{frame:?}");
}

/// It is written in pieces, which does not show.
#[test]
fn large_messages_go_through_whole() {
    let server = Server::start(&[]);
    let mut viewer = server.websocket(&viewed(ID));
    let mut peer = server.websocket(&traced(ID));
    pass_handshake(&mut viewer);
    let large = Frame::new(BINARY, (0..1_000_000_u32).map(|at| (at / 7) as u8).collect::<Vec<_>>());
    let mut other = server.websocket("/");
    other.send([large.masked(), Frame::text("small").masked()].concat());
    peer.expect(&[large, Frame::text("small")]);
    assert_eq!(record(&mut viewer)["length"], 1_000_000);
    assert_eq!(record(&mut viewer)["preview"], "small");
}

#[test]
fn what_is_compressed_is_shown_as_it_is() {
    let server = Server::start(&[]);
    let mut viewer = server.websocket_with(&viewed(ID), DEFLATE);
    let mut peer = server.websocket_with(&traced(ID), DEFLATE);
    pass_handshake(&mut viewer);
    let text = "so often ".repeat(100);
    let mut other = server.websocket("/");
    other.send(Frame::text(&text).masked());
    let (bits, frame) = peer.try_frame_with_bits().expect("it comes");
    let record = record(&mut viewer);
    let is_compressed = cfg!(feature = "deflate");
    assert_eq!(bits == 0x40, is_compressed);
    assert_eq!(record["rsv"], if is_compressed { 4 } else { 0 });
    assert_eq!(record["preview"].is_null(), is_compressed, "{record}");
    assert_eq!(record["length"], frame.payload.len());
}

/// A viewer is no receiver, and no sender.
#[test]
fn who_is_counted_as_a_receiver() {
    let server = Server::start(&[]);
    let stats = || -> (u16, Value) {
        let response =
            server.connect().ask("GET /stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        (response.status, serde_json::from_slice(&response.body).expect("it is JSON"))
    };
    assert_eq!(stats(), (200, json!({ "receivers": 0, "connections": 1 })));
    let _viewer = server.websocket(&viewed(ID));
    let _echo = server.websocket("/echo");
    let mut receiver = server.websocket("/");
    assert_eq!(stats().1["receivers"], 1);
    receiver.send(Frame::close(1000, "").masked());
    receiver.expect(&[Frame::new(CLOSE, 1000_u16.to_be_bytes())]);
    assert_eq!(stats().1["receivers"], 0);

    let mut peer = server.connect();
    peer.send(
        "HEAD /stats HTTP/1.1\r\nHost: localhost\r\n\r\nOPTIONS /stats HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    assert_eq!(peer.response_head().status, 200);
    assert_eq!(peer.response().status, 204);
    assert_eq!(peer.ask("POST /stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").status, 405);
}
