//! What permessage-deflate saves and costs: bytes on the wire and CPU time of the server for each delivery, with it and
//! without, in turns. `cargo bench --bench compression`; Linux, where `/proc` tells a process's CPU time.
//!
//! A thousand receivers read all they get. Each message is other JSON of its size, sent when the last has come back:
//! what is measured is the cost of a delivery, not how fast they can be had. The table has the medians of five rounds.

use fanfare::websocket::frame::{Header, Opcode};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const RECEIVERS: usize = 1000;
const ROUNDS: usize = 5;
/// Messages of a size in one round.
const SIZES: [(usize, usize); 3] = [(200, 500), (2048, 500), (20_480, 150)];
const PATIENCE: Duration = Duration::from_secs(20);
const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// The real program, killed at the end.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
        command.args(["--port", "0", "--ping", "0"]).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(log.read_line(&mut line).expect("it can be read") > 0, "it ended");
            let behind = line.split_once("http://localhost:").map(|(_, behind)| behind);
            if let Some(port) = behind.and_then(|behind| behind.split('/').next()?.parse::<u16>().ok()) {
                break port;
            }
        };
        std::thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        Self { child, address: ([127, 0, 0, 1], port).into() }
    }

    /// CPU time of its one thread.
    fn cpu(&self) -> Duration {
        let path = format!("/proc/{}/schedstat", self.child.id());
        let text = std::fs::read_to_string(path).expect("Linux, with schedstat");
        let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
        Duration::from_nanos(nanoseconds.expect("a number"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All receivers; the first sends as well.
struct Crowd {
    poll: Poll,
    sockets: Vec<TcpStream>,
    scratch: Vec<u8>,
}

impl Crowd {
    fn open(server: &Server, more: &str) -> Self {
        let poll = Poll::new().expect("a poll");
        let mut sockets = Vec::new();
        for key in 0..RECEIVERS {
            let mut stream = std::net::TcpStream::connect(server.address).expect("it accepts");
            let request = format!(
                "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
            );
            stream.write_all(request.as_bytes()).expect("it reads");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("it answers");
                head.push(byte[0]);
            }
            let has_agreed = String::from_utf8_lossy(&head).contains("permessage-deflate");
            assert!(head.starts_with(b"HTTP/1.1 101 ") && has_agreed != more.is_empty());
            stream.set_nonblocking(true).expect("it can be set");
            let mut socket = TcpStream::from_std(stream);
            poll.registry().register(&mut socket, Token(key), Interest::READABLE).expect("it can be watched");
            sockets.push(socket);
        }
        Self { poll, sockets, scratch: vec![0; 256 * 1024] }
    }

    /// Sends a message, and reads until everybody has it; gives the bytes of one delivery.
    fn deliver(&mut self, text: &str) -> u64 {
        let header =
            Header { fin: true, opcode: Opcode::Text, masking_key: Some([0; 4]), length: text.len() as u64 };
        let wire = [&*header.write(), text.as_bytes()].concat();
        let deadline = Instant::now() + PATIENCE;
        let mut sent = 0;
        let mut left = vec![None; RECEIVERS];
        let (mut missing, mut bytes) = (RECEIVERS, 0);
        let mut events = Events::with_capacity(1024);
        while missing > 0 {
            if sent < wire.len() {
                sent += self.sockets[0].write(&wire[sent..]).unwrap_or(0);
            }
            self.poll.poll(&mut events, Some(Duration::from_millis(1))).expect("a poll");
            assert!(Instant::now() < deadline, "{missing} deliveries are missing");
            for event in &events {
                let key = event.token().0;
                while let Ok(read) = self.sockets[key].read(&mut self.scratch) {
                    assert!(read > 0, "it closed");
                    bytes += read as u64;
                    // Of each message there is one frame, and nothing else comes.
                    let left: &mut u64 = left[key].get_or_insert_with(|| {
                        let (header, used) = length_of(&self.scratch[..read]);
                        header + used
                    });
                    *left = left.checked_sub(read as u64).expect("one frame");
                    missing -= usize::from(*left == 0);
                }
            }
        }
        bytes / RECEIVERS as u64
    }
}

/// Payload and header of the frame that begins here.
fn length_of(frame: &[u8]) -> (u64, u64) {
    let (header, used, _) = Header::parse_compressible(frame).expect("right").expect("complete");
    (header.length, used as u64)
}

/// JSON of so many bytes, unlike the one before.
fn json(bytes: usize, state: &mut u64) -> String {
    let mut text = String::from("{\"type\":\"readings\",\"at\":\"2026-01-01T00:00:00Z\",\"rows\":[");
    while text.len() < bytes {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [sensor, whole, tenth, humidity] = [59, 40, 33, 45].map(|shift| *state >> shift);
        text += &format!(
            "{{\"sensor\":\"kitchen-{}\",\"temperature\":{}.{},\"humidity\":{},\"ok\":true}},",
            sensor % 17,
            whole % 30,
            tenth % 10,
            humidity % 100
        );
    }
    text.truncate(bytes - 2);
    text + "]}"
}

/// Bytes and CPU time of a delivery.
#[derive(Clone, Copy)]
struct Cost {
    bytes: f64,
    micros: f64,
}

fn measure(more: &str, bytes: usize, messages: usize) -> Cost {
    let server = Server::start();
    let mut crowd = Crowd::open(&server, more);
    let mut state = 1;
    for _ in 0..20 {
        crowd.deliver(&json(bytes, &mut state));
    }
    let before = server.cpu();
    let sum: u64 = (0..messages).map(|_| crowd.deliver(&json(bytes, &mut state))).sum();
    let cpu = server.cpu() - before;
    let micros = cpu.as_secs_f64() * 1e6 / (messages * RECEIVERS) as f64;
    Cost { bytes: sum as f64 / messages as f64, micros }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    // `cargo bench -- frame` asks for others.
    if std::env::args().skip(1).any(|argument| argument != "--bench") {
        return;
    }
    println!("{RECEIVERS} receivers, {ROUNDS} rounds, medians");
    println!("| JSON | bytes plain | compressed | ratio | CPU plain | compressed | ratio |");
    println!("|---|---|---|---|---|---|---|");
    for (bytes, messages) in SIZES {
        let rounds: Vec<_> =
            (0..ROUNDS).map(|_| (measure("", bytes, messages), measure(OFFER, bytes, messages))).collect();
        let of = |pick: fn(&(Cost, Cost)) -> f64| median(rounds.iter().map(pick).collect());
        println!(
            "| {bytes} | {:.0} | {:.0} | {:.2} | {:.2} µs | {:.2} µs | {:.2} |",
            of(|(plain, _)| plain.bytes),
            of(|(_, deflate)| deflate.bytes),
            of(|(plain, deflate)| deflate.bytes / plain.bytes),
            of(|(plain, _)| plain.micros),
            of(|(_, deflate)| deflate.micros),
            of(|(plain, deflate)| deflate.micros / plain.micros),
        );
    }
}
