//! Rules about the source that a compiler does not hold: imports go down only, nothing below the sans-IO line
//! knows a socket, a file or a clock, files stay short and say what they are for, and the tests that
//! docs/CONFORMANCE.md names are there.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the house, from the roof to the ground. A room may import what stands below it.
const ROOMS: [&str; 79] = [
    // The program.
    "main",
    "cli",
    "bench",
    "bench::run",
    "bench::progress",
    "bench::report",
    "bench::sources",
    "bench::transport",
    "bench::tls",
    "bench::sockets",
    "bench::machine",
    "bench::timer",
    "bench::error",
    // ---- its own sans-IO line.
    "bench::tally",
    "bench::probe",
    "bench::flights",
    "bench::ledger",
    "bench::figures",
    "bench::schedule",
    "bench::mirror",
    "bench::reader",
    "bench::judge",
    "bench::stamp",
    "bench::handshake",
    "bench::cause",
    "bench::summary",
    "bench::plan",
    "bench::target",
    "bench::limits",
    "escape",
    // The library.
    "lib",
    // Input and output.
    "server",
    "handler",
    "files",
    "tls",
    "transport",
    "signals",
    // ---- the sans-IO line: broadcasting.
    "connection",
    "channel",
    "outbox",
    "format",
    "trace",
    // Protocols.
    "websocket",
    "websocket::decoder",
    "websocket::legacy",
    "websocket::handshake",
    "websocket::message",
    "websocket::codec",
    "websocket::deflate",
    "websocket::extension",
    "websocket::close",
    "websocket::frame",
    "websocket::mask",
    "websocket::utf8",
    "websocket::violation",
    "http",
    "http::route",
    "http::stats",
    "http::listing",
    "http::representation",
    "http::conditional",
    "http::coding",
    "http::range",
    "http::html",
    "http::origin",
    "http::path",
    "http::content_type",
    "http::request",
    "http::target",
    "http::body",
    "http::headers",
    "http::refusal",
    "http::response",
    // Ground.
    "backlog",
    "budget",
    "metrics",
    "config",
    "limits",
    "ground",
];

/// Rooms of the ground that know nothing but themselves.
const GROUND: [&str; 3] = ["deadline", "error", "message"];

/// The first room below the line.
const BELOW_THE_LINE: &str = "connection";

/// The first room of the load generator that is as pure, and the last.
const BELOW_ITS_OWN: [&str; 2] = ["bench::tally", "bench::limits"];

/// What a pure room may not name: sockets, files, clocks, threads, the environment, the log.
const IMPURE: [&str; 21] = [
    "mio",
    "socket2",
    "rlimit",
    "signal_hook",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "fs",
    "Instant",
    "SystemTime",
    "thread",
    "env",
    "stdin",
    "stdout",
    "stderr",
    "println",
    "eprintln",
    "log::",
];

/// Lines of one file; past this it is two rooms.
const LINES_MAX: usize = 500;

struct Source {
    path: PathBuf,
    /// `websocket::frame` for `src/websocket/frame.rs`.
    room: String,
    text: String,
}

impl Source {
    /// Lines that are code, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn is_pure(&self) -> bool {
        let [first, last] = BELOW_ITS_OWN.map(rank);
        let own = rank(&self.room);
        own >= rank(BELOW_THE_LINE) || (first..=last).contains(&own)
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    assert!(sources.len() > 20, "the source is where it was");
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            collect(root, &path, sources);
            continue;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => {}
            Some("css") => continue, // of the report, compiled in
            Some(_) | None => panic!("{}: nothing but source belongs here", path.display()),
        }
        let relative = path.strip_prefix(root).expect("below src").with_extension("");
        let segments: Vec<_> = relative.iter().map(|segment| segment.to_string_lossy()).collect();
        let room = segments.join("::").trim_end_matches("::mod").to_owned();
        let text = fs::read_to_string(&path).expect("source is UTF-8");
        sources.push(Source { path, room, text });
    }
}

/// Where a room stands, the ground highest. What is inside a room without ranks of its own has the room's.
fn rank(room: &str) -> usize {
    let mut name = room;
    loop {
        if GROUND.contains(&name) {
            return ROOMS.len() - 1;
        }
        if let Some(rank) = ROOMS.iter().position(|known| *known == name) {
            return rank;
        }
        let Some((outer, _)) = name.rsplit_once("::") else {
            panic!("{room} has no place in ROOMS: give it one, in tests/tidy.rs and docs/ARCHITECTURE.md");
        };
        name = outer;
    }
}

/// The rooms that a line of code names, by `crate::` or, inside a folder, by `super::`.
fn imports(source: &Source, line: &str) -> Vec<String> {
    let outer = source.room.rsplit_once("::").map_or("", |(outer, _)| outer);
    let mut found = Vec::new();
    for (marker, prefix) in [("crate::", ""), ("super::", outer)] {
        for (at, _) in line.match_indices(marker) {
            let rest = &line[at + marker.len()..];
            let path: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
            let modules: Vec<_> = path
                .split("::")
                .take_while(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
                .collect();
            let room = [&[prefix][..], &modules].concat().join("::");
            let room = room.trim_start_matches("::").trim_end_matches("::");
            // `crate::{…}` would hide its rooms from this test.
            assert!(
                !rest.starts_with('{') || marker == "super::",
                "{}: name each room",
                source.path.display()
            );
            if !room.is_empty() && !modules.is_empty() {
                found.push(known_part(room));
            }
        }
    }
    found
}

/// The longest beginning of a path that is a room: what follows are functions and modules inside it.
fn known_part(path: &str) -> String {
    let mut name = path;
    while !ROOMS.contains(&name) && !GROUND.contains(&name) {
        match name.rsplit_once("::") {
            Some((outer, _)) => name = outer,
            None => break,
        }
    }
    name.to_owned()
}

/// Whether a line has a word as a whole name.
fn names(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(is_part);
        let after = line[at + word.len()..].chars().next().is_some_and(is_part);
        !before && (!after || word.ends_with(':'))
    })
}

