//! A case of the suite: its number, how it ended, and what no server may do.
//!
//! One line says it all, in the table and in what the driver tells: `6.4.1 OK OK 1007 clean server`.

use std::fmt;
use std::str::FromStr;

/// The number of a case. In order: 9 before 10.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Case(Vec<u16>);

impl Case {
    /// What the suite calls the category: 6 of 6.4.1.
    pub(crate) fn group(&self) -> u16 {
        self.0[0]
    }
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<_, _> = text.split('.').map(str::parse).collect();
        numbers.map(Self).map_err(|_| format!("not the number of a case: {text}"))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(u16::to_string).collect();
        formatter.pad(&numbers.join("."))
    }
}

/// How a case ended: the columns of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    answer: String,
    close: String,
    code: String,
    handshake: String,
    dropped_by: String,
}

/// What the suite may say about a server without a fault.
const FAULTLESS: [&str; 3] = ["OK", "INFORMATIONAL", "UNIMPLEMENTED"];

impl Outcome {
    /// What is wrong with it, whatever the table says.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if !FAULTLESS.contains(&self.answer.as_str()) {
            Some("the answer is wrong")
        } else if !FAULTLESS.contains(&self.close.as_str()) {
            Some("the way it closes is wrong")
        } else if self.handshake != "clean" {
            Some("the closing handshake is not whole")
        } else if self.dropped_by != "server" {
            Some("the server leaves it to the client to drop the connection")
        } else {
            None
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answer, close, code, handshake, dropped_by } = self;
        write!(formatter, "{answer:<13}  {close:<13}  {code:<4}  {handshake:<9}  {dropped_by}")
    }
}

/// Reads a line: the number of a case, and the columns.
pub(crate) fn read(line: &str) -> Result<(Case, Outcome), String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [case, columns @ ..] = &words[..] else { return Err("a line without a case".to_owned()) };
    let [answer, close, code, handshake, dropped_by] = columns else {
        return Err(format!("{} columns instead of 6: {line}", words.len()));
    };
    let [answer, close, code, handshake, dropped_by] =
        [answer, close, code, handshake, dropped_by].map(|&word| word.to_owned());
    Ok((case.parse()?, Outcome { answer, close, code, handshake, dropped_by }))
}

/// Writes it the same way.
pub(crate) fn line(case: &Case, outcome: &Outcome) -> String {
    format!("{case:<8}  {outcome}")
}
