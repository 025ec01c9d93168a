//! The program under test: started, waited for, measured, and gone when its test is.

use crate::peer::Peer;
use crate::pipe::Pipe;
#[cfg(unix)]
use crate::program::clean;
use crate::program::{comes_true, port_in, program};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take. Generous: it turns a hang into a failure, and says nothing about speed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// The independent client.
pub(crate) type Client = tungstenite::WebSocket<Patient>;

/// A stream that tries again when the system was interrupted, which a debugger or a suspended machine can do
/// to a socket with a timeout. The standard library's own loops know that; `tungstenite` does not.
pub(crate) struct Patient(TcpStream);

impl Read for Patient {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        retry(|| self.0.read(into))
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        retry(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a socket keeps nothing back
    }
}

/// Calls the system until it was not interrupted.
pub(crate) fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Waits for something to be so.
#[track_caller]
pub(crate) fn until(what: &str, condition: impl FnMut() -> bool) {
    within(DEADLINE, what, condition);
}

/// The same with a deadline of one's own.
#[track_caller]
pub(crate) fn within(limit: Duration, what: &str, condition: impl FnMut() -> bool) {
    assert!(comes_true(limit, condition), "not within {limit:?}: {what}");
}

/// The program in a process that may have only so many descriptors.
#[cfg(unix)]
pub(crate) fn program_with_descriptors(count: usize) -> Command {
    let mut shell = clean(Command::new("sh"));
    let script = format!("ulimit -n {count} && exec \"$0\" \"$@\"");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_fanfare")]);
    shell
}

/// A stream on which nothing waits for ever.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, DEADLINE).expect("the server accepts");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
    stream.set_write_timeout(Some(DEADLINE)).expect("a timeout can be set");
    // Without it a message sent a byte at a time would leave in one segment after all.
    stream.set_nodelay(true).expect("no delay can be set");
    stream
}

/// Whether this process may open so many connections more, beside those of the tests that run at the same
/// time. Says so when not: the test is to be skipped.
pub(crate) fn may_open(connections: usize) -> bool {
    let allowed = descriptors_allowed();
    let needed = connections + 1000;
    if allowed < needed {
        eprintln!("skipped: `ulimit -n` is {allowed}, {needed} are needed");
    }
    allowed >= needed
}

/// The soft limit on our own descriptors, where we can read it.
fn descriptors_allowed() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    soft.and_then(|soft| soft.parse().ok()).unwrap_or(usize::MAX)
}

/// The IPv4 port that a process listens on, once it does.
#[cfg(target_os = "linux")]
fn listening_port(process: u32) -> Option<u16> {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let links = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.ok()?.path()).ok());
    let sockets: Vec<_> = links
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    // Address and port, state and inode are the columns 1, 3 and 9; 0A is LISTEN.
    let table = std::fs::read_to_string(format!("/proc/{process}/net/tcp")).ok()?;
    table.lines().find_map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let is_it = columns.get(3) == Some(&"0A") && sockets.iter().any(|inode| columns[9] == inode);
        is_it.then(|| u16::from_str_radix(columns[1].rsplit_once(':')?.1, 16).ok())?
    })
}

/// A server of one's own; killed with its last use.
pub(crate) struct Server {
    child: Child,
    port: u16,
    log: Pipe,
    #[cfg(target_os = "linux")]
    descriptors_at_start: usize,
}

