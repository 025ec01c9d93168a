//! What is said about a wrong command line: the option or variable, what is wrong, what it takes.
//!
//! Must not know: when it is said.
//!
//! Invariant: whatever was typed is in these lines with its control characters escaped.

use super::table::{Flag, Table};
use std::ffi::OsStr;
use std::fmt;

/// What is wrong with the arguments or the environment: the option or variable, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Letters a misspelt option may be away from the one it is taken for. Two of them swapped count as two.
const TYPOS_MAX: usize = 2;

/// A value that is not what `name` takes; a variable is set apart by a colon, since it is its option that
/// takes something.
pub(crate) fn refuse(name: &str, takes: &str, value: &OsStr) -> UsageError {
    let colon = if name.starts_with('-') { "" } else { ":" };
    UsageError(format!("{name}{colon} takes {takes}, not {}", quote(value)))
}

/// The command line ends where the value should be.
pub(crate) fn needs_value<S>(flag: &Flag<S>) -> UsageError {
    UsageError(format!("--{} needs a value: {}", flag.long, flag.takes))
}

/// `--switch=value`, which is all that the reader of arguments has to object to between two of them.
pub(crate) fn takes_no_value(error: &lexopt::Error) -> UsageError {
    if let lexopt::Error::UnexpectedValue { option, value } = error {
        UsageError(format!("{option} takes no value, not {}", quote(value)))
    } else {
        UsageError(error.to_string().escape_debug().to_string())
    }
}

/// An argument that belongs to no option.
pub(crate) fn unexpected(command: &str, argument: &OsStr) -> UsageError {
    UsageError(format!("unexpected argument {}; see {command} --help", quote(argument)))
}

/// More values than a repeatable option may have.
pub(crate) fn too_many(name: &str, most: usize) -> UsageError {
    UsageError(format!("{name} takes at most {most} values"))
}

/// Two options that say the same thing; `already` is what `decides` does: "names the port".
pub(crate) fn already(decides: &str, already: &str, yields: &str) -> UsageError {
    UsageError(format!("{decides} already {already}; leave {yields} out"))
}

/// An option that there is not, with its dashes.
pub(crate) fn unknown<S>(table: &Table<S>, name: &str) -> UsageError {
    let shown = name.escape_debug();
    let advice = match nearest(table, name) {
        Some(flag) => format!("did you mean --{}?", flag.long),
        None => format!("see {} --help", table.command),
    };
    UsageError(format!("unknown option {shown}; {advice}"))
}

/// An option or a command that this build was made without.
pub(crate) fn needs_feature(name: &str, feature: &str) -> UsageError {
    UsageError(format!("{name} needs the feature {feature}, which this build does not have"))
}

/// A whole line, of what options together or a URL are wrong in.
pub(crate) fn line(text: &impl fmt::Display) -> UsageError {
    let mut line = String::new();
    for letter in text.to_string().chars() {
        match letter {
            // Signs that are ours as well.
            '"' | '\'' | '\\' => line.push(letter),
            letter => line.extend(letter.escape_debug()),
        }
    }
    UsageError(line)
}

fn quote(value: &OsStr) -> String {
    format!("{:?}", value.to_string_lossy())
}

fn nearest<S>(table: &Table<S>, name: &str) -> Option<&'static Flag<S>> {
    // A single letter is near everything.
    let typed = name.strip_prefix("--").filter(|typed| typed.len() > 1)?;
    let nearest = table.shown_flags().min_by_key(|flag| distance(typed, flag.long))?;
    (distance(typed, nearest.long) <= TYPOS_MAX).then_some(nearest)
}

/// How many letters to add, leave out or change (Levenshtein); one row of the table at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above, have) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (at, want) in to.chars().enumerate() {
            let changed = diagonal + usize::from(have != want);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[to.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::options::TABLE;

    #[test]
    fn distances() {
        let rows =
            [("", "", 0), ("prot", "port", 2), ("por", "port", 1), ("a", "", 1), ("kitten", "sitting", 3)];
        for (from, to, want) in rows {
            assert_eq!(distance(from, to), want, "{from} {to}");
            assert_eq!(distance(to, from), want, "{to} {from}");
        }
    }

    #[test]
    fn what_was_meant() {
        for (typed, want) in [
            ("--prot", Some("port")),
            ("--maxmessage", Some("max-message")),
            ("--backlogs", Some("backlog")),
            ("--pin", Some("ping")),
            ("--Echo", Some("echo")),
            ("--channels", None),
            ("--token", None),
            ("--stdin", None),
            ("--stdout", None),
            ("--replay", None),
            ("--tls-crt", Some("tls-cert")),
            ("--x", None),
            ("--", None),
            ("-x", None),
        ] {
            assert_eq!(nearest(&TABLE, typed).map(|flag| flag.long), want, "{typed}");
        }
    }

    #[test]
    fn nothing_typed_gets_to_the_terminal_raw() {
        let typed = "--\x1b[31m\r\n\u{9b}\u{2028}\u{202e}";
        for error in [
            unknown(&TABLE, typed),
            unexpected("fanfare", typed.as_ref()),
            line(&typed),
            refuse("--port", "N", typed.as_ref()),
            takes_no_value(&lexopt::Error::UnexpectedValue { option: "-q".to_owned(), value: typed.into() }),
            takes_no_value(&lexopt::Error::UnexpectedOption(typed.to_owned())),
        ] {
            let shown = error.to_string();
            assert!(!shown.contains(|letter: char| letter.is_control() || letter > '~'), "{shown:?}");
        }
    }
}
