//! The texts that are made of a table of options: `--help` and the table in the README; and `--version`.
//!
//! Must not know: which command it is.
//!
//! Invariant: the lines below an option in [`help`], joined by single spaces, are its meaning in the table.

use super::table::{Flag, Table};

const COLUMNS: usize = 80;
const INDENT: usize = 10;

/// Cargo features, and whether this build has them; in alphabetical order.
const FEATURES: [(&str, bool); 3] = [
    ("bench", cfg!(feature = "bench")),
    ("deflate", cfg!(feature = "deflate")),
    ("tls", cfg!(feature = "tls")),
];

/// What `--help` prints, with the last line break.
pub(crate) fn help<S>(table: &Table<S>) -> String {
    let mut text = table.head.concat();
    for group in table.groups.iter().filter(|group| group.is_shown()) {
        text.extend(["\n", group.title, ":\n"]);
        text.extend(group.flags.iter().map(entry));
    }
    text + table.foot
}

/// What `--version` prints, with the last line break.
pub(crate) fn version() -> String {
    let features = features(&FEATURES);
    format!("fanfare {}\nfeatures: {features}\n", env!("CARGO_PKG_VERSION"))
}

/// The names of those that are there; `none` when there is none.
fn features(features: &[(&str, bool)]) -> String {
    let there: Vec<_> = features.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| *name).collect();
    if there.is_empty() { "none".to_owned() } else { there.join(" ") }
}

/// An option's line and, indented, its meaning.
fn entry<S>(flag: &Flag<S>) -> String {
    let short = if flag.short.is_some() { "" } else { "    " };
    let default = if flag.default.is_empty() { String::new() } else { format!("  [{}]", flag.default) };
    let mut text = format!("  {short}{}{default}\n", spelling(flag));
    for line in wrap(flag.help, COLUMNS - INDENT) {
        text.extend([" ".repeat(INDENT), line, "\n".to_owned()]);
    }
    text
}

/// `-p, --port N`
fn spelling<S>(flag: &Flag<S>) -> String {
    let short = flag.short.map(|letter| format!("-{letter}, ")).unwrap_or_default();
    let takes = if flag.takes.is_empty() { String::new() } else { format!(" {}", flag.takes) };
    format!("{short}--{}{takes}", flag.long)
}

/// Words in lines of at most `columns`; the texts are ASCII, so bytes are columns.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The README's table of options.
#[cfg(test)]
fn table_of<S>(table: &Table<S>) -> String {
    let rows = table.shown_flags().map(|flag| row(&spelling(flag), flag.default, flag.help));
    format!("| option | default | meaning |\n|---|---|---|\n{}", rows.collect::<String>())
}

#[cfg(test)]
fn row(option: &str, default: &str, meaning: &str) -> String {
    // A bar ends a cell even inside of code.
    format!("| `{}` | {default} | {meaning} |\n", option.replace('|', r"\|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::options;

    /// What [`help`] prints of each command, its table in the README, and how many options it shows.
    fn commands() -> Vec<(String, String, usize)> {
        fn of<S>(table: &Table<S>) -> (String, String, usize) {
            (help(table), table_of(table), table.shown_flags().count())
        }
        vec![
            of(&options::TABLE),
            #[cfg(feature = "bench")]
            of(&crate::cli::bench::TABLE),
        ]
    }

    /// Reads `--help` back, the way somebody would who only has the program.
    fn rows_of(help: &str) -> Vec<(String, String, String)> {
        let mut rows: Vec<(String, String, String)> = Vec::new();
        for line in help.lines().filter(|line| line.starts_with(' ')) {
            let text = line.trim_start();
            if text.starts_with('-') {
                let (option, default) = text.split_once("  ").unwrap_or((text, ""));
                let default = default.trim_start_matches('[').trim_end_matches(']');
                rows.push((option.to_owned(), default.to_owned(), String::new()));
            } else {
                let (_, _, meaning) = rows.last_mut().expect("a meaning has an option above it");
                if !meaning.is_empty() {
                    meaning.push(' ');
                }
                meaning.push_str(text);
            }
        }
        rows
    }

    #[test]
    fn the_table_says_what_help_says() {
        for (help, table, count) in commands() {
            let rows = rows_of(&help);
            let shown: String =
                rows.iter().map(|(option, default, meaning)| row(option, default, meaning)).collect();
            assert!(table.ends_with(&format!("|---|\n{shown}")), "{shown}\n{table}");
            assert_eq!(rows.len(), count);
        }
    }

    #[test]
    fn help_fits_the_screen() {
        for (help, _, _) in commands() {
            for line in help.lines() {
                assert!(line.len() <= COLUMNS && line.is_ascii() && line.trim_end() == line, "{line:?}");
            }
            assert!(help.starts_with("Usage: fanfare "), "{help}");
            assert!(help.ends_with(".\n"), "{help}");
            assert!(help.lines().count() < 100, "a screen or two");
        }
    }

    #[test]
    fn help_tells_of_the_other_command() {
        let server = help(&options::TABLE);
        assert!(server.starts_with("Usage: fanfare [OPTIONS]\n"));
        for text in ["\nfanfare bench URL [OPTIONS] ", "fanfare bench --help"] {
            assert_eq!(server.contains(text), cfg!(feature = "bench"), "{text}");
        }
    }

    #[test]
    fn wrapping() {
        let rows: [(&str, usize, &[&str]); 4] = [
            ("one two", 7, &["one two"]),
            ("one two", 6, &["one", "two"]),
            ("a longer-than-the-line b", 4, &["a", "longer-than-the-line", "b"]),
            ("", 4, &[""]),
        ];
        for (text, columns, want) in rows {
            assert_eq!(wrap(text, columns), want, "{text:?} in {columns}");
        }
    }

    #[test]
    fn version_is_two_lines() {
        let features = features(&FEATURES);
        assert_eq!(version(), format!("fanfare {}\nfeatures: {features}\n", env!("CARGO_PKG_VERSION")));
        assert_eq!(features.contains("bench"), cfg!(feature = "bench"), "{features}");
        assert_eq!(features.contains("deflate"), cfg!(feature = "deflate"), "{features}");
        assert_eq!(features.contains("tls"), cfg!(feature = "tls"), "{features}");
        assert!(FEATURES.is_sorted());
    }

    #[test]
    fn features_that_are_there() {
        for (bench, deflate, want) in [
            (true, true, "bench deflate"),
            (true, false, "bench"),
            (false, true, "deflate"),
            (false, false, "none"),
        ] {
            assert_eq!(features(&[("bench", bench), ("deflate", deflate)]), want);
        }
    }

    #[test]
    fn readme_has_the_tables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        for (_, table, _) in commands() {
            assert!(readme.contains(&table), "{path} needs this table of options:\n\n{table}");
        }
    }
}
