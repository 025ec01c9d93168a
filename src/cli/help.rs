//! The texts that are made of the table of options: `--help`, `--version`, and the table in the README.
//!
//! Invariant: the lines below an option in [`help`], joined by single spaces, are its meaning in the table.

use super::options::{FLAGS, Flag, Group};

const COLUMNS: usize = 80;
const INDENT: usize = 10;

const HEAD: &str = "\
Usage: fanfare [OPTIONS]
Serves pages and broadcasts: what one WebSocket client says, all of them hear.
";

const FOOT: &str = "
SIZE takes k, m and g (powers of 1024). DURATION takes ms, s and m; a bare
number is seconds.

Options can come from the environment as well, --max-message for example as
FANFARE_MAX_MESSAGE; a switch takes 1 or 0, a repeatable option a list with
commas. FANFARE_LOG is the level of the log: off, error, warn, info, debug or
trace. The command line wins.
";

/// What `--help` prints, with the last line break.
pub(crate) fn help() -> String {
    let mut text = HEAD.to_owned();
    for group in Group::ALL {
        text.extend(["\n", group.title(), ":\n"]);
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            text.push_str(&entry(flag));
        }
    }
    text + FOOT
}

/// What `--version` prints, with the last line break. Cargo features are listed here once there are any.
pub(crate) fn version() -> String {
    format!("fanfare {}\nfeatures: none\n", env!("CARGO_PKG_VERSION"))
}

/// An option's line and, indented, its meaning.
fn entry(flag: &Flag) -> String {
    let short = if flag.short.is_some() { "" } else { "    " };
    let default = if flag.default.is_empty() { String::new() } else { format!("  [{}]", flag.default) };
    let mut text = format!("  {short}{}{default}\n", spelling(flag));
    for line in wrap(flag.help, COLUMNS - INDENT) {
        text.extend([" ".repeat(INDENT), line, "\n".to_owned()]);
    }
    text
}

/// `-p, --port N`
fn spelling(flag: &Flag) -> String {
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
fn table() -> String {
    let rows = FLAGS.iter().map(|flag| row(&spelling(flag), flag.default, flag.help));
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

    /// Reads `--help` back, the way somebody would who only has the program.
    fn rows_of_help() -> Vec<(String, String, String)> {
        let mut rows: Vec<(String, String, String)> = Vec::new();
        for line in help().lines().filter(|line| line.starts_with(' ')) {
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
        let rows = rows_of_help();
        let shown: String =
            rows.iter().map(|(option, default, meaning)| row(option, default, meaning)).collect();
        assert!(table().ends_with(&format!("|---|\n{shown}")), "{shown}\n{}", table());
        assert_eq!(rows.len(), FLAGS.len());
    }

    #[test]
    fn help_fits_the_screen() {
        for line in help().lines() {
            assert!(line.len() <= COLUMNS && line.is_ascii() && line.trim_end() == line, "{line:?}");
        }
        assert!(help().starts_with("Usage: fanfare [OPTIONS]\n"));
        assert!(help().ends_with(".\n"));
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
        assert_eq!(version(), format!("fanfare {}\nfeatures: none\n", env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn readme_has_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        let readme = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        assert!(readme.contains(&table()), "{path} needs this table of options:\n\n{}", table());
    }
}
