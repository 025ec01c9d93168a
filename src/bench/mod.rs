//! `fanfare bench`: a load generator, with its own loop over the same codec.
//!
//! `plan` is what a run is to do, `summary` what it has found; between them stands `run`, the loop. It leans on rooms
//! that know no socket and no clock: `stamp`, `judge`, `reader` and `mirror` tell what comes in, `ledger`, `flights` and `tally`
//! what that means, `schedule` when messages are due, `probe` who hears them. `sockets`, `sources`, `timer` and
//! `machine` are the system; `transport` is what carries a connection, with `tls` or without. `report` and `progress` show.
//!
//! Must not know: the server. It uses only the library's public face, as a stranger's program would.

mod cause;
mod error;
mod figures;
mod flights;
mod handshake;
mod judge;
mod ledger;
pub(crate) mod limits;
mod machine;
mod mirror;
pub(crate) mod plan;
mod probe;
mod progress;
mod reader;
mod report;
mod run;
mod schedule;
mod sockets;
mod sources;
pub(crate) mod stamp;
mod summary;
mod tally;
pub(crate) mod target;
mod timer;
#[cfg(feature = "tls")]
mod tls;
mod transport;

pub(crate) use error::BenchError;

use plan::{Comparison, Plan, Task};
use progress::Progress;
use report::Colour;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use summary::Summary;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing was lost.
    Clean,
    /// A connection or a message was lost.
    Lossy,
}

/// Does what was asked for, and tells the result.
///
/// # Errors
/// What keeps a run from beginning, or the result from being told.
pub(crate) fn run(task: &Task) -> Result<Outcome, BenchError> {
    match task {
        Task::Run(plan) => put_load(plan),
        Task::Compare(comparison) => compare(comparison),
    }
}

fn put_load(plan: &Plan) -> Result<Outcome, BenchError> {
    // Told before the run: it would be a pity afterwards.
    let mut page = plan.output.report.as_deref().map(create).transpose()?;
    let summary = run::run(plan, &mut Progress::new())?;
    if let Some((file, path)) = &mut page {
        write_page(file, path, &report::page(&summary))?;
    }
    print(&if plan.output.json { report::json(&summary) } else { report::table(&summary, colour()) })?;
    Ok(if summary.is_clean() { Outcome::Clean } else { Outcome::Lossy })
}

fn compare(comparison: &Comparison) -> Result<Outcome, BenchError> {
    let [a, b] = &comparison.files;
    let (first, second) = (read(a)?, read(b)?);
    let names = [a, b].map(|path| path.display().to_string());
    let names = [names[0].as_str(), names[1].as_str()];
    match &comparison.report {
        Some(path) => {
            let (mut file, path) = create(path)?;
            write_page(&mut file, path, &report::compare_page(names, [&first, &second]))?;
        }
        None => print(&report::compare_table(names, [&first, &second], colour()))?,
    }
    Ok(Outcome::Clean)
}

fn read(path: &Path) -> Result<Summary, BenchError> {
    let failed = |cause| BenchError::Read { path: path.to_owned(), cause };
    let file = File::open(path).map_err(failed)?;
    let mut text = String::new();
    // One byte past the limit shows that it was passed.
    let read = file.take(report::FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    let wrong = |problem| BenchError::NotAResult { path: path.to_owned(), problem };
    if read as u64 > report::FILE_BYTES_MAX {
        return Err(wrong(format!("it has more than {} bytes", report::FILE_BYTES_MAX)));
    }
    report::read(&text).map_err(|error| wrong(error.to_string()))
}

fn create(path: &Path) -> Result<(File, &Path), BenchError> {
    let file = File::create(path).map_err(|cause| BenchError::Write { path: path.to_owned(), cause })?;
    Ok((file, path))
}

fn write_page(file: &mut File, path: &Path, page: &str) -> Result<(), BenchError> {
    let written = file.write_all(page.as_bytes());
    written.map_err(|cause| BenchError::Write { path: path.to_owned(), cause })
}

/// Whether the result may be coloured: on a terminal whose owner does not mind (<https://no-color.org>).
fn colour() -> Colour {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !is_unwanted { Colour::Ansi } else { Colour::Plain }
}

fn print(text: &str) -> Result<(), BenchError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // `fanfare bench … | head -1` has what it wants.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|cause| BenchError::System { what: "write to standard output", cause }),
    }
}
