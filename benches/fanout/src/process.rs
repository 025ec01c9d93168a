//! Processes that are measured: pinned to a processor, gone with whoever started them, and what the kernel says.
//!
//! A child is started through this program once more (`launch`), which sets itself up as the child is to be and then
//! becomes it. Between fork and exec of its own, a program without `unsafe` can do none of it.

use rustix::process::{Pid, Resource, Rlimit, Signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::{env, fs, io};

/// The processors that this program may use, the first for the server and the last for the load.
pub fn processors() -> io::Result<Vec<usize>> {
    let allowed = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&processor| allowed.is_set(processor)).collect())
}

/// Pins the thread that calls.
pub fn pin(processor: usize) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(processor);
    Ok(sched_setaffinity(None, &only)?)
}

/// How many files a child may have open.
pub fn descriptors() -> u64 {
    rustix::process::getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX)
}

/// Becomes another program: pinned, with as many descriptors as it may have, and killed when its parent ends.
/// Comes back only with an error.
pub fn launch(processor: usize, command: &[OsString]) -> io::Error {
    let become_it = || {
        pin(processor)?;
        let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Nofile);
        rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Command::new(program).args(arguments).exec())
    };
    become_it().unwrap_or_else(|error: io::Error| error)
}

/// A command that [`launch`]es another.
pub fn pinned<S: AsRef<OsStr>>(
    processor: usize,
    command: impl IntoIterator<Item = S>,
) -> io::Result<Vec<OsString>> {
    let mut whole: Vec<OsString> =
        vec![env::current_exe()?.into(), "launch".into(), processor.to_string().into()];
    whole.extend(command.into_iter().map(|part| part.as_ref().to_owned()));
    Ok(whole)
}

/// A running child; killed and reaped with its last use.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a command whose output goes to `output`, and whose complaints go nowhere.
    pub fn start(command: &[OsString], output: Stdio) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(program);
        child.args(arguments).stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        Ok(Self { child: child.spawn()? })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only where it has ended and was reaped.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Kills the children of a process. It is for a tracer, which tells what it counted once they are gone.
pub fn kill_children(id: u32) -> io::Result<()> {
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
    for child in children.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?)) {
        rustix::process::kill_process(child, Signal::KILL)?;
    }
    Ok(())
}

/// Seconds that all threads of a process have run.
pub fn cpu_seconds(id: u32) -> io::Result<f64> {
    let mut nanoseconds = 0.0;
    for task in fs::read_dir(format!("/proc/{id}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().and_then(|ran| ran.parse().ok()).unwrap_or(0.0);
    }
    Ok(nanoseconds / 1e9)
}

/// Bytes of memory that are the process's own: not files, not what is shared.
pub fn own_bytes(id: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("the kernel does not tell RssAnon"))
}
