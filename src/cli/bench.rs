//! The command line of `fanfare bench`, as a [`Task`].
//!
//! `table` has the options, `values` what only they take, `command` shows what was typed; here is what they
//! come to, and what of them does not go together.
//!
//! Must not know: how arguments and variables are read, how a task is done.

mod command;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use table::TABLE;

use super::help;
use super::options::Command;
use super::read::{self, Given, Reading};
use super::usage::{self, UsageError};
use crate::bench::plan::{
    Comparison, HandshakeOptions, Kind, Matching, Output, Pace, Plan, Scenario, Search, Task, Trust,
};
use crate::bench::target::Target;
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use table::{
    CA, COMPARE, CONNECTIONS, DEFLATE, HEADER, INSECURE, REPORT, SCENARIO, SENDERS, SLOW, STEP, TOKEN,
    UNTIL_P95,
};

/// Everything the options say, each for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The URL; with [`Settings::compare`] the second file.
    operand: Option<OsString>,
    scenario: Scenario,
    connections: usize,
    senders: usize,
    slow: Option<usize>,
    message_bytes: usize,
    kind: Kind,
    rate: Option<u32>,
    window: usize,
    duration: Duration,
    ramp: Duration,
    until_p95: Option<Duration>,
    step: Option<usize>,
    matching: Matching,
    handshake: HandshakeOptions,
    ca: Option<PathBuf>,
    insecure: bool,
    timeout: Duration,
    source_addresses: Vec<IpAddr>,
    pid: Option<u32>,
    output: Output,
    compare: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            operand: None,
            scenario: Scenario::Broadcast,
            connections: 100,
            senders: 1,
            slow: None,
            message_bytes: 64,
            kind: Kind::Text,
            rate: None,
            window: 1,
            duration: Duration::from_secs(10),
            ramp: Duration::from_secs(1),
            until_p95: None,
            step: None,
            matching: Matching::Whole,
            handshake: HandshakeOptions::default(),
            ca: None,
            insecure: false,
            timeout: Duration::from_secs(10),
            source_addresses: Vec::new(),
            pid: None,
            output: Output::default(),
            compare: None,
        }
    }
}

/// Receivers that never read, in the scenario that has them, when nobody says how many.
const SLOW_DEFAULT: usize = 1;

/// What `fanfare bench --help` prints, with the last line break.
pub(crate) fn help() -> String {
    help::help(&TABLE)
}

/// Reads what stands behind `bench`, and looks up variables for what it leaves open; an empty one says
/// nothing.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, UsageError> {
    let given = match read::read(&TABLE, arguments, variable)? {
        Reading::Answer(command) => return Ok(command()),
        Reading::Given(given) => given,
    };
    let mut settings = Settings::default();
    for given in &given {
        let refuse = |takes: String| usage::refuse(&given.name, &takes, &command::without_secrets(given));
        given.apply(&mut settings).map_err(refuse)?;
    }
    let task = match settings.compare.take() {
        Some(file) => Task::Compare(comparison(file, settings, &given)?),
        None => Task::Run(plan(settings, &given)?),
    };
    Ok(Command::Bench(task))
}

fn comparison(
    file: PathBuf,
    settings: Settings,
    given: &[Given<Settings>],
) -> Result<Comparison, UsageError> {
    // Variables may be set for the runs before it.
    let is_odd = |given: &&Given<Settings>| {
        is_typed(given) && !given.is_operand() && ![COMPARE, REPORT].contains(&given.flag.long)
    };
    if let Some(odd) = given.iter().find(is_odd) {
        return Err(usage::line(&format!("{} has no meaning beside --compare; leave it out", odd.name)));
    }
    let second = settings.operand.filter(|file| !file.is_empty()).ok_or_else(|| {
        usage::line(&format!("{} --compare needs two files, A.json B.json for example", TABLE.command))
    })?;
    Ok(Comparison { files: [file, second.into()], report: settings.output.report })
}

fn plan(settings: Settings, given: &[Given<Settings>]) -> Result<Plan, UsageError> {
    check_build(&settings, given)?;
    check_together(&settings, given)?;
    let target = target(settings.operand.as_deref())?;
    let trust = trust(&settings, &target, given)?;
    let step = settings.step.unwrap_or(settings.connections);
    let slow = match settings.scenario {
        Scenario::Slow => settings.slow.unwrap_or(SLOW_DEFAULT),
        Scenario::Connect | Scenario::Idle | Scenario::Echo | Scenario::Broadcast => 0,
    };
    let pace = match settings.rate {
        Some(rate) => Pace::Open { rate },
        None => Pace::Closed { window: settings.window },
    };
    Ok(Plan {
        target,
        scenario: settings.scenario,
        connections: settings.connections,
        senders: settings.senders,
        slow,
        message_bytes: settings.message_bytes,
        kind: settings.kind,
        pace,
        duration: settings.duration,
        ramp: settings.ramp,
        search: settings.until_p95.map(|p95| Search { p95, step }),
        matching: settings.matching,
        handshake: settings.handshake,
        trust,
        timeout: settings.timeout,
        source_addresses: settings.source_addresses,
        pid: settings.pid,
        output: settings.output,
        command: command::shown(given),
    })
}

