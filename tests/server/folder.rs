//! `--www DIR`: a folder is served, and nothing outside it, whatever is asked for and whatever lies in it.

use crate::pages::get;
use crate::peer::Frame;
use crate::support::{Server, until};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with these files, and its parents as they are needed.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, content) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(file, content).expect("a file can be written");
    }
    folder
}

pub(crate) fn serve(folder: &Path) -> Server {
    Server::start(&["--www", folder.to_str().expect("a name in UTF-8")])
}

#[test]
fn a_folder_has_its_files_and_no_others() {
    let www = folder(&[
        ("index.html", b"<p>home"),
        ("sub/index.html", b"<p>sub"),
        ("sub/data.bin", b"\0\x01\xff"),
        ("a b/c.txt", b"spaced"),
        ("empty.txt", b""),
        ("bare/only.txt", b"no index here"),
        (".well-known/security.txt", b"Contact: us"),
    ]);
    let server = serve(www.path());
    let mut peer = server.connect();
    let rows: [(&str, u16, &[u8]); 9] = [
        ("/", 200, b"<p>home"),
        ("/index.html", 200, b"<p>home"),
        ("/sub/", 200, b"<p>sub"),
        ("/sub/./data.bin", 200, b"\0\x01\xff"),
        ("/sub/data.bin?version=2", 200, b"\0\x01\xff"),
        ("/a%20b/c.txt", 200, b"spaced"),
        ("/empty.txt", 200, b""),
        ("/.well-known/security.txt", 200, b"Contact: us"),
        ("//sub//data.bin", 200, b"\0\x01\xff"),
    ];
    for (path, status, body) in rows {
        let response = peer.ask(get(path));
        assert_eq!((response.status, &*response.body), (status, body), "{path}");
    }
    for path in ["/broadcast.html", "/style.css", "/bare/", "/sub/data.bin/", "/sub/none", "/index.html/x"] {
        assert_eq!(peer.ask(get(path)).status, 404, "{path}");
    }
}

