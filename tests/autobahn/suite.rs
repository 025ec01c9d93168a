//! The suite itself: found, and run against a server.
//!
//! `driver.py` runs the cases and tells on standard error how each one ends. What else is said there is kept for
//! the message of a failure.

use crate::case::{self, Case, Outcome};
use crate::outside::environment::{here, tools, variable};
use crate::outside::process::Process;
use crate::outside::trial::Tool;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Names an interpreter of one's own, with the suite in it.
const VARIABLE: &str = "FANFARE_AUTOBAHN_PYTHON";

/// The interpreter that has the suite. One that the variable names is not looked for: if it is not there, its
/// start fails.
pub(crate) fn find() -> Tool<PathBuf> {
    if let Some(python) = variable(VARIABLE) {
        return Ok(python.into());
    }
    let python = tools().join("autobahn/python");
    if python.is_file() {
        return Ok(python);
    }
    let python = python.display();
    Err(format!(
        "needs Autobahn: there is no {python}, and {VARIABLE} names none; tests/autobahn/install.sh puts it there"
    ))
}

/// What came of a run.
pub(crate) struct Run {
    /// The cases that the suite has for what was asked for.
    pub(crate) plan: BTreeSet<Case>,
    pub(crate) outcomes: BTreeMap<Case, Outcome>,
    /// What went wrong with the suite.
    pub(crate) words: Vec<String>,
}

/// Runs cases, named as the suite names them: `6.*` are all of 6.
#[track_caller]
pub(crate) fn run(python: &Path, port: u16, cases: &[String], limit: Duration) -> Run {
    let mut command = Command::new(python);
    command.arg(here("tests/autobahn/driver.py")).arg(format!("ws://127.0.0.1:{port}/echo")).args(cases);
    let mut driver = Process::start(command);
    let ended = driver.end(limit);
    let said = driver.errors();
    let mut run = listen(&said);
    if ended.is_none() {
        run.words.push(format!("the suite was not done in {limit:?}"));
    } else if !said.ends_with("end\n") {
        run.words.push("the suite ended before its time".to_owned());
    }
    run
}

/// Understands what the driver says.
#[track_caller]
pub(crate) fn listen(said: &str) -> Run {
    let mut run = Run { plan: BTreeSet::new(), outcomes: BTreeMap::new(), words: Vec::new() };
    for line in said.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("plan", cases) => run.plan = cases.split_whitespace().map(number).collect(),
            ("case", columns) => {
                let (case, outcome) = case::read(columns).expect("the driver writes what we read");
                run.outcomes.insert(case, outcome);
            }
            ("end", "") => {}
            _ => run.words.push(line.to_owned()),
        }
    }
    run
}

#[track_caller]
fn number(text: &str) -> Case {
    text.parse().expect("the driver knows its cases")
}
