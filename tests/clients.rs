//! Clients of other projects, in other languages: Python's `websockets` and Node's `ws`.
//!
//! Each trial has a server of its own and one run of `clients/websockets_client.py` or
//! `clients/ws_client.mjs`. The two know the same scenarios by the same names; what a server must be started
//! with for one of them stands here. They say in one line what was expected and what came, and have a deadline,
//! as the trial has for them.
//!
//! `tests/clients/install.sh` installs both; `clients/programs.rs` says where else they are looked for. Without
//! them the trials show as ignored, and with `FANFARE_REQUIRE_ALL=1` as failed.

mod outside;
#[path = "clients/programs.rs"]
mod programs;

use libtest_mimic::{Arguments, Trial};
use outside::process::{DEADLINE, Process};
use outside::server::Server;
use outside::trial::{Tool, trial};
use programs::Interpreter;
use std::process::ExitCode;
use std::time::Duration;

/// More than the 40 seconds that a client gives itself: it should be the one to say what does not come.
const LIMIT: Duration = DEADLINE.saturating_mul(3);

/// A program that runs scenarios.
struct Client {
    interpreter: Interpreter,
    script: &'static str,
}

impl Client {
    /// Starts a scenario with a server.
    #[track_caller]
    fn start(&self, scenario: &str, server: &Server) -> Process {
        let mut command = self.interpreter.command(self.script);
        command.arg(scenario).arg(server.websocket_url());
        Process::start(command)
    }
}

const PYTHON: &str = "tests/clients/websockets_client.py";
const NODE: &str = "tests/clients/ws_client.mjs";

/// What a trial is given: a client, its scenario's name, and a server for it.
type Run = fn(&Client, &str, Server);

/// A scenario's name, the options of its server, and how it is run.
const SCENARIOS: &[(&str, &[&str], Run)] = &[
    ("broadcast", &[], run),
    ("no_self", &["--no-self"], run),
    ("echo", &[], run),
    ("big", &["--max-message", "16m", "--backlog", "64m"], run),
    ("fragments", &[], run),
    ("subprotocols", &["--protocol", "chat.v2", "--protocol", "chat.v1"], run),
    #[cfg(feature = "deflate")]
    ("compression", &[], run),
    ("no_compression", &["--no-deflate"], run),
    ("ping", &[], run),
    ("close", &[], run),
    ("too_big", &["--max-message", "1k"], run),
    #[cfg(unix)] // where the server can be asked
    ("drain", &[], run_and_stop_the_server),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = trials_of("python_websockets", "Python websockets", PYTHON, &programs::python());
    trials.extend(trials_of("node_ws", "Node ws", NODE, &programs::node()));
    trials.extend(tls_trials_of("python_websockets", "Python websockets", PYTHON, &programs::python()));
    trials.extend(tls_trials_of("node_ws", "Node ws", NODE, &programs::node()));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Every scenario with one client.
fn trials_of(prefix: &str, needs: &str, script: &'static str, tool: &Tool<Interpreter>) -> Vec<Trial> {
    trials_with(&[], prefix, needs, script, tool)
}

/// The same through TLS, where this build has it. The clients take any certificate.
fn tls_trials_of(prefix: &str, needs: &str, script: &'static str, tool: &Tool<Interpreter>) -> Vec<Trial> {
    if cfg!(feature = "tls") {
        trials_with(&["--tls-self-signed"], &format!("{prefix}::tls"), needs, script, tool)
    } else {
        Vec::new()
    }
}

fn trials_with(
    more: &'static [&'static str],
    prefix: &str,
    needs: &str,
    script: &'static str,
    tool: &Tool<Interpreter>,
) -> Vec<Trial> {
    let trials = SCENARIOS.iter().map(|&(name, options, run)| {
        trial(&format!("{prefix}::{name}"), needs, tool.clone(), move |interpreter| {
            run(&Client { interpreter, script }, name, Server::start(&[options, more].concat()));
            Ok(())
        })
    });
    trials.collect()
}

fn run(client: &Client, scenario: &str, server: Server) {
    let process = client.start(scenario, &server);
    assert_ends_well(scenario, process);
}

/// The server is asked to stop as soon as the client says that it is ready.
#[cfg(unix)]
fn run_and_stop_the_server(client: &Client, scenario: &str, server: Server) {
    let mut process = client.start(scenario, &server);
    process.wait_for("the client is ready", |said| said.contains("ready").then_some(()));
    server.stop();
    assert_ends_well(scenario, process);
}

#[track_caller]
fn assert_ends_well(scenario: &str, mut process: Process) {
    let Some(status) = process.end(LIMIT) else {
        panic!("{scenario}: the client runs on after {LIMIT:?}, and said\n{}", process.errors());
    };
    assert!(status.success(), "{scenario}: {status}, and the client said\n{}", process.errors());
}