#[test]
fn types_go_by_the_name() {
    let rows = [
        ("a.html", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("a.woff2", "font/woff2"),
        ("a.mp4", "video/mp4"),
        ("a.webm", "video/webm"),
        ("a.svg", "image/svg+xml"),
        ("a.png", "image/png"),
        ("A.PNG", "image/png"),
        ("a.unknown", "application/octet-stream"),
        ("none", "application/octet-stream"),
    ];
    let www = folder(&rows.map(|(name, _)| (name, &b"<html>"[..])));
    let server = serve(www.path());
    for (name, content_type) in rows {
        let response = server.connect().ask(get(&format!("/{name}")));
        assert_eq!(response.header("content-type"), Some(content_type), "{name}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{name}");
    }
}

/// Relative links of a page in a folder need the slash; and `//host/` would be another host.
#[test]
fn a_folder_without_its_slash_redirects_on_this_host() {
    let www =
        folder(&[("sub/index.html", b"<p>sub"), ("evil.example/index.html", b""), ("a b/index.html", b"")]);
    let server = serve(www.path());
    let rows = [
        ("/sub", "/sub/"),
        ("//sub", "/sub/"),
        ("//evil.example", "/evil.example/"),
        ("///evil.example", "/evil.example/"),
        ("/./evil.example", "/evil.example/"),
        ("/a%20b", "/a%20b/"),
        ("/sub?x=1&y=//evil.example", "/sub/?x=1&y=//evil.example"),
        ("/sub?", "/sub/?"),
    ];
    for (path, location) in rows {
        let response = server.connect().ask(get(path));
        assert_eq!((response.status, response.header("location")), (301, Some(location)), "{path}");
    }
}

/// More than any socket buffers: it leaves in pieces, as the client takes them.
#[test]
fn a_large_file_comes_whole_to_fast_and_slow() {
    let content: Vec<u8> = (0_u32..).flat_map(u32::to_le_bytes).take(3 << 20).collect();
    let www = folder(&[("large.bin", &content)]);
    let server = serve(www.path());
    let mut slow = server.connect();
    slow.send(get("/large.bin").repeat(2));
    let slow_head = slow.response_head();
    assert_eq!(slow_head.header("content-length"), Some(&*content.len().to_string()));

    let mut fast = server.connect();
    for _ in 0..3 {
        assert!(fast.ask(get("/large.bin")).body == content, "the file comes whole to who reads");
    }

    // An odd size, so that the pieces fall differently from those of the server.
    let taken: Vec<_> = content.chunks(7_001).flat_map(|piece| slow.take(piece.len())).collect();
    assert!(taken == content, "the file comes whole to who reads late");
    assert!(slow.response().body == content, "and so does what was asked for behind it");
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let outer = folder(&[("www/index.html", b""), ("www/sub/a.txt", b""), ("secret.txt", b"secret")]);
    let server = serve(&outer.path().join("www"));
    let paths = [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/sub/../index.html",
        "/%2e%2e/secret.txt",
        "/.%2E/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/sub%2f..%2f..%2fsecret.txt",
        "/%252e%252e/secret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/....//secret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/secret.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/index.html%00.txt",
        "http://localhost/../secret.txt",
    ];
    for path in paths {
        let response = server.connect().ask(get(path));
        assert_eq!(response.status, 404, "{path}");
        assert!(!response.body.windows(6).any(|window| window == b"secret"), "{path}");
    }
}

#[test]
fn what_is_hidden_is_not_served() {
    let www = folder(&[(".env", b""), (".git/config", b""), ("sub/.htpasswd", b""), ("sub/index.html", b"")]);
    let server = serve(www.path());
    for path in ["/.env", "/.git/config", "/.git/", "/.git", "/sub/.htpasswd", "/%2eenv"] {
        assert_eq!(server.connect().ask(get(path)).status, 404, "{path}");
    }
}

#[cfg(unix)]
#[test]
fn links_lead_within_the_folder_and_not_out_of_it() {
    use std::os::unix::fs::symlink;
    let outer = folder(&[("www/sub/a.txt", b"inside"), ("outside/index.html", b"secret")]);
    let (www, outside) = (outer.path().join("www"), outer.path().join("outside"));
    let links = [
        ("file.txt", www.join("sub/a.txt")),
        ("relative.txt", "sub/a.txt".into()),
        ("folder", "sub".into()),
        ("out.html", outside.join("index.html")),
        ("out-relative.html", "../outside/index.html".into()),
        ("out", outside),
        ("broken", "nowhere".into()),
        ("loop", "loop".into()),
    ];
    for (name, target) in &links {
        symlink(target, www.join(name)).expect("a link can be made");
    }
    let server = serve(&www);
    for path in ["/file.txt", "/relative.txt", "/folder/a.txt"] {
        let response = server.connect().ask(get(path));
        assert_eq!((response.status, &*response.body), (200, &b"inside"[..]), "{path}");
    }
    for path in ["/out.html", "/out-relative.html", "/out/", "/out", "/out/index.html", "/broken", "/loop"] {
        let response = server.connect().ask(get(path));
        assert_eq!(response.status, 404, "{path}");
        assert!(!response.body.windows(6).any(|window| window == b"secret"), "{path}");
    }
}

/// Opening a FIFO waits for somebody to write into it, and with the server would wait everybody.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_404_at_once() {
    use std::os::unix::net::UnixListener;
    use std::process::Command;
    let www = folder(&[("index.html", b"<p>home")]);
    let fifo = www.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("there is a mkfifo").success());
    let _socket = UnixListener::bind(www.path().join("socket")).expect("a socket can be made");
    std::os::unix::fs::symlink("fifo", www.path().join("link")).expect("a link can be made");
    let server = serve(www.path());
    let mut peer = server.connect();
    for path in ["/fifo", "/fifo/", "/link", "/socket"] {
        assert_eq!(peer.ask(get(path)).status, 404, "{path}");
    }
    server.assert_serves();
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_not_served() {
    use std::os::unix::fs::PermissionsExt;
    let www = folder(&[("index.html", b""), ("locked.txt", b"locked")]);
    let locked = www.path().join("locked.txt");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("it is our file");
    if fs::read(&locked).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    let status = serve(www.path()).connect().ask(get("/locked.txt")).status;
    assert!([403, 404].contains(&status), "{status}");
}

/// Who edits a page reloads it and sees what was written, also when the length and the second are the same.
#[test]
fn an_edited_file_shows_at_once() {
    let www = folder(&[("index.html", b"")]);
    let server = serve(www.path());
    let mut peer = server.connect();
    for content in ["one", "two", "longer than that", "", "two"] {
        fs::write(www.path().join("index.html"), content).expect("it is our file");
        assert_eq!(String::from_utf8_lossy(&peer.ask(get("/")).body), content);
    }
    fs::remove_file(www.path().join("index.html")).expect("it is our file");
    assert_eq!(peer.ask(get("/")).status, 404);
    fs::create_dir(www.path().join("new")).expect("it is our folder");
    fs::write(www.path().join("new/page.html"), "new").expect("it is our folder");
    assert_eq!(peer.ask(get("/new/page.html")).body, b"new");
}

