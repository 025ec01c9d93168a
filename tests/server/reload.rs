//! SIGHUP reads again what can be read again, and SIGPIPE means nothing.

use crate::peer::Frame;
use crate::support::{DEADLINE, Server};
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

#[test]
fn sigpipe_ends_nothing() {
    let server = Server::start(&[]);
    server.signal("PIPE");
    server.assert_serves();
}
