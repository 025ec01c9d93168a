//! What an option is, and the table of a command's options. The commands have one each, `options::TABLE` and
//! that of `bench`; reading, the environment, help and the tables in the README are made of it.
//!
//! Must not know: any option, where a value comes from, how help is laid out.

use super::options::Command;
use std::ffi::OsStr;

/// A command: its options, of which each does something to the settings `S`, and what its texts say.
pub(crate) struct Table<S: 'static> {
    /// As it is typed.
    pub(crate) command: &'static str,
    /// What its variables begin with.
    pub(crate) prefix: &'static str,
    /// What `--help` begins with.
    pub(crate) head: &'static [&'static str],
    /// What `--help` ends with.
    pub(crate) foot: &'static str,
    /// Its options, in the order in which `--help` shows them.
    pub(crate) groups: &'static [Group<S>],
    /// The one argument that belongs to no option, if it takes one; `long` is what it is called in texts.
    pub(crate) operand: Option<Flag<S>>,
    /// The options that may not stand together.
    pub(crate) rivals: Rivals,
}

impl<S> Table<S> {
    /// Every option.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static Flag<S>> + use<S> {
        self.groups.iter().flat_map(|group| group.flags)
    }

    /// The options that `--help` shows.
    pub(crate) fn shown_flags(&self) -> impl Iterator<Item = &'static Flag<S>> + use<S> {
        self.groups.iter().filter(|group| group.is_shown()).flat_map(|group| group.flags)
    }

    /// The variable that stands for an option in the environment, if one does.
    pub(crate) fn variable(&self, flag: &Flag<S>) -> Option<String> {
        match flag.place {
            Place::Anywhere => {
                Some(format!("{}{}", self.prefix, flag.long.to_ascii_uppercase().replace('-', "_")))
            }
            Place::CommandLine => None,
        }
    }
}

/// Options that are shown together.
pub(crate) struct Group<S: 'static> {
    /// The heading; empty when they are not shown at all.
    pub(crate) title: &'static str,
    /// The options, in their order.
    pub(crate) flags: &'static [Flag<S>],
}

impl<S> Group<S> {
    /// Whether `--help` shows it.
    pub(crate) fn is_shown(&self) -> bool {
        !self.title.is_empty()
    }
}

/// Two options that say the same thing in two ways. Given in one place they are an error; otherwise the one
/// on the command line decides.
pub(crate) struct Rivals {
    /// The one to leave out.
    pub(crate) yields: &'static str,
    /// The one that says it already.
    pub(crate) decides: &'static str,
    /// What it does already: "names the port".
    pub(crate) already: &'static str,
}

/// One option.
pub(crate) struct Flag<S> {
    /// Behind `--`; in upper case and behind [`Table::prefix`] it is the variable.
    pub(crate) long: &'static str,
    /// Behind `-`.
    pub(crate) short: Option<char>,
    /// What its value is called in texts; empty when it takes none.
    pub(crate) takes: &'static str,
    /// What holds without it, in words or as it would be typed; empty when there is no such thing.
    pub(crate) default: &'static str,
    /// What it means. No line of it may begin with a dash once it is wrapped: `--help` is read by tests.
    pub(crate) help: &'static str,
    /// What a second value does.
    pub(crate) again: Again,
    /// Where it may be given.
    pub(crate) place: Place,
    /// What it does.
    pub(crate) action: Action<S>,
}

/// What a second value of an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It replaces the one before.
    Replaces,
    /// It adds to the ones before, of which there may be so many. In the environment it is a list with
    /// commas.
    Adds {
        /// Values at most.
        most: usize,
    },
}

/// Where an option may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the command line and in the environment.
    Anywhere,
    /// On the command line alone.
    CommandLine,
}

/// What an option does. A value that is wrong is answered with the text that goes behind "takes".
pub(crate) enum Action<S> {
    /// Takes a value, in UTF-8.
    Text(fn(&mut S, &str) -> Result<(), String>),
    /// Takes a path, which is any string that the system knows.
    Path(fn(&mut S, &OsStr) -> Result<(), String>),
    /// Takes nothing.
    Switch(fn(&mut S)),
    /// Ends the reading of the command line with this.
    Answer(fn() -> Command),
}
