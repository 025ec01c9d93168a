//! The command line as it may be shown in a report: options by their long names, quoted for a shell, without
//! secrets.
//!
//! Must not know: what the options mean.

use super::table::{HEADER, TOKEN, URL};
use super::{Settings, TABLE, is_typed, values};
use crate::bench::target;
use crate::cli::read::Given;
use std::ffi::OsString;

/// Headers whose values are nobody's business.
const SECRET_HEADERS: [&str; 3] = [values::AUTHORIZATION, "Proxy-Authorization", "Cookie"];

/// What stands in place of a secret.
const STARS: &str = "***";

/// What was typed, in its order; what came from the environment was not.
pub(crate) fn shown(given: &[Given<Settings>]) -> String {
    let mut words = vec![TABLE.command.to_owned()];
    for given in given.iter().filter(|given| is_typed(given)) {
        if !given.is_operand() {
            words.push(given.name.clone());
        }
        if !given.flag.takes.is_empty() {
            words.push(quote(&without_secrets(given).to_string_lossy()));
        }
    }
    words.join(" ")
}

/// The value of an option, or the URL, as it may be shown.
pub(crate) fn without_secrets(given: &Given<Settings>) -> OsString {
    let text = given.value.to_string_lossy();
    match given.flag.long {
        URL => target::shown(&text).into(),
        TOKEN => STARS.into(),
        HEADER => header(&text).into(),
        _ => given.value.clone(),
    }
}

fn header(line: &str) -> String {
    match line.split_once(':') {
        Some((name, _)) if SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) => {
            format!("{name}: {STARS}")
        }
        _ => line.to_owned(),
    }
}

/// A word as a shell takes it: in single quotes where it needs them, which stars that stand for a word do
/// not. Control characters are escaped, so that it stays one line.
fn quote(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte);
    if word == STARS || (!word.is_empty() && word.bytes().all(is_plain)) {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    for letter in word.chars() {
        match letter {
            '\'' => quoted.push_str(r"'\''"),
            letter if letter.is_control() => quoted.extend(letter.escape_debug()),
            letter => quoted.push(letter),
        }
    }
    quoted + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_where_it_needs_to_be() {
        for (word, want) in [
            ("ws://localhost:9999/", "ws://localhost:9999/"),
            ("a%20b+c,d=e@f_g-h", "a%20b+c,d=e@f_g-h"),
            ("", "''"),
            ("a b", "'a b'"),
            ("ws://[::1]/?a&b", "'ws://[::1]/?a&b'"),
            ("~$HOME*;", "'~$HOME*;'"),
            ("it's", r"'it'\''s'"),
            ("***", "***"),
            ("a: ***", "'a: ***'"),
            ("a\n\x1b", r"'a\n\u{1b}'"),
        ] {
            assert_eq!(quote(word), want, "{word:?}");
        }
    }
}
