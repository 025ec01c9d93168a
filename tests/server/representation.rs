//! What a response says of a page, and which part and coding of it a client gets: of a folder's and of those compiled
//! in (RFC 9110 §8, §12 to §15).

use crate::folder::{folder, serve};
use crate::pages::get;
use crate::peer::{Peer, Response};
use crate::support::{Server, until};
use flate2::read::GzDecoder;
use std::fs;
use std::io::Read;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A request with these header lines as well.
fn get_with(path: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("{line}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n")
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.header(name).unwrap_or_else(|| panic!("no {name} in {:?}", response.headers))
}

/// A hundred bytes, as a page of a folder that has been there for a while.
fn hundred() -> (TempDir, Vec<u8>) {
    let content: Vec<u8> = (0..100).collect();
    let www = folder(&[("a.bin", &content), ("empty.txt", b"")]);
    let file = fs::File::options().write(true).open(www.path().join("a.bin")).expect("it is ours");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)).expect("it is ours");
    (www, content)
}

#[test]
fn a_page_has_validators_and_is_asked_about_each_time() {
    let (www, _) = hundred();
    for (server, path) in [(serve(www.path()), "/a.bin"), (Server::start(&[]), "/index.html")] {
        let mut peer = server.connect();
        let page = peer.ask(get(path));
        let etag = header(&page, "etag");
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 4, "a strong tag: {etag}");
        assert!(header(&page, "last-modified").ends_with(" GMT"));
        assert_eq!(header(&page, "cache-control"), "no-cache");
        assert_eq!(header(&page, "accept-ranges"), "bytes");
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
        assert_eq!(page.header("vary").is_some(), path == "/index.html", "it is there in two codings");

        let known = peer.ask(get_with(path, &format!("If-None-Match: {etag}")));
        assert_eq!((known.status, &*known.body), (304, &b""[..]));
        for name in ["etag", "last-modified", "cache-control", "vary"] {
            assert_eq!(known.header(name), page.header(name), "{name} of a 304");
        }
        for name in ["content-type", "content-length", "content-encoding"] {
            assert_eq!(known.header(name), None, "{name} of a 304");
        }
        let since = format!("If-Modified-Since: {}", header(&page, "last-modified"));
        assert_eq!(peer.ask(get_with(path, &since)).status, 304, "{path}");
    }
}

#[test]
fn conditions_and_ranges() {
    let (www, content) = hundred();
    let server = serve(www.path());
    let mut peer = server.connect();
    let etag = header(&peer.ask(get("/a.bin")), "etag").to_owned();
    let part =
        |from: usize, to: usize| (206, content[from..to].to_vec(), format!("bytes {from}-{}/100", to - 1));
    let whole = || (200, content.clone(), String::new());
    let rows = [
        ("Range: bytes=0-9".to_owned(), part(0, 10)),
        ("Range: bytes=90-".to_owned(), part(90, 100)),
        ("Range: bytes=-5".to_owned(), part(95, 100)),
        ("Range: bytes=-500".to_owned(), part(0, 100)),
        ("Range: bytes=99-1000".to_owned(), part(99, 100)),
        ("Range: bytes=0-0, 5-6".to_owned(), whole()),
        ("Range: bytes=9-0".to_owned(), whole()),
        ("Range: lines=1-2".to_owned(), whole()),
        (format!("Range: bytes=0-9\nIf-Range: {etag}"), part(0, 10)),
        ("Range: bytes=0-9\nIf-Range: \"another\"".to_owned(), whole()),
        (format!("Range: bytes=0-9\nIf-Range: W/{etag}"), whole()),
        ("Range: bytes=0-9\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT".to_owned(), part(0, 10)),
        ("Range: bytes=0-9\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT".to_owned(), whole()),
        ("If-None-Match: \"another\", \"a third\"".to_owned(), whole()),
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT".to_owned(), whole()),
        ("If-Modified-Since: never".to_owned(), whole()),
        (format!("If-Match: {etag}"), whole()),
    ];
    for (lines, (status, body, content_range)) in rows {
        let response = peer.ask(get_with("/a.bin", &lines));
        assert_eq!((response.status, &response.body), (status, &body), "{lines}");
        assert_eq!(response.header("content-range").unwrap_or_default(), content_range, "{lines}");
        assert_eq!(header(&response, "etag"), etag, "{lines}");
    }
    let statuses = [
        (format!("If-None-Match: {etag}"), 304),
        (format!("If-None-Match: \"another\", W/{etag}"), 304),
        ("If-None-Match: *".to_owned(), 304),
        ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT".to_owned(), 304),
        ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT".to_owned(), 304),
        (format!("If-None-Match: {etag}\nRange: bytes=500-"), 304),
        ("If-Match: \"another\"".to_owned(), 412),
        ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT".to_owned(), 412),
        ("Range: bytes=100-".to_owned(), 416),
        ("Range: bytes=-0".to_owned(), 416),
    ];
    for (lines, status) in statuses {
        let response = peer.ask(get_with("/a.bin", &lines));
        assert_eq!(response.status, status, "{lines}");
        let want = (status == 416).then_some("bytes */100");
        assert_eq!(response.header("content-range"), want, "{lines}");
    }
    assert_eq!(peer.ask(get_with("/empty.txt", "Range: bytes=0-")).status, 416);
    assert_eq!(peer.ask(get_with("/empty.txt", "Range: bytes=-1")).status, 200);
    // A HEAD has no range (RFC 9110 §14.2), and conditions like a GET.
    peer.send(get_with("/a.bin", "Range: bytes=0-9").replace("GET", "HEAD"));
    let head = peer.response_head();
    assert_eq!((head.status, header(&head, "content-length")), (200, "100"));
    peer.send(get_with("/a.bin", &format!("If-None-Match: {etag}")).replace("GET", "HEAD"));
    assert_eq!(peer.response_head().status, 304);
}

