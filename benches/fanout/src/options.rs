//! What may be asked for on the command line.

use crate::measures::Measure;
use lexopt::prelude::*;
use std::ffi::OsString;

pub const USAGE: &str = "\
usage: cargo run --release -- [OPTIONS]
       fanfare-fanout serve NAME PORT
fanfare beside other broadcasters and beside a bare loop: the same work, in turn, as ratios.

  --rounds N          how often everything is measured [5]
  --seconds SECONDS   how long a run is measured [0.5]
  --only TABLE,...    some of: delivery, growth, calls, handshake, memory, big, spread, page
  --all               every server in every cell: takes three times as long
  --help

NAME is bare, tokio-tungstenite or fastwebsockets.";

/// What to do.
pub enum Command {
    Measure(Options),
    Serve {
        name: String,
        port: u16,
    },
    /// Not for people: become another program.
    Launch {
        processor: usize,
        command: Vec<OsString>,
    },
    Help,
}

#[derive(Clone)]
pub struct Options {
    pub rounds: usize,
    pub seconds: f64,
    pub measures: Vec<Measure>,
    pub all: bool,
}

/// Reads what was typed.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = Options { rounds: 5, seconds: 0.5, measures: Measure::ALL.to_vec(), all: false };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rounds") => options.rounds = parser.value()?.parse_with(positive)?,
            Long("seconds") => options.seconds = parser.value()?.parse_with(seconds)?,
            Long("only") => options.measures = parser.value()?.parse_with(measures)?,
            Long("all") => options.all = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            Value(word) if word == "serve" => {
                return Ok(Command::Serve {
                    name: parser.value()?.string()?,
                    port: parser.value()?.parse()?,
                });
            }
            Value(word) if word == "launch" => {
                let processor = parser.value()?.parse()?;
                return Ok(Command::Launch { processor, command: parser.raw_args()?.collect() });
            }
            Short(_) | Long(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Measure(options))
}

fn positive(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|&number| number > 0).ok_or("a number from 1")
}

fn seconds(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|seconds| (0.1..=60.0).contains(seconds)).ok_or("seconds from 0.1 to 60")
}

fn measures(text: &str) -> Result<Vec<Measure>, String> {
    let measure = |name: &str| {
        let known = Measure::ALL.into_iter().find(|measure| measure.name() == name);
        known.ok_or_else(|| format!("no table {name:?}"))
    };
    text.split(',').map(measure).collect()
}
