//! `fanfare bench` against servers of other projects, in other languages: Python's `websockets` and Node's `ws`.
//!
//! Each trial starts `bench_peers/websockets_server.py` or `bench_peers/ws_server.mjs` and puts load on one of its
//! paths, which say what it does with a message. Nothing may be lost, and every figure must agree. They speak TLS as well,
//! by libraries that share nothing with ours: OpenSSL, of either language.
//!
//! `tests/clients/install.sh` installs what they need; `clients/programs.rs` says where else it is looked for.
//! Without it the trials show as ignored, and with `FANFARE_REQUIRE_ALL=1` as failed.

#[cfg(feature = "tls")]
#[path = "bench/certificates.rs"]
#[allow(dead_code, reason = "the tests of `fanfare bench` use the rest")]
mod certificates;
mod outside;
#[path = "clients/programs.rs"]
mod programs;
#[path = "bench/run.rs"]
#[allow(dead_code, reason = "the tests of `fanfare bench` use the rest")]
mod run;

use libtest_mimic::{Arguments, Trial};
use outside::process::Process;
use outside::trial::{Tool, trial};
use programs::Interpreter;
use run::bench;
use std::process::{Command, ExitCode};

/// The connections of each trial, and its payload.
const CONNECTIONS: u64 = 10;
const MESSAGE_BYTES: u64 = 64;

/// What a server does with a message on a path, how many get it, and what the program must be told.
const PATHS: &[(&str, u64, &str)] = &[
    ("broadcast", CONNECTIONS, "--scenario broadcast -s 2"),
    ("no-self", CONNECTIONS - 1, "--scenario broadcast -s 2"),
    ("echo", 1, "--scenario echo -s 5"),
    ("wrap", CONNECTIONS, "--scenario broadcast -s 2 --match contains"),
];

/// When messages are sent, and as what.
const LOOPS: &[(&str, &str)] = &[("open", "-r 200"), ("closed", "-w 4"), ("binary", "-r 100 --binary")];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = trials_of("python_websockets", "Python websockets", PYTHON, &programs::python());
    trials.extend(trials_of("node_ws", "Node ws", NODE, &programs::node()));
    libtest_mimic::run(&arguments, trials).exit_code()
}

const PYTHON: &str = "tests/bench_peers/websockets_server.py";
const NODE: &str = "tests/bench_peers/ws_server.mjs";

/// Every path in every loop with one server.
fn trials_of(prefix: &str, needs: &str, script: &'static str, tool: &Tool<Interpreter>) -> Vec<Trial> {
    let named = |name: &str, path: &'static str, receivers: u64, options: String| {
        trial(&format!("{prefix}::{name}"), needs, tool.clone(), move |interpreter| {
            assert_holds(&interpreter, script, path, receivers, &options);
            Ok(())
        })
    };
    let mut trials = Vec::new();
    for (path, receivers, options) in PATHS {
        for (name, pace) in LOOPS {
            // JSON has no binary.
            if *path != "wrap" || *name != "binary" {
                let name = format!("{}_{name}", path.replace('-', "_"));
                trials.push(named(&name, path, *receivers, format!("{options} {pace}")));
            }
        }
    }
    let compressed = "--scenario broadcast -s 2 -r 100 --deflate";
    trials.push(named("deflate", "broadcast", CONNECTIONS, compressed.to_owned()));
    #[cfg(feature = "tls")]
    for (name, pace) in LOOPS {
        let options = format!("--scenario broadcast -s 2 {pace}");
        let run = move |interpreter| {
            assert_holds_with_tls(&interpreter, script, &options);
            Ok(())
        };
        trials.push(trial(&format!("{prefix}::tls_{name}"), needs, tool.clone(), run));
    }
    trials
}

/// Nothing is lost, and the figures agree with each other.
fn assert_holds(interpreter: &Interpreter, script: &str, path: &str, receivers: u64, options: &str) {
    assert_holds_with(
        interpreter.command(script),
        &format!("ws://127.0.0.1:PORT/{path}"),
        receivers,
        options,
    );
}

/// The same with a certificate, for the name and for the address.
#[cfg(feature = "tls")]
fn assert_holds_with_tls(interpreter: &Interpreter, script: &str, options: &str) {
    let authority = certificates::Authority::new();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let files = authority.identity(certificates::Flaw::None).write(folder.path());
    for host in certificates::NAMES {
        let mut command = interpreter.command(script);
        command.args(&files);
        let url = format!("wss://{host}:PORT/broadcast");
        assert_holds_with(command, &url, CONNECTIONS, &format!("{} {options}", authority.option()));
    }
}

/// Starts a server, and puts load on the URL with its port in it.
fn assert_holds_with(server: Command, url: &str, receivers: u64, options: &str) {
    let mut server = Process::start(server);
    let port: u16 = server.wait_for("the line that says where the server listens", port_in);
    let options = format!("-c {CONNECTIONS} -d 500ms {options}");
    let report = bench(&url.replace("PORT", &port.to_string()), &options).report(0);
    // What is compressed is not as long as its payload.
    let least = if options.contains("--deflate") { 0 } else { MESSAGE_BYTES };
    report.assert_clean(CONNECTIONS, receivers, least);
    assert_eq!(server.errors().lines().count(), 1, "the server complains:\n{}", server.errors());
}

/// The port in `listening on PORT`.
fn port_in(said: &str) -> Option<u16> {
    said.lines().find_map(|line| line.strip_prefix("listening on ")?.parse().ok())
}