/// From a file, in pieces, and from memory: what is sent is what was asked for.
#[test]
fn a_range_of_a_large_file_is_that_range() {
    let content: Vec<u8> = (0_u32..).flat_map(u32::to_le_bytes).take(1 << 20).collect();
    let www = folder(&[("large.bin", &content)]);
    let server = serve(www.path());
    let mut peer = server.connect();
    for (from, to) in
        [(0, 1), (0, 65_536), (1, 65_537), (65_535, 200_000), (1_000_000, 1 << 20), (0, 1 << 20)]
    {
        let response = peer.ask(get_with("/large.bin", &format!("Range: bytes={from}-{}", to - 1)));
        assert!(response.status == 206 && response.body == content[from..to], "{from} to {to}");
    }
    // A download that was broken off goes on.
    let etag = header(&peer.ask(get("/large.bin")), "etag").to_owned();
    let rest = peer.ask(get_with("/large.bin", &format!("Range: bytes=500000-\nIf-Range: {etag}")));
    assert!(rest.body == content[500_000..]);
    // Of another state of the file it begins anew.
    fs::write(www.path().join("large.bin"), &content[..900_000]).expect("it is ours");
    let rest = peer.ask(get_with("/large.bin", &format!("Range: bytes=500000-\nIf-Range: {etag}")));
    assert!((rest.status, rest.body.len()) == (200, 900_000));
}

#[test]
fn codings_lie_beside_the_page() {
    let www = folder(&[
        ("a.js", b"plain"),
        ("a.js.br", b"brotli"),
        ("a.js.zst", b"zstd"),
        ("a.js.gz", b"gzip"),
        ("b.html", b"plain"),
        ("b.html.gz", b"gzip"),
        ("c.css", b"plain"),
        ("sub/index.html", b"plain"),
        ("sub/index.html.gz", b"gzip"),
    ]);
    let server = serve(www.path());
    let mut peer = server.connect();
    let rows: [(&str, &str, &str, Option<&str>); 14] = [
        ("/a.js", "gzip, deflate, br, zstd", "brotli", Some("br")),
        ("/a.js", "gzip, zstd", "zstd", Some("zstd")),
        ("/a.js", "gzip", "gzip", Some("gzip")),
        ("/a.js", "gzip;q=0.9, br;q=0.8", "gzip", Some("gzip")),
        ("/a.js", "br;q=0, gzip;q=0", "plain", None),
        ("/a.js", "identity", "plain", None),
        ("/a.js", "", "plain", None),
        ("/a.js", "*", "brotli", Some("br")),
        ("/a.js", "deflate", "plain", None),
        ("/b.html", "br, gzip", "gzip", Some("gzip")),
        ("/b.html", "br", "plain", None),
        ("/c.css", "br, gzip", "plain", None),
        ("/sub/", "gzip", "gzip", Some("gzip")),
        ("/a.js.gz", "br", "gzip", None),
    ];
    for (path, accepted, body, coding) in rows {
        let response = peer.ask(get_with(path, &format!("Accept-Encoding: {accepted}")));
        let got = String::from_utf8_lossy(&response.body).into_owned();
        assert_eq!((&*got, response.header("content-encoding")), (body, coding), "{path}, {accepted}");
        let varies = !["/c.css", "/a.js.gz"].contains(&path);
        assert_eq!(response.header("vary").is_some(), varies, "{path}, {accepted}");
    }
    let tags: Vec<_> = ["br", "zstd", "gzip", "identity"]
        .map(|coding| {
            let page = peer.ask(get_with("/a.js", &format!("Accept-Encoding: {coding}")));
            assert_eq!(header(&page, "content-type"), "text/javascript; charset=utf-8", "{coding}");
            header(&page, "etag").to_owned()
        })
        .into();
    for (number, tag) in tags.iter().enumerate() {
        assert!(!tags[..number].contains(tag), "each coding has its own: {tags:?}");
    }
    assert_eq!(header(&peer.ask(get("/a.js.gz")), "content-type"), "application/gzip");
    // They may have one date: it does not say which of them was begun.
    let date = header(&peer.ask(get("/a.js")), "last-modified").to_owned();
    let lines = format!("Accept-Encoding: gzip\nRange: bytes=1-2\nIf-Range: {date}");
    assert_eq!(peer.ask(get_with("/a.js", &lines)).status, 200);
    // The tag of one coding is not that of another, and a range is one of what is coded.
    let lines = format!("Accept-Encoding: gzip\nIf-None-Match: {}", tags[0]);
    assert_eq!(peer.ask(get_with("/a.js", &lines)).status, 200);
    let part = peer.ask(get_with("/a.js", "Accept-Encoding: gzip\nRange: bytes=1-2"));
    assert_eq!((part.status, &*part.body, part.header("content-encoding")), (206, &b"zi"[..], Some("gzip")));
}

