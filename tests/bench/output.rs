//! How results are told: the JSON to the letter, the table, the page, the comparison, and the end on a signal.

use crate::outside::program::{clean, comes_true, program};
use crate::peer::{Fault, Peer, Role};
use crate::run::{DEADLINE, Outcome, Running, bench, bench_command};
use std::fs;
use std::process::Command;
use std::time::Duration;

/// The keys of `--json` in the order that is promised; those of a group are behind it.
const KEYS: &str = "url scenario seconds connections asked opened failed lost per_second causes \
    messages sent per_second deliveries expected received lost duplicated reordered corrupt per_second \
    reach latency_ms p50 p90 p99 p99_9 max spread_ms p50 p99 max bytes sent received \
    generator cpu_share bottleneck server cpu_seconds rss_bytes rss_per_connection";

/// Runs without `--json`.
#[track_caller]
fn table(url: &str, options: &[&str]) -> Outcome {
    let mut command = program();
    command.args(["bench", url, "--ramp", "0ms", "-c", "3", "-r", "50", "-d", "200ms"]).args(options);
    Running::start(command).finish()
}

/// The first of the promised keys that does not stand in a text behind those before it. More may stand between
/// groups and at the end of each: who reads the promised ones by name or by place finds them.
fn missing(text: &str) -> Option<&str> {
    let mut rest = text;
    KEYS.split_whitespace().find(|key| match rest.split_once(&format!("\"{key}\":")) {
        Some((_, behind)) => {
            rest = behind;
            false
        }
        None => true,
    })
}

#[test]
fn json_has_the_keys_of_the_contract_in_their_order() {
    let peer = Peer::start(Role::Echo, Fault::None);
    for scenario in ["connect", "idle", "echo"] {
        let outcome = bench(&peer.url("/"), &format!("--scenario {scenario} -c 2 -d 200ms"));
        outcome.report(0);
        assert_eq!(missing(&outcome.output), None, "{outcome}");
        assert_eq!(outcome.output.lines().count(), 1, "one object on one line: {outcome}");
        assert!(
            outcome.output.starts_with("{\"url\":\"ws://") && outcome.output.ends_with("}\n"),
            "{outcome}"
        );
        assert_eq!(outcome.errors, "", "nothing else is said: {outcome}");
    }
    let peer = Peer::start(Role::Echo, Fault::RefuseBeyond(0, 503));
    let outcome = bench(&peer.url("/"), "-c 2 -d 200ms");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.output.contains(r#""causes":{"HTTP 503":2}"#), "{outcome}");
    assert_eq!(missing(&outcome.output), None, "{outcome}");
}

#[test]
fn the_table_is_for_people() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let outcome = table(&peer.url("/"), &[]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    for words in [&*peer.url("/"), "broadcast", "connections", "reach", "p50", "p99", "max"] {
        assert!(outcome.output.contains(words), "{words:?} in {outcome}");
    }
    assert!(!outcome.output.contains('\x1b'), "no colours in a pipe: {outcome}");
    assert_eq!(outcome.errors, "", "and no progress: {outcome}");
    assert!(outcome.output.lines().all(|line| line.chars().count() <= 110), "{outcome}");
}

/// Nothing of it is elsewhere, and it can be read without a script.
#[test]
fn the_page_is_one_file() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("report.html");
    let url = peer.url("/?a=%3Cb%3E");
    let outcome = table(&url, &["--report", path.to_str().expect("the path is UTF-8")]);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let page = fs::read_to_string(&path).expect("the page is there");
    for words in [&*url, "<svg", "</html>", env!("CARGO_PKG_VERSION")] {
        assert!(page.contains(words), "{words:?} in the page");
    }
    // An SVG may name its own namespace.
    let page = page.replace("http://www.w3.org/", "");
    for words in ["src=", "@import", "href=\"http", "url(http", "<link"] {
        assert!(!page.contains(words), "it needs nothing from elsewhere: {words:?}");
    }
}

#[test]
fn a_page_that_cannot_be_written() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let outcome = table(&peer.url("/"), &["--report", "/nowhere/at/all.html"]);
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.errors.contains("/nowhere/at/all.html"), "{outcome}");
    assert_eq!(outcome.errors.lines().count(), 1, "{outcome}");
}

/// Compares two files, with more options.
#[track_caller]
fn compare(files: [&str; 2], options: &[&str]) -> Outcome {
    let mut command = program();
    command.args(["bench", "--compare"]).args(files).args(options);
    Running::start(command).finish()
}

