//! What was typed, as a [`Command`]: the first argument may name a command of its own, everything else is the
//! server's, to be read by its table.
//!
//! Must not know: how arguments and variables are read.

use super::options::{Command, NO_DEFLATE, QUIET, Settings, TABLE, VERBOSE};
use super::read::{self, Given, Reading};
use super::tls;
use super::usage::{self, UsageError};
use fanfare::config::Config;
use log::LevelFilter;
use std::ffi::OsString;

#[cfg(test)]
mod tests;

/// The argument that makes it `fanfare bench`; it has to be the first.
const BENCH: &str = "bench";

/// The level of the log in the environment, in place of `-q` and `-v`.
const LEVEL_VARIABLE: &str = "FANFARE_LOG";

/// Reads the arguments, without the program's name, and looks up variables for what they leave open.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, UsageError> {
    // An empty variable is how a script says "not set".
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    let mut arguments = arguments.into_iter().peekable();
    if arguments.next_if(|first| first == BENCH).is_some() {
        return bench(arguments, variable);
    }
    serve(arguments, variable)
}

#[cfg(feature = "bench")]
use super::bench::parse as bench;

#[cfg(not(feature = "bench"))]
fn bench(
    _: impl IntoIterator<Item = OsString>,
    _: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, UsageError> {
    Err(usage::needs_feature(BENCH, "bench"))
}

fn serve(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Command, UsageError> {
    let given = match read::read(&TABLE, arguments, &variable)? {
        Reading::Answer(command) => return Ok(command()),
        Reading::Given(given) => given,
    };
    let mut settings = Settings::default();
    if [QUIET, VERBOSE].iter().all(|name| read::name_of(&given, name).is_none()) {
        settings.level = level(variable(LEVEL_VARIABLE))?;
    }
    apply(&given, &mut settings)?;
    if let Some(name) = read::name_of(&given, NO_DEFLATE)
        && !cfg!(feature = "deflate")
    {
        return Err(usage::needs_feature(name, "deflate"));
    }
    Ok(Command::Serve(settings))
}

/// A list that gets a value loses its default.
fn apply(given: &[Given<Settings>], settings: &mut Settings) -> Result<(), UsageError> {
    let defaults = Config::default();
    let config = &mut settings.config;
    config.listen.clear();
    config.origins.clear();
    for given in given {
        given.apply(settings).map_err(|takes| given.refuse(&takes))?;
    }
    let config = &mut settings.config;
    if config.listen.is_empty() {
        config.listen = defaults.listen;
    }
    if config.origins.is_empty() {
        config.origins = defaults.origins;
    }
    tls::decide(settings, given)
}

fn level(variable: Option<OsString>) -> Result<LevelFilter, UsageError> {
    let Some(value) = variable else { return Ok(LevelFilter::Info) };
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| usage::refuse(LEVEL_VARIABLE, "off, error, warn, info, debug or trace", &value))
}