#[test]
fn the_pages_in_the_binary_are_compressed() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    for path in ["/", "/websocket.html", "/style.css", "/websocket.js"] {
        let plain = peer.ask(get(path));
        let coded = peer.ask(get_with(path, "Accept-Encoding: gzip, deflate, br, zstd"));
        assert_eq!(coded.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!((header(&coded, "vary"), header(&plain, "vary")), ("Accept-Encoding", "Accept-Encoding"));
        assert_ne!(coded.header("etag"), plain.header("etag"), "{path}");
        assert!(coded.body.len() < plain.body.len(), "{path}");
        let mut read = Vec::new();
        GzDecoder::new(&*coded.body).read_to_end(&mut read).expect("it is gzip");
        assert!(read == plain.body, "{path}");
    }
}

#[test]
fn our_own_pages_have_a_policy_and_those_of_a_folder_none() {
    let server = Server::start(&[]);
    let page = server.connect().ask(get("/websocket.html"));
    let policy = header(&page, "content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(header(&page, "referrer-policy"), "no-referrer");
    let www = folder(&[("index.html", b"<script>alert()</script>")]);
    let page = serve(www.path()).connect().ask(get("/"));
    for name in ["content-security-policy", "referrer-policy"] {
        assert_eq!(page.header(name), None, "{name}: what it may load is its author's to say");
    }
}

#[test]
fn what_is_not_there_is_a_page_for_people() {
    let server = Server::start(&[]);
    let mut peer = server.connect();
    let response = peer.ask(get("/<script>alert(1)</script>%3Cb%3E"));
    let body = String::from_utf8_lossy(&response.body).into_owned();
    assert_eq!((response.status, header(&response, "content-type")), (404, "text/html; charset=utf-8"));
    assert!(body.contains("<h1>") && body.contains("href=\"/\""), "{body}");
    assert!(!body.contains("alert") && !body.contains("<b>"), "nothing of what was asked for: {body}");
    assert!(!response.closes(), "and the connection stays");
}

/// A page that was edited shows in a browser that has the old one.
#[test]
fn who_has_an_old_page_gets_the_new_one() {
    let www = folder(&[("index.html", b"one")]);
    let server = serve(www.path());
    let mut peer = server.connect();
    let etag = header(&peer.ask(get("/")), "etag").to_owned();
    let again = |peer: &mut Peer| peer.ask(get_with("/", &format!("If-None-Match: {etag}")));
    assert_eq!(again(&mut peer).status, 304);
    for content in ["two", "six"] {
        fs::write(www.path().join("index.html"), content).expect("it is ours");
        let response = again(&mut peer);
        assert_eq!((response.status, &*response.body), (200, content.as_bytes()), "the same length");
    }
    // The state it had comes back, and its tag with it.
    fs::write(www.path().join("index.html"), "one").expect("it is ours");
    assert_eq!(again(&mut peer).status, 304);
}

/// Kept in memory once it has settled, and looked at again all the same.
#[test]
fn a_page_that_is_kept_is_looked_at_again() {
    let www = folder(&[("index.html", b"one")]);
    let server = serve(www.path());
    let mut peer = server.connect();
    let settles = SystemTime::now() + Duration::from_secs(3);
    until("it has settled, and was asked for since", || {
        assert_eq!(peer.ask(get("/")).body, b"one");
        SystemTime::now() > settles
    });
    fs::write(www.path().join("index.html"), "two").expect("it is ours");
    until("the edit shows", || peer.ask(get("/")).body == b"two");
}
