//! Arguments and environment, read by a table of options.
//!
//! [`read`] collects before anything is applied: first what the arguments give, then the variables of the
//! options that are not among them. So the command line wins, a repeatable option on it replaces the list in
//! the environment, and a variable that does not count is not looked at.
//!
//! Must not know: any option by name.
//!
//! Invariant: all values given for one option come from the same place.

use super::options::Command;
use super::table::{Action, Again, Flag, Table};
use super::usage::{self, UsageError};
use super::values;
use std::ffi::OsString;

/// What reading comes to.
pub(crate) enum Reading<S: 'static> {
    /// An option that ends it, with this.
    Answer(fn() -> Command),
    /// Values to apply, in their order, so that the last one wins.
    Given(Vec<Given<S>>),
}

/// An option with a value.
pub(crate) struct Given<S: 'static> {
    /// The option, or the operand.
    pub(crate) flag: &'static Flag<S>,
    /// Empty when the option takes none.
    pub(crate) value: OsString,
    /// The option or the variable it came from, as the operator knows it.
    pub(crate) name: String,
}

/// Reads the arguments of a command, and looks up variables for what they leave open; an empty one says
/// nothing.
pub(crate) fn read<S>(
    table: &'static Table<S>,
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Reading<S>, UsageError> {
    let mut given: Vec<Given<S>> = Vec::new();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(next) = next(table, &mut parser)? {
        if let Action::Answer(command) = next.flag.action {
            return Ok(Reading::Answer(command));
        }
        if next.is_operand() && given.iter().any(Given::is_operand) {
            return Err(usage::unexpected(table.command, &next.value));
        }
        given.push(next);
    }
    add_variables(table, &mut given, variable)?;
    check_together(table, &given)?;
    Ok(Reading::Given(given))
}

/// The name by which an option was given, the last one if there are several.
pub(crate) fn name_of<'g, S>(given: &'g [Given<S>], long: &str) -> Option<&'g str> {
    given.iter().rev().find(|given| given.flag.long == long).map(|given| &*given.name)
}

impl<S> Given<S> {
    /// Whether it is the argument that belongs to no option.
    pub(crate) fn is_operand(&self) -> bool {
        // An option has its dashes, a variable the prefix.
        self.name == self.flag.long
    }

    /// What a variable says: nothing when it turns a switch off, several values when it is a list.
    fn from_variable(name: String, flag: &'static Flag<S>, value: OsString) -> Result<Vec<Self>, UsageError> {
        let whole = Self { flag, value, name };
        match (&flag.action, flag.again) {
            (Action::Switch(_), _) => {
                let on = values::text(&whole.value)
                    .and_then(values::switch)
                    .map_err(|takes| whole.refuse(&takes))?;
                Ok(if on { vec![whole] } else { Vec::new() })
            }
            (Action::Text(_), Again::Adds { .. }) => {
                let list = values::text(&whole.value).map_err(|takes| whole.refuse(&takes))?;
                let members = list.split(',').map(str::trim).filter(|member| !member.is_empty());
                Ok(members
                    .map(|member| Self { flag, value: member.into(), name: whole.name.clone() })
                    .collect())
            }
            (Action::Text(_), Again::Replaces) | (Action::Path(_) | Action::Answer(_), _) => Ok(vec![whole]),
        }
    }

    /// Does what the option does. A value that is wrong is answered with what it takes, to be made an error
    /// of.
    pub(crate) fn apply(&self, settings: &mut S) -> Result<(), String> {
        match self.flag.action {
            Action::Text(set) => values::text(&self.value).and_then(|text| set(settings, text))?,
            Action::Path(set) => set(settings, &self.value)?,
            Action::Switch(set) => set(settings),
            Action::Answer(_) => {} // ended the reading, so it is never collected
        }
        Ok(())
    }

    /// The value is not what it takes.
    pub(crate) fn refuse(&self, takes: &str) -> UsageError {
        usage::refuse(&self.name, takes, &self.value)
    }
}

/// The next option with its value, or the operand.
fn next<S>(table: &'static Table<S>, parser: &mut lexopt::Parser) -> Result<Option<Given<S>>, UsageError> {
    use lexopt::Arg::{Long, Short, Value};
    // All that goes wrong here is `--switch=value`, of the option before.
    let Some(argument) = parser.next().map_err(|error| usage::takes_no_value(&error))? else {
        return Ok(None);
    };
    let (flag, name) = match argument {
        Long(name) => (table.flags().find(|flag| flag.long == name), format!("--{name}")),
        Short(letter) => (table.flags().find(|flag| flag.short == Some(letter)), format!("-{letter}")),
        Value(value) => {
            let operand = table.operand.as_ref();
            let flag = operand.ok_or_else(|| usage::unexpected(table.command, &value))?;
            return Ok(Some(Given { flag, value, name: flag.long.to_owned() }));
        }
    };
    let flag = flag.ok_or_else(|| usage::unknown(table, &name))?;
    let value = match flag.action {
        Action::Switch(_) | Action::Answer(_) => OsString::new(),
        Action::Text(_) | Action::Path(_) => parser.value().map_err(|_| usage::needs_value(flag))?,
    };
    Ok(Some(Given { flag, value, name: format!("--{}", flag.long) }))
}

/// Adds what the environment says about options that the command line leaves open.
fn add_variables<S>(
    table: &Table<S>,
    given: &mut Vec<Given<S>>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<(), UsageError> {
    let rivals = [table.rivals.yields, table.rivals.decides];
    // `--port` decides what FANFARE_LISTEN would, and the other way round.
    let decided = |name: &str| {
        let names = if rivals.contains(&name) { &rivals } else { &[name][..] };
        given.iter().any(|given| names.contains(&given.flag.long))
    };
    let open: Vec<_> = table.flags().filter(|flag| !decided(flag.long)).collect();
    for flag in open {
        if let Some(name) = table.variable(flag)
            && let Some(value) = variable(&name)
        {
            given.extend(Given::from_variable(name, flag, value)?);
        }
    }
    Ok(())
}

/// What each option alone cannot see.
fn check_together<S>(table: &Table<S>, given: &[Given<S>]) -> Result<(), UsageError> {
    let rivals = &table.rivals;
    let [yields, decides] = [rivals.yields, rivals.decides].map(|name| name_of(given, name));
    if let (Some(yields), Some(decides)) = (yields, decides) {
        return Err(usage::already(decides, rivals.already, yields));
    }
    for flag in table.flags() {
        let Again::Adds { most } = flag.again else { continue };
        let mut values = given.iter().filter(|given| given.flag.long == flag.long);
        if let Some(first_too_many) = values.nth(most) {
            return Err(usage::too_many(&first_too_many.name, most));
        }
    }
    Ok(())
}