/// A download costs a piece, not the file.
#[cfg(target_os = "linux")]
#[test]
fn a_download_takes_no_memory() {
    const BYTES: u64 = 200 << 20;
    let www = folder(&[("index.html", b"<p>home")]);
    let file = fs::File::create(www.path().join("huge.bin")).expect("a file can be made");
    file.set_len(BYTES).expect("it may have holes");
    let server = serve(www.path());
    server.assert_serves();
    let before = server.peak_bytes();
    let mut peers: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for peer in &mut peers {
        peer.send(get("/huge.bin"));
        assert_eq!(peer.response_head().header("content-length"), Some(&*BYTES.to_string()));
    }
    let (reader, others) = peers.split_first_mut().expect("there are ten");
    for _ in 0..20 {
        assert!(reader.take(1 << 20).iter().all(|&byte| byte == 0), "what was asked for");
    }
    others.iter_mut().for_each(|peer| drop(peer.take(1)));
    let more = server.peak_growth(before);
    assert!(more < 16 << 20, "ten downloads took {more} bytes");
    drop(peers);
    server.assert_serves();
}

/// A folder with so many large files, all holes.
#[cfg(target_os = "linux")]
pub(crate) fn large_files(files: usize) -> TempDir {
    let www = folder(&[]);
    for number in 0..files {
        let file =
            fs::File::create(www.path().join(format!("huge-{number}.bin"))).expect("a file can be made");
        file.set_len(100 << 20).expect("it may have holes");
    }
    www
}

/// Each file that waits for its client is open; there is a limit, and past it a status.
#[cfg(target_os = "linux")]
#[test]
fn downloads_past_the_limit_are_told_to_come_again() {
    let www = large_files(200);
    let server = serve(www.path());
    let mut witness = server.websocket("/");
    let before = server.descriptors();
    let mut peers: Vec<_> = (0..200).map(|_| server.connect()).collect();
    let statuses: Vec<_> = peers
        .iter_mut()
        .enumerate()
        .map(|(number, peer)| {
            peer.send(get(&format!("/huge-{number}.bin")));
            peer.response_head().status
        })
        .collect();
    assert_eq!(statuses[..32], [200; 32]);
    assert!(statuses.ends_with(&[503; 8]), "{statuses:?}");
    drop(peers);
    until("their files are closed", || server.descriptors() == before);
    let mut peer = server.connect();
    peer.send(get("/huge-199.bin"));
    assert_eq!(peer.response_head().status, 200);
    witness.send(Frame::text("and meanwhile").masked());
    assert_eq!(witness.frame(), Frame::text("and meanwhile"));
}

/// One descriptor for all who take the same file, each at another place of it; closed when the last is done.
#[cfg(target_os = "linux")]
#[test]
fn a_file_is_open_once_for_all_who_take_it() {
    let www = large_files(1);
    let server = serve(www.path());
    let before = server.descriptors_at_start();
    let mut peers: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for peer in &mut peers {
        peer.send(get("/huge-0.bin"));
        assert_eq!(peer.response_head().status, 200);
    }
    assert_eq!(server.descriptors(), before + peers.len() + 1);
    peers.truncate(1);
    until("they are gone", || server.descriptors() == before + 2);
    assert_eq!(peers[0].take(10 << 20).len(), 10 << 20, "the last one still gets it");
    drop(peers);
    until("it is closed", || server.descriptors() == before);
}

/// What was promised cannot be sent: the connection ends, so that nobody takes half for the whole.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_shrinks_while_it_is_sent_ends_the_connection() {
    let www = folder(&[("index.html", b"<p>home")]);
    let file = fs::File::create(www.path().join("huge.bin")).expect("a file can be made");
    file.set_len(100 << 20).expect("it may have holes");
    let server = serve(www.path());
    let mut peer = server.connect();
    peer.send(get("/huge.bin"));
    assert_eq!(peer.response_head().status, 200);
    file.set_len(1 << 20).expect("it is our file");
    assert!(peer.ends(), "it is not kept waiting for what is not there");
    server.assert_serves();
}