#[test]
fn two_reports_side_by_side() {
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name).to_str().expect("the path is UTF-8").to_owned();
    for name in ["first", "second"] {
        let outcome = bench(&peer.url(&format!("/{name}")), "-c 3 -r 50 -d 200ms");
        outcome.report(0);
        fs::write(path(name), &outcome.output).expect("a file can be written");
    }
    let outcome = compare([&path("first"), &path("second")], &[]);
    assert_eq!((outcome.code, &*outcome.errors), (Some(0), ""), "{outcome}");
    for words in ["first", "second", "reach", "p99"] {
        assert!(outcome.output.contains(words), "{words:?} in {outcome}");
    }
    let outcome = compare([&path("first"), &path("second")], &["--report", &path("page")]);
    assert_eq!((outcome.code, &*outcome.errors), (Some(0), ""), "{outcome}");
    let page = fs::read_to_string(path("page")).expect("the page is there");
    for words in ["first", "second", "<svg", "</html>"] {
        assert!(page.contains(words), "{words:?} in the page");
    }
}

#[test]
fn files_that_are_no_reports() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name).to_str().expect("the path is UTF-8").to_owned();
    let rows = [("empty", ""), ("cut", "{\"url\":"), ("other", "{\"a\":1}"), ("list", "[]")];
    for (name, text) in rows {
        fs::write(path(name), text).expect("a file can be written");
        compare([&path(name), &path(name)], &[]).assert_gives_up(1, &[name]);
    }
    compare([&path("missing"), &path("missing")], &[]).assert_gives_up(1, &["missing"]);
}

#[test]
fn wrong_options() {
    let rows: [(&[&str], &str); 7] = [
        (&[], "URL"),
        (&["http://localhost/"], "ws://"),
        (&["ws://localhost/", "--scenario", "other"], "--scenario"),
        (&["ws://localhost/", "-c", "0"], "--connections"),
        (&["ws://localhost/", "-m", "27"], "--message"),
        (&["ws://localhost/", "-r", "10", "-w", "1"], "--window"),
        (&["ws://localhost/", "--unheard-of"], "--unheard-of"),
    ];
    for (arguments, words) in rows {
        let mut command = program();
        command.arg("bench").args(arguments);
        Running::start(command).finish().assert_gives_up(2, &[words]);
    }
}

/// On a terminal, which `script` makes, work shows life: a line that is written again and again.
#[cfg(target_os = "linux")]
#[test]
fn progress_on_a_terminal() {
    if !Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return eprintln!("skipped: there is no `script`");
    }
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let line = format!("'{}' bench {} -c 3 -r 50 -d 1s", env!("CARGO_BIN_EXE_fanfare"), peer.url("/"));
    let mut command = clean(Command::new("script"));
    command.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm");
    let outcome = Running::start(command).finish();
    assert_eq!(outcome.code, Some(0), "{outcome}");
    let (progress, table) = outcome.output.rsplit_once("\x1b[2K").unwrap_or_default();
    assert!(progress.contains("measuring"), "a progress line, cleared in the end: {outcome}");
    assert!(table.contains("reach"), "and then the table: {outcome}");
}

/// A first signal ends the run early, and what there is is reported.
#[cfg(unix)]
#[test]
fn a_signal_ends_the_run() {
    for (signal, options) in [("INT", "-r 200"), ("TERM", "-w 1"), ("INT", "--scenario idle")] {
        let peer = Peer::start(Role::Broadcast, Fault::None);
        let running = Running::start(bench_command(&peer.url("/"), &format!("-c 5 -d 40s {options}")));
        let is_idle = options.contains("idle");
        let has_begun =
            || if is_idle { peer.seen().opened.get() == 5 } else { peer.seen().messages.get() > 100 };
        assert!(comes_true(DEADLINE, has_begun), "the run begins: {options}");
        running.signal(signal);
        let outcome = running.finish();
        let report = outcome.report(0);
        assert!(outcome.took < Duration::from_secs(20), "well before its end: {outcome}");
        assert!(report.figure("seconds") < 20.0, "{report}");
        let said = outcome.output.contains("interrupted") || outcome.errors.contains("interrupted");
        assert!(said, "it says so: {outcome}");
        if !is_idle {
            report.assert_clean(5, 5, 64);
        }
    }
}

/// A second one does not wait for what never comes.
#[cfg(unix)]
#[test]
fn a_second_signal_quits() {
    let peer = Peer::start(Role::Broadcast, Fault::DropEvery(1));
    let running = Running::start(bench_command(&peer.url("/"), "-c 3 -d 40s -r 200"));
    let has_begun = comes_true(DEADLINE, || peer.seen().dropped.get() > 100);
    assert!(has_begun, "the run begins");
    running.signal("INT");
    running.signal("INT");
    let outcome = running.finish();
    assert!(outcome.took < Duration::from_secs(20) && outcome.code != Some(0), "{outcome}");
}
