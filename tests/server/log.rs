//! The log of a server whose operator does not look: nobody waits for it, and nothing ends with it.

use crate::peer::{Frame, handshake};
use crate::pipe::Pipe;
use crate::program::{port_in, program};
use crate::support::{DEADLINE, Server, connect, until};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStderr, Command, Stdio};

/// A server whose log is read as far as its port, and no further.
struct Unread {
    child: Child,
    log: Option<ChildStderr>,
    address: SocketAddr,
}

impl Unread {
    fn start(options: &[&str]) -> Self {
        let mut command = program();
        command.args(["--port", "0"]).args(options).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut log = child.stderr.take().expect("it is piped");
        let mut text = String::new();
        let mut byte = [0];
        let port = loop {
            assert_eq!(log.read(&mut byte).expect("it can be read"), 1, "it ends: {text}");
            text.push(char::from(byte[0]));
            if let Some(port) = port_in(&text).filter(|_| text.ends_with('\n')) {
                break port;
            }
        };
        Self { child, log: Some(log), address: (Ipv4Addr::LOCALHOST, port).into() }
    }

    fn peer(&self) -> crate::peer::Peer {
        crate::peer::Peer::new(connect(self.address))
    }

    /// A page, a handshake and a broadcast.
    #[track_caller]
    fn assert_serves(&self) {
        assert_eq!(self.peer().ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
        let mut peers = [self.peer(), self.peer()];
        peers.iter_mut().for_each(|peer| peer.open("/"));
        peers[0].send(Frame::text("still there").masked());
        peers.iter_mut().for_each(|peer| assert_eq!(peer.frame(), Frame::text("still there")));
    }

    /// Makes it say lines of some 2,000 bytes.
    fn make_it_talk(&self, lines: usize) {
        for number in 0..lines {
            let mut peer = self.peer();
            let path = format!("/{number}?{}", "x".repeat(2000));
            assert_eq!(peer.ask(handshake(&path, "")).status, 101);
        }
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_full_pipe_blocks_nobody_and_what_it_did_not_take_is_counted() {
    let mut server = Unread::start(&["-vv"]);
    server.make_it_talk(100); // three times what a pipe holds
    server.assert_serves();
    let log = Pipe::collect(server.log.take().expect("it was not read"));
    until("the log says what it lost", || {
        server.make_it_talk(1);
        log.text().contains("lines were lost")
    });
    let _ = server.child.kill();
    until("the log ends", || log.is_complete());
    let log = log.text();
    let lost = log.lines().find_map(|line| {
        let (before, _) = line.split_once(" lines were lost")?;
        before.rsplit(' ').next()?.parse::<usize>().ok()
    });
    assert!(lost.is_some_and(|lost| lost > 50), "{lost:?} lost of {}", log.lines().count());
    let is_whole = |line: &str| line.starts_with("20") && line.contains("Z ");
    assert!(log.lines().all(is_whole), "each line is whole");
}

#[cfg(unix)]
#[test]
fn a_log_whose_reader_is_gone_ends_nothing() {
    let mut server = Unread::start(&["-vv"]);
    drop(server.log.take());
    server.make_it_talk(10);
    server.assert_serves();
    let kill = format!("kill -TERM {}", server.child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("there is a shell").success());
    let mut code = None;
    until("it ends", || {
        code = server.child.try_wait().expect("it is our child");
        code.is_some()
    });
    assert_eq!(code.and_then(|status| status.code()), Some(0));
}

/// Its port is found where the system says it: it has nowhere to tell.
#[cfg(target_os = "linux")]
#[test]
fn without_standard_error_it_serves() {
    let mut command = crate::program::clean(Command::new("sh"));
    command.args([
        "-c",
        "exec \"$0\" \"$@\" 2>&-",
        env!("CARGO_BIN_EXE_fanfare"),
        "--listen",
        "127.0.0.1:0",
        "-vv",
    ]);
    let child = command.stdout(Stdio::null()).spawn().expect("there is a shell");
    let mut server = Unread { child, log: None, address: (Ipv4Addr::LOCALHOST, 0).into() };
    until("it listens", || {
        let port = listening_port(server.child.id());
        server.address.set_port(port.unwrap_or(0));
        port.is_some()
    });
    server.make_it_talk(3);
    server.assert_serves();
}

/// The port that a process listens on: of its descriptors, the socket that is in the table of those that listen.
#[cfg(target_os = "linux")]
fn listening_port(pid: u32) -> Option<u16> {
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let own: Vec<String> = descriptors
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_own = fields.get(3) == Some(&"0A") && own.iter().any(|inode| Some(&&**inode) == fields.get(9));
        let (_, port) = fields.get(1)?.split_once(':')?;
        u16::from_str_radix(port, 16).ok().filter(|_| is_own)
    })
}

#[cfg(unix)]
#[test]
fn sigpipe_ends_nothing() {
    let server = Server::start(&[]);
    server.signal("PIPE");
    server.assert_serves();
}

#[cfg(unix)]
mod reload {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn page(server: &Server) -> String {
        let page = server.connect().ask("GET /page.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
        String::from_utf8_lossy(&page.body).into_owned()
    }

    /// What a deploy does: the link leads to the new folder from one moment to the next.
    fn switch(link: &Path, target: &Path) {
        let fresh = link.with_extension("fresh");
        symlink(target, &fresh).expect("a link can be made");
        fs::rename(fresh, link).expect("it takes the place of the other");
    }

    #[test]
    fn with_the_pages_in_the_binary_there_is_nothing_to_do() {
        let server = Server::start(&[]);
        server.signal("HUP");
        server.wait_for_log("nothing to read again");
        server.assert_serves();
    }

    #[test]
    fn a_folder_behind_a_link_is_looked_up_again() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let [old, new, link] = ["old", "new", "link"].map(|name| folder.path().join(name));
        for (version, text) in [(&old, "the old page"), (&new, "the new page")] {
            fs::create_dir(version).expect("a folder can be made");
            fs::write(version.join("page.txt"), text).expect("a file can be written");
        }
        symlink(&old, &link).expect("a link can be made");
        let server = Server::start(&["--www", link.to_str().expect("a name in UTF-8")]);
        assert_eq!(page(&server), "the old page");
        switch(&link, &new);
        assert_eq!(page(&server), "the old page", "until it is told");
        server.signal("HUP");
        server.wait_for_log("asked to reload: the pages are those in");
        assert_eq!(page(&server), "the new page");
        switch(&link, &folder.path().join("missing"));
        server.signal("HUP");
        server.wait_for_log("the pages stay as they were");
        assert_eq!(page(&server), "the new page");
    }

    #[test]
    fn it_does_not_count_as_a_wish_to_stop() {
        let mut server = Server::start(&["--drain", "1m"]);
        let mut peer = server.websocket("/");
        server.signal("HUP");
        server.wait_for_log("nothing to read again");
        server.signal("TERM");
        assert_eq!(peer.frame(), Frame::close(1001, ""));
        server.signal("HUP");
        peer.send(Frame::close(1001, "").masked());
        peer.expect_end();
        drop(peer);
        assert_eq!(server.exit_code(DEADLINE), Some(0), "a second signal to stop would be no drain");
    }
}
