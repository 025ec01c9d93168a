//! A real folder, and a clock the test turns: what is read when, and what is kept.

use super::*;
use crate::budget::Budget;
use crate::config::Config;
use crate::deadline::{Now, Tick};
use crate::http::coding::{Accepted, Coding};
use crate::http::conditional::Conditions;
use crate::http::path::CleanPath;
use crate::http::request::Asked;
use crate::http::response::Persistence;
use crate::limits::{FILE_PIECE_BYTES, FILE_SETTLES, FILES_OPEN_MAX};
use crate::websocket::codec::Codec;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

struct Folder {
    folder: TempDir,
    files: Files,
    config: Config,
    budget: Budget,
    /// Since the server started; what is written is that and `FILE_SETTLES` older.
    elapsed: Duration,
}

impl Folder {
    fn new() -> Self {
        Self::with_buffers(Config::default().limits.buffers_bytes_max)
    }

    fn with_buffers(buffers: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let pages = Pages::Folder(folder.path().to_owned());
        let files = Files::new(&pages, Listing::Never, buffers).expect("it is a folder");
        let (config, budget) = (Config::default(), Budget::new(buffers));
        Self { folder, files, config, budget, elapsed: FILE_SETTLES * 2 }
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.folder.path().join(name), content).expect("a file can be written");
    }

    fn find(&mut self, path: &str) -> Result<Found, Refusal> {
        self.find_as(path, Accepted::IDENTITY)
    }

    fn find_as(&mut self, path: &str, accepted: Accepted) -> Result<Found, Refusal> {
        let request = PageRequest {
            asked: Asked::new("GET", path),
            path: CleanPath::parse(path),
            content: Wanted::Sent,
            accepted,
            conditions: Conditions::default(),
            persistence: Persistence::KeepAlive,
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later");
        let now = Now { tick: Tick::at(self.elapsed), unix_seconds: now.as_secs() + self.elapsed.as_secs() };
        let turn =
            Turn { config: &self.config, budget: &self.budget, codec: &Codec::default(), now, head: 0 };
        self.files.find(&request, &turn)
    }

    fn text(&mut self, path: &str) -> String {
        text(&self.find(path).unwrap_or_else(|refusal| panic!("{path}: {refusal:?}")))
    }

    fn representation(&mut self, path: &str) -> Rc<Representation> {
        match self.find(path) {
            Ok(Found::Page { representation, .. }) => representation,
            other => panic!("{path} is no page: {other:?}"),
        }
    }
}