#[test]
fn imports_go_down_only() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.room != "lib") {
        for (number, line) in source.code() {
            for import in imports(source, line) {
                let own = known_part(&source.room);
                let is_within = import == own || own.starts_with(&format!("{import}::"));
                if !is_within && rank(&import) <= rank(&own) {
                    wrong.push(format!("{}:{number}: {own} imports {import}", source.path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that go up:\n{}", wrong.join("\n"));
}

#[test]
fn nothing_below_the_line_knows_a_socket_a_file_or_a_clock() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.is_pure()) {
        for (number, line) in source.code() {
            for word in IMPURE.iter().filter(|word| names(line, word)) {
                wrong.push(format!("{}:{number}: {word}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "named below the sans-IO line:\n{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines: is this one room or two?", source.path.display());
        assert!(source.text.starts_with("//!"), "{}: opens with its job", source.path.display());
    }
}

#[test]
fn the_rules_see_what_they_are_for() {
    let source = |room: &str| Source { path: PathBuf::new(), room: room.to_owned(), text: String::new() };
    let frame = source("websocket::frame");
    assert_eq!(imports(&frame, "use super::message::Decoder;"), ["websocket::message"]);
    assert_eq!(imports(&frame, "use crate::server::Server;"), ["server"]);
    assert!(rank("server") < rank("websocket::frame"), "an import of the server would go up");
    assert!(rank("websocket::message") < rank("websocket::frame"), "one of messages as well");
    assert!(names("use std::{fs, io};", "fs") && names("log::log!(x)", "log::"));
    assert!(!names("backlog::Seat", "log::") && !names("offs", "fs"));
    assert!(source("http::request").is_pure() && !source("files").is_pure());
    assert!(source("bench::stamp").is_pure() && !source("bench::run").is_pure() && !source("cli").is_pure());
}

/// Whether a path such as `http::body::tests::framing` or `server::closing::an_empty_close_is_answered` names a
/// function. A module within a file, such as `tests`, may be a file of its own.
fn is_test(path: &str) -> bool {
    let Some((module, name)) = path.rsplit_once("::") else { return false };
    let is_outside = module.starts_with("server::") || module == "library";
    let mut file = Path::new(env!("CARGO_MANIFEST_DIR")).join(if is_outside { "tests" } else { "src" });
    file.extend(module.split("::"));
    let text = file.ancestors().find_map(|file| fs::read_to_string(file.with_extension("rs")).ok());
    let is_marked = |text: String| {
        let before = text.split_once(&format!("fn {name}(")).map(|(before, _)| before.to_owned());
        before.is_some_and(|before| before.trim_end().ends_with("#[test]"))
    };
    text.is_some_and(is_marked)
}

/// Whether a name such as `corpus frames` is that of a fuzz target, or one such as `autobahn 5.*` that of cases.
fn is_outside(name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = || fs::read_to_string(root.join("tests/autobahn/expected.txt")).expect("the table is there");
    match name.split_once(' ') {
        Some(("corpus", target)) => {
            root.join("fuzz/fuzz_targets").join(target).with_extension("rs").is_file()
        }
        Some(("autobahn", cases)) => match cases.strip_suffix('*') {
            Some(start) => table().lines().any(|line| line.starts_with(start)),
            None => table().lines().any(|line| line.split_whitespace().next() == Some(cases)),
        },
        Some(("clients", "…")) => true,
        Some(_) | None => false,
    }
}

/// Each row is held by tests that are there, or says why it is not.
#[test]
fn the_tests_that_conformance_names_are_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFORMANCE.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let is_row = |line: &&str| line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit());
    let rows: Vec<_> = page.lines().filter(is_row).collect();
    assert!(rows.len() > 150, "the tables are where they were");
    let mut wrong = Vec::new();
    for row in rows {
        let cells: Vec<_> = row.split('|').collect();
        assert_eq!(cells.len(), 5, "three columns: {row}");
        let held_by = cells[3].trim();
        let is_name = |name: &&str| {
            let outside = ["corpus ", "autobahn ", "clients "];
            name.contains("::") || outside.iter().any(|start| name.starts_with(start))
        };
        let tests: Vec<_> = held_by.split('`').skip(1).step_by(2).filter(is_name).collect();
        let is_there = |name: &&&str| is_test(name) || is_outside(name);
        wrong.extend(tests.iter().filter(|name| !is_there(name)).map(|name| format!("no such test: {name}")));
        if tests.is_empty() && !held_by.starts_with('—') && !held_by.starts_with("**not held**") {
            wrong.push(format!("held by nothing: {row}"));
        }
    }
    assert!(wrong.is_empty(), "docs/CONFORMANCE.md:\n{}", wrong.join("\n"));
    assert!(is_test("library::a_handler_hears_and_answers") && !is_test("library::a_handler_hears"));
    assert!(!is_test("server::pages::get"), "a function that is no test");
    assert!(is_outside("autobahn 5.18") && !is_outside("autobahn 8.*") && !is_outside("corpus nothing"));
    assert!(!is_test("websocket::frame::tests::misspelt") && !is_test("nowhere::tests::framing"));
}
