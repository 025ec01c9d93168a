//! The access log: a line for each request, when its response is written or never will be.

use crate::folder::folder;
use crate::pages::get;
use crate::peer::Frame;
use crate::support::{Server, until};
use std::fs;

/// The lines of the access log, each without its time stamp and level, and without how long it took.
fn lines(server: &Server) -> Vec<String> {
    let log = server.log();
    let lines = log.lines().filter_map(|line| line.split_once(" INFO  127.0.0.1:").map(|(_, line)| line));
    lines
        .map(|line| {
            let (line, time) = line.rsplit_once(' ').expect("a time at its end");
            let time = time.strip_suffix("ms").expect("in milliseconds");
            assert!(time.parse::<f64>().is_ok_and(|time| (0.0..60_000.0).contains(&time)), "{time}");
            line.split_once(' ').expect("a port at its beginning").1.to_owned()
        })
        .collect()
}

fn wait_for(server: &Server, want: &[&str]) {
    until("they are logged", || lines(server).len() >= want.len());
    assert_eq!(lines(server), want);
}

#[test]
fn a_line_for_each_request() {
    let www = folder(&[("a.txt", b"0123456789"), ("sub/index.html", b"<p>")]);
    let server = Server::start(&["--www", www.path().to_str().expect("UTF-8")]);
    let mut peer = server.connect();
    let etag = peer.ask(get("/a.txt")).header("etag").expect("it has one").to_owned();
    let with = |line: &str| get("/a.txt").replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"));
    peer.ask(with(&format!("If-None-Match: {etag}")));
    peer.ask(with("Range: bytes=2-4"));
    peer.ask(get("/sub?token=secret"));
    peer.ask(get("/%1b%5b31m"));
    peer.ask(get("/\u{202e}/\u{9b}31m"));
    peer.ask(get("/").replace("GET", "OPTIONS"));
    peer.send(get("/a.txt").replace("GET", "HEAD"));
    peer.response_head();
    peer.ask(get("/a.txt").replace("GET", "BREW"));
    server.connect().ask("nonsense\r\n\r\n");
    let mut websocket = server.connect();
    websocket.open("/chat?token=secret");
    websocket.send(Frame::text("is no request").masked());
    assert_eq!(websocket.frame(), Frame::text("is no request"));
    wait_for(
        &server,
        &[
            "GET /a.txt 200 10",
            "GET /a.txt 304 0",
            "GET /a.txt 206 3",
            "GET /sub 301 19",
            "GET /%1b%5b31m 404 317",
            "GET /\\u202e/\\u009b31m 404 317",
            "OPTIONS / 204 0",
            "HEAD /a.txt 200 0",
            "BREW /a.txt 501 30",
            "- - 400 19",
            "GET /chat 101 0",
        ],
    );
    assert!(!server.log().contains("secret"), "what is in a query is nobody's business");
}

/// What was asked for behind one another is logged in that order, each when it was taken.
#[test]
fn a_request_is_logged_when_its_response_was_taken_or_never_will_be() {
    let www = folder(&[("a.txt", b"0123456789")]);
    let file = fs::File::create(www.path().join("huge.bin")).expect("a file can be made");
    file.set_len(100 << 20).expect("it may have holes");
    let server = Server::start(&["--www", www.path().to_str().expect("UTF-8")]);
    let mut peer = server.connect();
    peer.send([get("/a.txt"), get("/huge.bin"), get("/a.txt")].concat());
    peer.response();
    assert_eq!(peer.response_head().status, 200);
    peer.take(1 << 20);
    wait_for(&server, &["GET /a.txt 200 10"]);
    drop(peer);
    // What it asked for behind that was never answered.
    until("it is given up", || lines(&server).len() == 2);
    let huge = lines(&server).pop().expect("there are two");
    let sent: u64 =
        huge.strip_prefix("GET /huge.bin 200 ").expect("what was sent").parse().expect("a number");
    assert!((1 << 20..100 << 20).contains(&sent), "{sent}");
}

#[test]
fn in_json_it_has_fields() {
    let server = Server::start(&["--log-format", "json"]);
    let body = server.connect().ask(get("/\"?x")).body;
    until("it is logged", || server.log().contains("\"method\""));
    let log = server.log();
    let line = log.lines().find(|line| line.contains("\"method\"")).expect("it is there");
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    let rows = [("level", "info"), ("method", "GET"), ("path", "/\"")];
    for (name, want) in rows {
        assert_eq!(line[name], want, "{name}");
    }
    assert_eq!((&line["status"], &line["bytes"]), (&404.into(), &body.len().into()));
    assert!(line["milliseconds"].is_number(), "{line}");
    assert!(line["address"].as_str().is_some_and(|address| address.starts_with("127.0.0.1:")), "{line}");
    assert!(line["message"].as_str().is_some_and(|message| message.contains("GET /\" 404")), "{line}");
}