fn text(found: &Found) -> String {
    let Found::Page { body: Some(body), .. } = found else { panic!("not a page with a body: {found:?}") };
    let bytes = match body {
        Body::Bytes(bytes) => bytes,
        Body::Static(bytes) => *bytes,
        Body::Shared(shared, range) => &shared.bytes()[range.clone()],
        Body::File(range) => panic!("it is sent from a file: {range:?}"),
    };
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn file(found: Result<Found, Refusal>) -> FileId {
    match found {
        Ok(Found::Page { body: Some(Body::File(range)), .. }) => range.file,
        other => panic!("not sent from a file: {other:?}"),
    }
}

#[test]
fn a_file_is_read_once_while_nobody_changes_it() {
    let mut folder = Folder::new();
    folder.write("a", b"one");
    let first = folder.representation("/a");
    for _ in 0..3 {
        assert!(Rc::ptr_eq(&folder.representation("/a"), &first), "it was not read again");
        folder.elapsed += CACHE_LOOK_INTERVAL * 2; // it was looked at again
    }
    folder.write("a", b"two");
    assert_eq!(folder.text("/a"), "two");
    // Within the second it is not looked at, and after that it is.
    folder.write("a", b"six");
    assert_eq!(folder.text("/a"), "two");
    folder.elapsed += CACHE_LOOK_INTERVAL * 2;
    assert_eq!(folder.text("/a"), "six");
    fs::remove_file(folder.folder.path().join("a")).expect("it is ours");
    folder.elapsed += CACHE_LOOK_INTERVAL * 2;
    assert_eq!(folder.find("/a").map(|_| ()), Err(NOT_FOUND));
}

/// Twice within what the file system tells apart: the times are the same, and the length.
#[test]
fn a_file_that_was_just_changed_is_read_each_time() {
    let mut folder = Folder::new();
    folder.elapsed = Duration::ZERO;
    for content in ["one", "two", "six"].repeat(20) {
        folder.write("a", content.as_bytes());
        assert_eq!(folder.text("/a"), content);
    }
}

#[test]
fn the_entity_tag_is_of_the_content() {
    let mut folder = Folder::new();
    folder.write("a", b"one");
    let first = folder.representation("/a").validators().etag.to_owned();
    folder.elapsed += CACHE_LOOK_INTERVAL * 2;
    folder.write("a", b"two");
    let second = folder.representation("/a").validators().etag.to_owned();
    folder.elapsed += CACHE_LOOK_INTERVAL * 2;
    folder.write("a", b"one");
    assert_eq!(folder.representation("/a").validators().etag, first, "what it was before");
    assert_ne!(first, second);
    assert!(first.starts_with('"') && first.ends_with('"') && first.is_ascii(), "{first}");
}

#[test]
fn a_large_file_has_a_tag_of_its_state_and_one_descriptor() {
    let mut folder = Folder::new();
    let content = vec![b'x'; FILE_PIECE_BYTES + 1];
    folder.write("a", &content);
    let tag = folder.representation("/a").validators().etag.to_owned();
    let first = file(folder.find("/a"));
    assert_eq!(file(folder.find("/a")), first, "the same descriptor");
    // It is not looked at again yet, but nobody gets new bytes by the old tag.
    folder.write("a", &content);
    match folder.find("/a") {
        Ok(Found::Page { representation, .. }) => assert_ne!(representation.validators().etag, tag),
        other => panic!("no page: {other:?}"),
    }
}

#[test]
fn files_that_are_sent_have_a_limit_and_are_given_back() {
    let mut folder = Folder::new();
    let names: Vec<_> = (0..=FILES_OPEN_MAX).map(|number| format!("/{number}")).collect();
    names.iter().for_each(|name| folder.write(&name[1..], &vec![b'x'; FILE_PIECE_BYTES + 1]));
    let (last, others) = names.split_last().expect("there are some");
    let ids: Vec<_> = others.iter().map(|name| file(folder.find(name))).collect();
    assert_eq!(folder.find(last).map(|_| ()), Err(TOO_MANY_FILES));
    assert_eq!(file(folder.find(&names[0])), ids[0], "it is open already");
    folder.files.close(ids[0]);
    assert!(folder.files.sending(ids[0]).is_some(), "one still has it");
    folder.files.close(ids[0]);
    assert!(folder.files.sending(ids[0]).is_none());
    file(folder.find(last));
}

/// A log that grows: each who asks finds it in another state.
#[test]
fn a_file_that_is_written_to_is_open_once() {
    let mut folder = Folder::new();
    let ids: Vec<_> = (1..2 * FILES_OPEN_MAX)
        .map(|more| {
            folder.write("a", &vec![b'x'; FILE_PIECE_BYTES + more]);
            file(folder.find("/a"))
        })
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    folder.write("b", &vec![b'x'; FILE_PIECE_BYTES + 1]);
    assert_ne!(file(folder.find("/b")), ids[0], "there is room for another");
}

/// What was done is told once, so that it counts in the turn.
#[test]
fn effort_is_told() {
    let mut folder = Folder::new();
    folder.write("a", &[b'x'; 3000]);
    folder.text("/a");
    assert_eq!(folder.files.take_effort(), READ_COST_OF_LOOK + 3000);
    folder.text("/a");
    assert_eq!(folder.files.take_effort(), 0, "it is in memory");
    folder.elapsed += CACHE_LOOK_INTERVAL * 2;
    folder.text("/a");
    assert_eq!(folder.files.take_effort(), READ_COST_OF_LOOK, "looked at and not read");
}

/// Somebody edits a page and forgets what was made of it.
#[test]
fn what_is_coded_is_taken_while_it_is_as_new_as_the_page() {
    use std::fs::FileTimes;
    let mut folder = Folder::new();
    folder.write("a.js", b"plain");
    folder.write("a.js.gz", b"gzip");
    folder.write("a.js.br", b"brotli");
    let accepted = |codings: &[Coding]| {
        let names: Vec<_> = codings.iter().filter_map(|coding| coding.name()).collect();
        let names = names.join(",");
        let header = crate::http::headers::Header { name: "accept-encoding", value: names.as_bytes() };
        Accepted::parse(&[header].into_iter().collect())
    };
    let both = accepted(&[Coding::Gzip, Coding::Brotli]);
    let get = |folder: &mut Folder, accepted| text(&folder.find_as("/a.js", accepted).expect("it is there"));
    assert_eq!(get(&mut folder, both), "brotli");
    assert_eq!(get(&mut folder, accepted(&[Coding::Gzip])), "gzip");
    assert_eq!(get(&mut folder, accepted(&[Coding::Zstandard])), "plain");

    let page =
        fs::File::options().write(true).open(folder.folder.path().join("a.js.br")).expect("it is ours");
    let before = std::time::SystemTime::now() - FILE_SETTLES * 3;
    page.set_times(FileTimes::new().set_modified(before)).expect("it is ours");
    folder.elapsed += CACHE_LOOK_INTERVAL * 2;
    assert_eq!(get(&mut folder, both), "gzip", "the other one is too old");
}

/// When memory is used up, a page comes from its file, and nothing is kept; its tag is the same.
#[test]
fn without_memory_a_page_comes_from_its_file() {
    let (mut rich, mut poor) = (Folder::new(), Folder::with_buffers(0));
    rich.write("a", b"one");
    poor.write("a", b"one");
    let tag = rich.representation("/a").validators().etag.to_owned();
    assert_eq!(poor.representation("/a").validators().etag, tag);
    let id = file(poor.find("/a"));
    assert!(poor.files.sending(id).is_some() && poor.budget.lent() == 0);
    poor.files.close(id);
    poor.write("empty", b"");
    assert_eq!(poor.text("/empty"), "", "no file is open for nothing");
    poor.budget = Budget::new(1 << 20);
    assert_eq!(poor.text("/a"), "one", "there is memory again, and nothing was kept that says otherwise");
}

#[test]
fn what_is_kept_is_of_the_budget_and_given_back() {
    let mut folder = Folder::new();
    folder.write("a", &[b'x'; 3000]);
    folder.text("/a");
    assert!((3000..3100).contains(&folder.budget.lent()), "{}", folder.budget.lent());
    let owed = folder.find("/a").expect("it is there");
    folder.files.forget();
    assert!(folder.budget.lent() >= 3000, "somebody still gets it");
    drop(owed);
    assert_eq!(folder.budget.lent(), 0);
}
