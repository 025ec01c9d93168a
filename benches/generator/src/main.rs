//! A load generator as people write it with tokio-tungstenite: a task for each connection, which counts what comes in.
//! It is what `run.py` sets beside `fanfare bench`.
//!
//! It is made to look good: one thread, so that nothing is locked; a read buffer of 4 KiB, since the default of 128 KiB
//! is zeroed again for each read; of a message only the length is looked at and the time that stands in it. Content,
//! order and duplicates, which `fanfare bench` checks, are not.
//!
//! Prints one line of JSON. Linux only: its own CPU time is from /proc.

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use hdrhistogram::Histogram;
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_local};
use tokio::time;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

const USAGE: &str =
    "usage: fanfare-generator --url ws://ADDRESS:PORT/ [--connections N] [--rate N] [--duration SECONDS]";

/// Payload of a message, in bytes: as much as `fanfare bench` sends unless told otherwise.
const PAYLOAD_BYTES: usize = 64;
/// Digits at its beginning that say when it was due, in microseconds since the run began.
const TIME_DIGITS: usize = 16;
const READ_BUFFER_BYTES: usize = 4096;
/// Handshakes under way at a time, and connections from one source address, like `fanfare bench`.
const OPENING_MAX: usize = 100;
const CONNECTIONS_PER_ADDRESS: usize = 4096;
/// How long stragglers are waited for.
const DRAIN: Duration = Duration::from_secs(5);

type WebSocket = WebSocketStream<TcpStream>;
type Failure = Box<dyn Error>;
type Received = Result<Message, tokio_tungstenite::tungstenite::Error>;

struct Options {
    url: String,
    connections: usize,
    rate: u64,
    duration: Duration,
}

/// What all tasks count in.
struct Tally {
    /// From when on it counts: all connections are open.
    began: Instant,
    received: Cell<u64>,
    latency_us: RefCell<Histogram<u64>>,
}

fn main() -> Result<(), Failure> {
    let started = Instant::now();
    let options = options()?;
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(run(options, started))
}

fn options() -> Result<Options, Failure> {
    let mut options =
        Options { url: String::new(), connections: 100, rate: 100, duration: Duration::from_secs(5) };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match name.as_str() {
            "--url" => options.url = value,
            "--connections" => options.connections = value.parse()?,
            "--rate" => options.rate = value.parse()?,
            "--duration" => options.duration = Duration::try_from_secs_f64(value.parse()?)?,
            _ => return Err(USAGE.into()),
        }
    }
    if options.url.is_empty() || options.connections == 0 || options.rate == 0 {
        return Err(USAGE.into());
    }
    Ok(options)
}

async fn run(options: Options, started: Instant) -> Result<(), Failure> {
    let sockets = open_all(&options).await?;
    let tally = Rc::new(Tally {
        began: Instant::now(),
        received: Cell::new(0),
        latency_us: RefCell::new(Histogram::new_with_bounds(1, 60_000_000, 3)?),
    });
    let cpu_before = cpu_seconds()?;
    let mut sender = None;
    for socket in sockets {
        if sender.is_some() {
            spawn_local(receive(socket, Rc::clone(&tally)));
        } else {
            let (sink, stream) = socket.split();
            sender = Some(sink);
            spawn_local(receive(stream, Rc::clone(&tally)));
        }
    }
    let sent = send(sender.ok_or(USAGE)?, &options, &tally).await?;
    let expected = sent * options.connections as u64;
    let deadline = tally.began + options.duration + DRAIN;
    while tally.received.get() < expected && Instant::now() < deadline {
        time::sleep(Duration::from_millis(1)).await;
    }
    let cpu_seconds = cpu_seconds()? - cpu_before;
    let measured = (tally.began - started, started.elapsed());
    report(&tally, expected, measured, cpu_seconds);
    Ok(())
}

/// Opens all connections, so many at a time.
async fn open_all(options: &Options) -> Result<Vec<WebSocket>, Failure> {
    let uri = options.url.as_str().into_client_request()?.uri().clone();
    let authority = uri.authority().ok_or(USAGE)?;
    let address = SocketAddr::new(authority.host().parse()?, authority.port_u16().unwrap_or(80));
    let (room, mut tasks) = (Rc::new(Semaphore::new(OPENING_MAX)), JoinSet::new());
    for number in 0..options.connections {
        let (url, room) = (options.url.clone(), Rc::clone(&room));
        tasks.spawn_local(async move {
            let _permit = room.acquire().await.expect("nobody closes it");
            open(&url, address, number).await.map_err(|error| error.to_string())
        });
    }
    let mut sockets = Vec::new();
    while let Some(opened) = tasks.join_next().await {
        sockets.push(opened??);
    }
    Ok(sockets)
}

async fn open(url: &str, address: SocketAddr, number: usize) -> Result<WebSocket, Failure> {
    let socket = TcpSocket::new_v4()?;
    socket.set_nodelay(true)?;
    let host = 1 + number / CONNECTIONS_PER_ADDRESS;
    if host > 1 {
        socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, u8::try_from(host)?)), 0))?;
    }
    let stream = socket.connect(address).await?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    Ok(client_async_with_config(url, stream, Some(config)).await?.0)
}

/// One connection's task.
async fn receive(mut stream: impl StreamExt<Item = Received> + Unpin, tally: Rc<Tally>) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        let now_us = tally.began.elapsed().as_micros() as u64;
        let due_us = text.get(..TIME_DIGITS).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        if let Some(due_us) = due_us
            && text.len() == PAYLOAD_BYTES
        {
            tally.received.set(tally.received.get() + 1);
            tally.latency_us.borrow_mut().saturating_record(now_us.saturating_sub(due_us).max(1));
        }
    }
}

/// Sends by the clock, and gives how many.
async fn send(
    mut sink: SplitSink<WebSocket, Message>,
    options: &Options,
    tally: &Tally,
) -> Result<u64, Failure> {
    let messages = (options.duration.as_secs_f64() * options.rate as f64) as u64;
    for message in 0..messages {
        let due_us = message * 1_000_000 / options.rate;
        time::sleep_until((tally.began + Duration::from_micros(due_us)).into()).await;
        let filler = "x".repeat(PAYLOAD_BYTES - TIME_DIGITS);
        sink.send(Message::text(format!("{due_us:016x}{filler}"))).await?;
    }
    time::sleep_until((tally.began + options.duration).into()).await;
    Ok(messages)
}

/// What all threads of this process have run, in user space and in the kernel.
fn cpu_seconds() -> Result<f64, Failure> {
    let mut nanoseconds = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let schedstat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += schedstat.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(nanoseconds as f64 / 1e9)
}

/// `measured`: when it began and when it ended to count, since the program was started.
fn report(tally: &Tally, expected: u64, measured: (Duration, Duration), cpu_seconds: f64) {
    let (from, to) = (measured.0.as_secs_f64(), measured.1.as_secs_f64());
    let received = tally.received.get();
    let latency = tally.latency_us.borrow();
    let latency_ms = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
    println!(
        "{{\"seconds\":{:.3},\"expected\":{expected},\"received\":{received},\"cpu_seconds\":{cpu_seconds:.4},\
         \"cpu_us_per_received\":{:.3},\"latency_ms\":{{\"p50\":{:.3},\"p99\":{:.3},\"max\":{:.3}}},\
         \"measured_from\":{from:.3},\"measured_to\":{to:.3}}}",
        to - from,
        cpu_seconds * 1e6 / received.max(1) as f64,
        latency_ms(0.5),
        latency_ms(0.99),
        latency_ms(1.0),
    );
}