fn target(url: Option<&OsStr>) -> Result<Target, UsageError> {
    let Some(url) = url else {
        return Err(usage::line(&format!("{} needs a URL, ws://localhost:9999/ for example", TABLE.command)));
    };
    let Some(text) = url.to_str() else {
        return Err(usage::line(&format!("the URL takes text in UTF-8, not {:?}", url.to_string_lossy())));
    };
    Target::parse(text).map_err(|error| usage::line(&error))
}

/// Whose certificates count: asked only where there are some.
fn trust(settings: &Settings, target: &Target, given: &[Given<Settings>]) -> Result<Trust, UsageError> {
    let name = |long| name(given, long);
    let trust = match (&settings.ca, settings.insecure) {
        (Some(_), true) => {
            return Err(usage::already(&name(INSECURE), "accepts any certificate", &name(CA)));
        }
        (Some(file), false) => Trust::File(file.clone()),
        (None, true) => Trust::Any,
        (None, false) => Trust::System,
    };
    if target.is_tls {
        let has_tls = cfg!(feature = "tls");
        return if has_tls { Ok(trust) } else { Err(usage::needs_feature("a wss:// URL", "tls")) };
    }
    let odd = match trust {
        Trust::File(_) => CA,
        Trust::Any => INSECURE,
        Trust::System => return Ok(trust),
    };
    let odd = name(odd);
    Err(usage::line(&format!("{odd} is about certificates, which only a wss:// URL has; leave it out")))
}

/// What this build was made without.
fn check_build(settings: &Settings, given: &[Given<Settings>]) -> Result<(), UsageError> {
    let is_about_tls = [(settings.ca.is_some(), CA), (settings.insecure, INSECURE)];
    if let Some((_, odd)) = is_about_tls.iter().find(|(is_given, _)| *is_given && !cfg!(feature = "tls")) {
        return Err(usage::needs_feature(&name(given, odd), "tls"));
    }
    if settings.handshake.deflate && !cfg!(feature = "deflate") {
        return Err(usage::needs_feature(&name(given, DEFLATE), "deflate"));
    }
    Ok(())
}

/// What each option alone cannot see.
fn check_together(settings: &Settings, given: &[Given<Settings>]) -> Result<(), UsageError> {
    let name = |long| name(given, long);
    let Settings { scenario, connections, senders, .. } = settings;
    let is_authorization = |header: &(String, String)| header.0.eq_ignore_ascii_case(values::AUTHORIZATION);
    let wrong = if senders > connections {
        let [senders_name, connections_name] = [SENDERS, CONNECTIONS].map(name);
        format!("{senders_name} is {senders}, more than {connections_name}, which is {connections}")
    } else if settings.step.is_some() && settings.until_p95.is_none() {
        format!("{} needs --{UNTIL_P95} beside it", name(STEP))
    } else if settings.until_p95.is_some() && !scenario.has_messages() {
        let [until, scenario_name] = [UNTIL_P95, SCENARIO].map(name);
        format!("{until} needs a scenario with messages; {scenario_name} is {}", scenario.name())
    } else if settings.slow.is_some() && *scenario != Scenario::Slow {
        let [slow, scenario_name] = [SLOW, SCENARIO].map(name);
        format!("{slow} needs --{SCENARIO} slow; {scenario_name} is {}", scenario.name())
    } else if settings.handshake.token.is_some() && settings.handshake.headers.iter().any(is_authorization) {
        let [token, header] = [TOKEN, HEADER].map(name);
        return Err(usage::already(&token, "sends Authorization", &format!("that {header}")));
    } else {
        return Ok(());
    };
    Err(usage::line(&wrong))
}

/// Whether it comes from the command line.
fn is_typed(given: &Given<Settings>) -> bool {
    given.is_operand() || given.name.starts_with('-')
}

/// How an option was given, or would be.
fn name(given: &[Given<Settings>], long: &str) -> String {
    read::name_of(given, long).map_or_else(|| format!("--{long}"), str::to_owned)
}
