//! `--list`: what is in a folder without an index, and nothing that could not be asked for.

use crate::folder::{folder, serve};
use crate::pages::get;
use crate::support::Server;
use std::path::Path;

fn serve_listed(www: &Path) -> Server {
    Server::start(&["--list", "--www", www.to_str().expect("a name in UTF-8")])
}

#[test]
fn a_folder_without_an_index_is_listed_when_that_is_wanted() {
    let www = folder(&[
        ("sub/b.txt", b"12345"),
        ("sub/a & b.txt", b""),
        ("sub/<i>.txt", b""),
        ("sub/deep/x", b""),
        ("sub/.hidden", b""),
        ("page/index.html", b"a page"),
    ]);
    let server = serve_listed(www.path());
    let mut peer = server.connect();
    let listing = peer.ask(get("/sub/"));
    let html = String::from_utf8(listing.body.clone()).expect("UTF-8");
    assert_eq!((listing.status, listing.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(listing.header("cache-control"), Some("no-cache"));
    for link in ["\"../\"", "\"./b.txt\"", "\"./a%20%26%20b.txt\"", "\"./%3Ci%3E.txt\"", "\"./deep/\""] {
        assert!(html.contains(&format!("href={link}")), "{link} in {html}");
    }
    assert!(!html.contains("hidden") && !html.contains("<i>"), "{html}");
    // Every link leads to what it names.
    for (link, status) in [("b.txt", 200), ("a%20%26%20b.txt", 200), ("%3Ci%3E.txt", 200), ("deep/", 200)] {
        assert_eq!(peer.ask(get(&format!("/sub/{link}"))).status, status, "{link}");
    }
    assert_eq!(peer.ask(get("/page/")).body, b"a page");
    assert_eq!(peer.ask(get("/sub")).header("location"), Some("/sub/"));
    assert!(String::from_utf8_lossy(&peer.ask(get("/")).body).contains("\"./sub/\""));
    peer.send(get("/sub/").replace("GET", "HEAD"));
    let head = peer.response_head();
    assert_eq!(head.header("content-length"), listing.header("content-length"));

    assert_eq!(serve(www.path()).connect().ask(get("/sub/")).status, 404, "without --list");
}

#[cfg(unix)]
#[test]
fn what_leads_out_is_not_listed() {
    use std::os::unix::fs::symlink;
    let outer = folder(&[("www/a.txt", b""), ("outside/secret.txt", b"")]);
    let www = outer.path().join("www");
    for (name, target) in [("out", "../outside"), ("secret", "../outside/secret.txt"), ("within", "a.txt")] {
        symlink(target, www.join(name)).expect("a link can be made");
    }
    let server = serve_listed(&www);
    let html = String::from_utf8(server.connect().ask(get("/")).body).expect("UTF-8");
    assert!(html.contains("./within") && html.contains("./a.txt"), "{html}");
    assert!(!html.contains("out") && !html.contains("secret"), "{html}");
    assert_eq!(server.connect().ask(get("/out/")).status, 404);
}

#[test]
fn a_listing_has_an_end() {
    let names: Vec<_> = (0..1200).map(|number| format!("{number}.txt")).collect();
    let files: Vec<_> = names.iter().map(|name| (&**name, &b""[..])).collect();
    let www = folder(&files);
    let server = serve_listed(www.path());
    let html = String::from_utf8(server.connect().ask(get("/")).body).expect("UTF-8");
    assert_eq!(html.matches(".txt\">").count(), 1000);
    assert!(html.contains("There is more"), "it says so");
}
