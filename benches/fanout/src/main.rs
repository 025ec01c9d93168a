//! fanfare beside other broadcasters and beside a bare loop: the same work, in turn, as ratios.
//!
//! `cargo run --release` builds everything, measures for some thirteen minutes on two processors, and prints tables in
//! Markdown; what is on its way is told on standard error. Linux only: what a server used is read from /proc.
//!
//! `options` is what may be asked for, `measures` has a file for each table, `rounds` the order in which servers take
//! turns, `run` a single run. `servers` are the broadcasters, which run in processes of their own.

mod load;
mod measures;
mod options;
mod process;
mod programs;
mod ratio;
mod rounds;
mod run;
mod samples;
mod server;
mod servers;
mod table;

use options::{Command, Options, USAGE, parse};
use run::Lab;
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanfare-fanout: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    match parse(lexopt::Parser::from_env())? {
        Command::Measure(options) => measure(options),
        Command::Serve { name, port } => servers::serve(&name, port),
        Command::Launch { processor, command } => Err(process::launch(processor, &command).into()),
        Command::Help => {
            println!("{USAGE}");
            Ok(())
        }
    }
}

fn measure(options: Options) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let lab = Lab::new(options)?;
    println!(
        "Rounds: {}, of {} s a run, but where it is said otherwise. A ratio is the median over the rounds, in\n\
         brackets the least and the greatest; each is of two runs of one round.",
        lab.options.rounds, lab.options.seconds
    );
    measures::measure(&lab);
    let seconds = began.elapsed().as_secs();
    println!("\nAll of it took {} min {} s.", seconds / 60, seconds % 60);
    Ok(())
}
