//! What this machine is, what time it is, and what a process has used of it.
//!
//! Must not know: what the figures are for.

use super::error::BenchError;
use std::fs::File;
use std::io::{self, Read};
use std::time::{Duration, SystemTime};

/// Read of a file below `/proc` at most: the first processor, or all that is said about a process, is in it.
const PROC_BYTES_MAX: u64 = 16 * 1024;

/// What `/proc/PID/stat` counts CPU time in, on every architecture of Linux that is still built for.
const TICKS_PER_SECOND: u64 = 100;

/// `fanfare 0.1.0`.
pub(crate) fn version() -> String {
    concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned()
}

/// System, processor, number of processors: `Linux 6.1.0, Intel(R) Xeon(R) CPU, 2 processors`.
pub(crate) fn machine() -> String {
    let read = |path| read_start(path).ok();
    let release = read("/proc/sys/kernel/osrelease").map(|release| format!("Linux {}", one_line(&release)));
    let system = release.unwrap_or_else(|| std::env::consts::OS.to_owned());
    let model = read("/proc/cpuinfo").and_then(|cpuinfo| model_name(&cpuinfo));
    let model = model.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    match std::thread::available_parallelism() {
        Ok(count) if count.get() == 1 => format!("{system}, {model}, 1 processor"),
        Ok(count) => format!("{system}, {model}, {count} processors"),
        Err(_) => format!("{system}, {model}"),
    }
}

/// Now, in UTC and whole seconds: `2026-11-25T03:08:18Z`.
pub(crate) fn now_utc() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// CPU time of this process so far, in the system and outside of it.
#[cfg(unix)]
pub(crate) fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

/// It is not known here.
#[cfg(not(unix))]
pub(crate) fn cpu_time() -> Option<Duration> {
    None
}

/// A process on this machine, by its id.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
}

impl Process {
    /// The process that has this id now.
    ///
    /// # Errors
    /// When there is none, or the system does not say what it uses.
    pub(crate) fn open(pid: u32) -> Result<Self, BenchError> {
        match read_start(&format!("/proc/{pid}/stat")) {
            Ok(_) => Ok(Self { pid }),
            Err(cause) => Err(BenchError::Process { pid, cause }),
        }
    }

    /// Its CPU time so far, all threads together, in steps of 10 ms. `None`: it has ended.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        cpu_of_stat(&read_start(&format!("/proc/{}/stat", self.pid)).ok()?)
    }

    /// Its resident memory. `None`: it has ended.
    pub(crate) fn rss_bytes(&self) -> Option<u64> {
        rss_of_status(&read_start(&format!("/proc/{}/status", self.pid)).ok()?)
    }
}

fn read_start(path: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(PROC_BYTES_MAX).read_to_end(&mut bytes)?;
    // A name of a process may be anything.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Without control characters, and one space where there were several.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Of the first processor, where `/proc/cpuinfo` has names.
fn model_name(cpuinfo: &str) -> Option<String> {
    let named = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let mut models = named.filter(|(name, _)| name.trim() == "model name").map(|(_, model)| one_line(model));
    models.find(|model| !model.is_empty())
}

/// `utime` and `stime` of `/proc/PID/stat` (proc_pid_stat(5)): the 14th field and the 15th. The second one is
/// the name in parentheses, which may hold spaces and parentheses, so what counts is the last that closes.
fn cpu_of_stat(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()?.checked_add(ticks()?)?;
    let rest_ms = (ticks % TICKS_PER_SECOND) * (1000 / TICKS_PER_SECOND);
    Some(Duration::from_secs(ticks / TICKS_PER_SECOND) + Duration::from_millis(rest_ms))
}

/// `VmRSS` of `/proc/PID/status` (proc_pid_status(5)), whose kB are KiB.
fn rss_of_status(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_times() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10";
        let rows = [
            (format!("7 (fanfare) {rest} 150 51 0 0 20\n"), Some(2010)),
            (format!("7 (a b) S (c) {rest} 1 1 0"), Some(20)),
            (format!("7 (a\n) 9) {rest} 0 0"), Some(0)),
            (format!("7 (fanfare) {rest} 150"), None),
            (format!("7 (fanfare) {rest} x 1"), None),
            (format!("7 (fanfare) {rest} {} 1", u64::MAX), None),
            ("7 fanfare".into(), None),
            (String::new(), None),
        ];
        for (stat, want) in rows {
            assert_eq!(cpu_of_stat(&stat), want.map(Duration::from_millis), "{stat}");
        }
    }

    #[test]
    fn resident_memory() {
        let rows = [
            ("Name:\tfanfare\nVmHWM:\t   99 kB\nVmRSS:\t    1234 kB\nThreads:\t1\n", Some(1234 * 1024)),
            ("Name:\tVmRSS: 5 kB\nVmRSS:\t0 kB", Some(0)),
            ("VmRSS:\t5 MB\n", None),
            ("VmRSS:\t18446744073709551615 kB\n", None),
            // A process of the kernel has none.
            ("Name:\tkthreadd\n", None),
        ];
        for (status, want) in rows {
            assert_eq!(rss_of_status(status), want, "{status}");
        }
    }

    #[test]
    fn models() {
        let rows = [
            (
                "processor\t: 0\nmodel\t\t: 106\nmodel name\t: Intel(R)  Xeon(R)\x1b\nmodel name\t: B\n",
                Some("Intel(R) Xeon(R)"),
            ),
            ("processor\t: 0\nBogoMIPS\t: 50.00\n", None),
            ("model name\t:\n", None),
        ];
        for (cpuinfo, want) in rows {
            assert_eq!(model_name(cpuinfo).as_deref(), want, "{cpuinfo}");
        }
    }

    #[test]
    fn told_in_one_line() {
        assert!(version().starts_with("fanfare 0."), "{}", version());
        let machine = machine();
        assert!(!machine.contains(char::is_control) && machine.matches(", ").count() >= 1, "{machine}");
        let now = now_utc();
        assert!(now.len() == 20 && now.starts_with("20") && now.ends_with('Z'), "{now}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process() {
        let process = Process::open(std::process::id()).expect("it is there");
        let (own, seen) = (cpu_time().expect("on Unix"), process.cpu().expect("runs"));
        assert!(seen <= own + Duration::from_secs(10), "{seen:?}, {own:?}");
        assert!(process.rss_bytes().expect("runs") > 100 * 1024);
        // Above what any system gives out.
        let error = Process::open(u32::MAX).expect_err("nobody").to_string();
        assert!(error.starts_with("cannot look at process 4294967295: "), "{error}");
    }
}