impl Server {
    /// Starts the program on a port that the system picks.
    #[track_caller]
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut command = program();
        command.args(["--port", "0"]).args(options);
        Self::spawn(command)
    }

    /// Starts a prepared program, and waits for the line that says where it listens.
    #[track_caller]
    pub(crate) fn spawn(mut command: Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        let log = Pipe::collect(child.stderr.take().expect("it is piped"));
        let mut server = Self {
            child,
            port: 0,
            log,
            #[cfg(target_os = "linux")]
            descriptors_at_start: 0,
        };
        until("the server says where it listens", || {
            let exited = server.child.try_wait().expect("it is our child");
            assert!(exited.is_none(), "the server ended: {exited:?}, {}", server.log());
            let port = port_in(&server.log());
            server.port = port.unwrap_or(0);
            port.is_some()
        });
        #[cfg(target_os = "linux")]
        {
            server.descriptors_at_start = server.descriptors();
        }
        server
    }

    /// Starts a prepared program with a standard error that nobody reads yet: the system says where it listens.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub(crate) fn spawn_unread(mut command: Command, errors: impl Into<Stdio>) -> Self {
        let child = command.stdout(Stdio::null()).stderr(errors).spawn();
        let child = child.expect("the program starts");
        let mut server = Self { child, port: 0, log: Pipe::collect(io::empty()), descriptors_at_start: 0 };
        until("the server listens", || {
            server.port = listening_port(server.child.id()).unwrap_or(0);
            server.port != 0
        });
        server
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Its IPv4 address.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// A connection on which nothing was said yet.
    #[track_caller]
    pub(crate) fn connect(&self) -> Peer {
        Peer::new(connect(self.address()))
    }

    /// A WebSocket for tests of messages. Its handshake is done: it hears all that is sent from here on.
    #[track_caller]
    pub(crate) fn client(&self, path: &str) -> Client {
        let url = format!("ws://localhost:{}{path}", self.port);
        let stream = Patient(connect(self.address()));
        match tungstenite::client(url, stream) {
            Ok((client, _)) => client,
            Err(error) => panic!("the handshake fails: {error}"),
        }
    }

    /// A WebSocket for tests of bytes.
    #[track_caller]
    pub(crate) fn websocket(&self, path: &str) -> Peer {
        let mut peer = self.connect();
        peer.open(path);
        peer
    }

    /// The same with more header lines.
    #[track_caller]
    pub(crate) fn websocket_with(&self, path: &str, more: &str) -> Peer {
        let mut peer = self.connect();
        peer.open_with(path, more);
        peer
    }

    /// A page, a handshake and a broadcast: whatever happened before, this server does its job.
    #[track_caller]
    pub(crate) fn assert_serves(&self) {
        let page = self.connect().ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(page.status, 200, "a page");
        let (mut one, mut other) = (self.client("/"), self.client("/"));
        one.send("still there".into()).expect("a message can be sent");
        for client in [&mut one, &mut other] {
            assert_eq!(client.read().expect("a broadcast"), "still there".into());
        }
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log holds a text.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        until(&format!("the log says {text:?}"), || self.log().contains(text));
    }

    /// Sends it a signal, by the name that `kill` has for it.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
        assert!(status.success(), "{kill}: {status}");
    }

    /// Waits until it ends; gives its exit code, `None` when a signal killed it.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn exit_code(&mut self, limit: Duration) -> Option<i32> {
        let mut exited = None;
        within(limit, "the server ends", || {
            exited = self.child.try_wait().expect("it is our child");
            exited.is_some()
        });
        exited.and_then(|status| status.code())
    }

    /// How many descriptors it has open.
    #[cfg(target_os = "linux")]
    pub(crate) fn descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.child.id());
        std::fs::read_dir(folder).expect("the server runs").count()
    }

    /// How many it had when it said that it listens.
    #[cfg(target_os = "linux")]
    pub(crate) fn descriptors_at_start(&self) -> usize {
        self.descriptors_at_start
    }

    /// The memory it has resident now.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The time it has computed, in seconds.
    #[cfg(target_os = "linux")]
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("the server runs");
        // Behind the name, which is in brackets: the state, and as 12th and 13th the time in user and system.
        let (_, fields) = stat.rsplit_once(')').expect("there is a name");
        let ticks =
            fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number"));
        ticks.sum::<f64>() / 100.0
    }

    /// The most memory it ever had resident.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    #[cfg(target_os = "linux")]
    fn status_bytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kilobytes: Option<u64> = kilobytes.and_then(|number| number.parse().ok());
        1024 * kilobytes.expect("Linux tells it")
    }

    /// How much more that is than it was. The system adds it up from counters of each processor, which it reads
    /// roughly: the peak can seem to have sunk.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_growth(&self, before: u64) -> u64 {
        self.peak_bytes().saturating_sub(before)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- the server's log\n{}---", self.log());
        }
    }
}

/// What a program that ends by itself left.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs a program that is to end by itself.
#[track_caller]
pub(crate) fn finish(mut command: Command) -> Finished {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the program starts");
    let output = Pipe::collect(child.stdout.take().expect("it is piped"));
    let errors = Pipe::collect(child.stderr.take().expect("it is piped"));
    let deadline = Instant::now() + DEADLINE;
    let mut status = None;
    until("the program ends, or its time does", || {
        status = child.try_wait().expect("it is our child");
        status.is_some() || Instant::now() + Duration::from_secs(1) > deadline
    });
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{command:?} runs on: {}", errors.text());
    };
    until("its pipes are empty", || output.is_complete() && errors.is_complete());
    Finished { code: status.code(), output: output.text(), errors: errors.text() }
}
