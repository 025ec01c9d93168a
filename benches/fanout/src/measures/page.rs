//! How long a page takes while messages go to many: a pass over the receivers is cut into slices, and a request waits
//! for the one that is under way. Of fanfare only: the others serve no pages.

use super::WINDOW;
use crate::load::Load;
use crate::process::pin;
use crate::ratio::Outcome;
use crate::run::{Lab, Run, Watch};
use crate::server::Kind;
use crate::table::{Table, figure, thousands};
use fanfare::limits::FLUSH_WRITES_PER_TURN;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const RECEIVERS: u64 = 15_000;
const SECONDS_LEAST: f64 = 3.0;
const PATH: &str = "/websocket.html";
/// Between the end of a request and the next.
const PAUSE: Duration = Duration::from_millis(10);
/// A page that takes longer than this will not come.
const PATIENCE: Duration = Duration::from_secs(20);
/// The highest priority there is: a page must not wait for the load, which has the same processor.
const NICE: i32 = -20;

/// A page that was fetched.
struct Fetch {
    /// Since the load was started.
    began: f64,
    milliseconds: f64,
}

pub fn table(lab: &Lab) -> Table {
    let receivers = lab.room_for(RECEIVERS);
    let seconds = lab.options.seconds.max(SECONDS_LEAST);
    let closed = Load::closed(receivers, seconds);
    let header = ["meanwhile", "pages", "p50, ms", "p99, ms", "max, ms", "a delivery, µs"];
    let title = format!("A page while {} are connected", thousands(receivers));
    let mut table = Table::new(title, header);
    for load in [Load::idle(receivers, seconds), closed, closed.window(WINDOW)] {
        match measure(lab, &load) {
            Ok((run, times)) => {
                let quantile = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
                let delivery = run.cpu_us_per_delivery();
                table.row([
                    load.pace_options(),
                    times.len().to_string(),
                    figure(quantile(0.5)),
                    figure(quantile(0.99)),
                    figure(quantile(1.0)),
                    delivery.map_or_else(|| "–".to_owned(), figure),
                ]);
                if let Some(us) = delivery {
                    table.note(slice(&load, us));
                }
            }
            Err(error) => table.row([load.pace_options(), format!("failed: {error}")]),
        }
    }
    table
}

/// What a request waits for at most, when one slice is under way.
fn slice(load: &Load, us_per_delivery: f64) -> String {
    let milliseconds = FLUSH_WRITES_PER_TURN as f64 * us_per_delivery / 1e3;
    let pace = load.pace_options();
    if load.pace == Load::closed(1, 1.0).pace {
        let slice = figure(milliseconds);
        return format!(
            "{pace}: a slice of {FLUSH_WRITES_PER_TURN} writes, of one delivery each, takes {slice} ms."
        );
    }
    let most = figure(milliseconds * f64::from(WINDOW));
    format!(
        "{pace}: a slice of {FLUSH_WRITES_PER_TURN} writes, of up to {WINDOW} deliveries each, takes up to {most} ms."
    )
}

/// How long the pages took that were fetched while it was measured, the fastest first.
fn measure(lab: &Lab, load: &Load) -> Outcome<(Run, Vec<f64>)> {
    let server = lab.start(Kind::Fanfare)?;
    let is_over = AtomicBool::new(false);
    let (run, fetches) = thread::scope(|scope| {
        let fetching = scope.spawn(|| fetch_all(server.address, lab.load_processor, &is_over));
        let run = lab.run_on(&server, load, Watch::Processor);
        is_over.store(true, Ordering::Relaxed);
        (run, fetching.join())
    });
    let run = run?;
    let fetches =
        fetches.map_err(|_| "the thread that fetches")?.map_err(|error| format!("a page: {error}"))?;
    let (from, to) = run.window();
    let within = fetches.iter().filter(|fetch| fetch.began >= from && fetch.began <= to);
    let mut times: Vec<_> = within.map(|fetch| fetch.milliseconds).collect();
    times.sort_by(f64::total_cmp);
    if times.is_empty() {
        return Err("no page came".to_owned());
    }
    eprintln!("page: {load}: {} ms in the middle of {}", figure(times[times.len() / 2]), times.len());
    Ok((run, times))
}

/// Fetches one page after the other.
fn fetch_all(address: SocketAddr, processor: usize, is_over: &AtomicBool) -> io::Result<Vec<Fetch>> {
    let start = Instant::now();
    pin(processor)?;
    // Not everybody may; without it the load makes some of them late.
    let _may = rustix::process::setpriority_process(None, NICE);
    let mut fetches = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        fetch(address)?;
        let milliseconds = began.elapsed().as_secs_f64() * 1e3;
        fetches.push(Fetch { began: (began - start).as_secs_f64(), milliseconds });
        thread::sleep(PAUSE);
    }
    Ok(fetches)
}

/// One page, on a connection of its own, to its last byte.
fn fetch(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {PATH} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    let is_whole = response.starts_with(b"HTTP/1.1 200 ") && response.ends_with(b"</html>\n");
    if is_whole { Ok(()) } else { Err(io::Error::other("it is not whole")) }
}
