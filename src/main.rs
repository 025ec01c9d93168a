//! The program: a command line, a log, and a handler that broadcasts. It uses only the library's public face.

#[cfg(feature = "bench")]
mod bench;
mod cli;
mod escape;

use cli::logger;
use cli::options::{self, Command, Settings};
use fanfare::config::Audience;
use fanfare::{Context, Error, Handler, Message, Server};
use std::io::{self, Write};
use std::process::ExitCode;

/// A wrong option or value.
const USAGE: u8 = 2;
/// Something at start-up or in the system failed.
const FAILURE: u8 = 1;
/// What a shell makes of SIGINT.
#[cfg(feature = "bench")]
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let command = options::parse(std::env::args_os().skip(1), |name| std::env::var_os(name));
    let outcome = match command {
        Err(error) => return fail(USAGE, &error.to_string()),
        Ok(Command::Help) => print(&options::help()),
        Ok(Command::Version) => print(&options::version()),
        Ok(Command::Serve(settings)) => serve(settings),
        #[cfg(feature = "bench")]
        Ok(Command::BenchHelp) => print(&cli::bench::help()),
        #[cfg(feature = "bench")]
        Ok(Command::Bench(task)) => return load(&task),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILURE, &format!("{error}{}", remedy(&error))),
    }
}

/// Runs the load generator. Somebody who interrupts it twice wants no more words.
#[cfg(feature = "bench")]
fn load(task: &bench::plan::Task) -> ExitCode {
    match bench::run(task) {
        Ok(bench::Outcome::Clean) => ExitCode::SUCCESS,
        Ok(bench::Outcome::Lossy) => ExitCode::from(FAILURE),
        Err(bench::BenchError::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => fail(FAILURE, &error.to_string()),
    }
}

/// Every message goes to whom its sender's path says: to everyone, or on `/echo` back to the sender.
struct Broadcast;

impl Handler for Broadcast {
    fn message(&mut self, context: &mut Context<'_>, message: Message<'_>) {
        match context.audience() {
            Audience::Everyone => context.publish(&message),
            Audience::Sender => context.send(&message),
        }
    }
}

fn serve(settings: Settings) -> Result<(), Error> {
    logger::install(settings.level, settings.log_format);
    // Connections are descriptors: as many as the system lets us have. Where it refuses, what there is must do.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let mut server = Server::bind(settings.config)?;
    server.drain_on_signals()?;
    server.run(Broadcast)?;
    log::info!("stopped");
    log::logger().flush();
    Ok(())
}

/// What to do about it, in the words of the command line.
fn remedy(error: &Error) -> &'static str {
    match error {
        Error::Listen { cause, .. } if cause.kind() == io::ErrorKind::AddrInUse => {
            "; stop the other program or choose another --port"
        }
        Error::Listen { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied => {
            "; choose a --port above 1023"
        }
        Error::Listen { .. } | Error::Resolve { .. } | Error::NoListener => "; see --listen",
        Error::Pages { .. } => "; name a folder that can be read with --www",
        Error::Certificate { file: Some(_), .. } => "; see --tls-cert and --tls-key",
        Error::Certificate { file: None, .. } | Error::NoCertificate | Error::NoTls => {
            "; see --tls-self-signed"
        }
        Error::System { .. } | _ => "",
    }
}

fn print(text: &str) -> Result<(), Error> {
    let written = writeln!(io::stdout().lock(), "{}", text.trim_end());
    match written {
        // `fanfare --help | head` has what it wants.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|cause| Error::System { what: "write to standard output", cause }),
    }
}

/// One line that says what is wrong. If even that cannot be written, the status still tells.
fn fail(status: u8, problem: &str) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "fanfare: {problem}");
    ExitCode::from(status)
}
