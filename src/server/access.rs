//! The access log: a line for each request, when the last byte of its response is written or never will be.
//!
//! Nothing is kept and nothing counted while nobody reads the log at this level.
//!
//! Must not know: what is asked for, and how responses come about.

use crate::budget::{self, Budget, Loan};
use crate::connection::{Connection, Event, Responded};
use crate::http::request::Asked;
use crate::http::response::{Content, Status};
use crate::outbox::Outbox;
use crate::transport::Transport;
use log::Level;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The target of its records: a part of the program's own, so that a library's user may choose.
const TARGET: &str = "fanfare::access";

/// Requests whose responses are not written yet, by connection.
#[derive(Debug, Default)]
pub(super) struct Access {
    connections: HashMap<usize, Requests>,
}

/// The requests of one connection, in their order.
#[derive(Debug)]
struct Requests {
    address: Option<SocketAddr>,
    /// Bytes written since the first of them.
    written: u64,
    waiting: VecDeque<Request>,
    /// What the budget of all lends for them.
    loan: Loan,
}

/// A request that is answered.
#[derive(Debug)]
struct Request {
    /// `None`: nobody could read it, or there is no memory left to know it.
    asked: Option<Asked>,
    status: Status,
    content_bytes: u64,
    since: Instant,
    /// Where its response ends, in bytes written.
    end: u64,
}

impl Access {
    /// An event came of a request, and its response is to be written; `page`: how one was answered.
    #[inline]
    pub(super) fn event(
        &mut self,
        key: usize,
        entry: (&Transport, &Connection),
        event: &Event<'_>,
        page: Option<Responded>,
        (now, budget): (Instant, &Budget),
    ) {
        // Nearly all are messages, and nearly nobody reads this under load.
        let is_request = match event {
            Event::Page(_) | Event::Stats(_) | Event::Answered(_) => true,
            Event::Watch(_) | Event::Open(_) | Event::Refusal(..) => true,
            Event::Wish(_) | Event::Message(_) | Event::Close(..) | Event::Violation(_) => false,
        };
        if is_request && log::log_enabled!(target: TARGET, Level::Info) {
            self.answered(key, entry, event, page, (now, budget));
        }
    }

    #[cold]
    fn answered(
        &mut self,
        key: usize,
        (transport, connection): (&Transport, &Connection),
        event: &Event<'_>,
        page: Option<Responded>,
        (now, budget): (Instant, &Budget),
    ) {
        let (asked, status, content_bytes) = match event {
            Event::Page(request) => {
                let Some(Responded { status, content_bytes, .. }) = page else { return };
                (Some(request.asked.clone()), status, content_bytes)
            }
            Event::Stats(request) => {
                let Some(Responded { status, content_bytes, .. }) = page else { return };
                (Some(request.asked.clone()), status, content_bytes)
            }
            Event::Watch(request) => (Some(request.asked.clone()), Status::SwitchingProtocols, 0),
            Event::Answered(asked) => (Some(asked.clone()), Status::NoContent, 0),
            Event::Open(opening) => (Some(Asked::new("GET", &opening.target)), Status::SwitchingProtocols, 0),
            Event::Refusal(refusal, asked) => {
                let is_head = asked.as_ref().is_some_and(|asked| asked.method() == "HEAD");
                let content = if is_head { Content::Omitted } else { Content::Sent };
                (asked.as_deref().cloned(), refusal.status, refusal.content_bytes(content))
            }
            Event::Wish(_) | Event::Message(_) | Event::Close(..) | Event::Violation(_) => return,
        };
        let requests =
            self.connections.entry(key).or_insert_with(|| Requests::new(transport.address(), budget));
        let end = requests.written + connection.outbox().map_or(0, Outbox::bytes);
        requests.push(Request { asked, status, content_bytes, since: now, end });
    }

    /// A connection has taken so many bytes: what is done is said.
    pub(super) fn written(&mut self, key: usize, bytes: usize) {
        // Most writes are broadcasts.
        if self.connections.is_empty() {
            return;
        }
        let Some(requests) = self.connections.get_mut(&key) else { return };
        requests.written += bytes as u64;
        while let Some(request) = requests.pop_written() {
            requests.say(&request);
        }
        if requests.waiting.is_empty() {
            self.connections.remove(&key);
        }
    }

    /// A connection is over: what it did not take, it never will.
    pub(super) fn ended(&mut self, key: usize) {
        let Some(requests) = self.connections.remove(&key) else { return };
        requests.waiting.iter().for_each(|request| requests.say(request));
    }
}

impl Requests {
    fn new(address: Option<SocketAddr>, budget: &Budget) -> Self {
        // A client may ask a lot before it takes anything.
        Self { address, written: 0, waiting: VecDeque::new(), loan: budget.open_without_free() }
    }

    /// Where there is no memory left to know what was asked for, it is not known.
    fn push(&mut self, mut request: Request) {
        if self.loan.resize(self.loan.bytes() + request.lent_bytes()).is_err() {
            request.asked = None;
        }
        self.waiting.push_back(request);
    }

    /// The first one, once its response is written.
    fn pop_written(&mut self) -> Option<Request> {
        self.waiting.front().filter(|request| request.end <= self.written)?;
        let request = self.waiting.pop_front()?;
        self.loan.force(self.loan.bytes() - request.lent_bytes());
        budget::trim(&mut self.waiting);
        Some(request)
    }

    fn say(&self, request: &Request) {
        let Request { asked, status, content_bytes, since, end } = request;
        let method = asked.as_ref().map_or("-", Asked::method);
        let path = asked.as_ref().map_or("-", Asked::path);
        let status = status.number();
        let bytes = content_bytes.saturating_sub(end.saturating_sub(self.written));
        let milliseconds = milliseconds(since.elapsed());
        let address = self.address.map_or("-".to_owned(), |address| address.to_string());
        log::info!(
            target: TARGET,
            address = address.as_str(), method, path, status, bytes, milliseconds;
            "{address} {method} {path} {status} {bytes} {milliseconds:.3}ms"
        );
    }
}

impl Request {
    /// What the budget lends for it; its place counts twice, since a queue that grows doubles.
    fn lent_bytes(&self) -> usize {
        self.asked.as_ref().map_or(0, |asked| 2 * size_of::<Self>() + asked.bytes())
    }
}

/// To a microsecond: what is less is noise.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, end: u64) -> Request {
        let asked = Some(Asked::new("GET", path));
        Request { asked, status: Status::Ok, content_bytes: 0, since: Instant::now(), end }
    }

    /// A client that always has one more on its way.
    #[test]
    fn what_is_lent_is_given_back_one_by_one() {
        let budget = Budget::new(1000);
        let mut requests = Requests::new(None, &budget);
        for number in 0..10_000 {
            requests.push(request("/a", number + 1));
            requests.written = number;
            assert_eq!(requests.pop_written().is_some(), number > 0, "the one before");
            assert!(requests.waiting[0].asked.is_some() && budget.lent() < 400, "{} lent", budget.lent());
        }
        drop(requests);
        assert_eq!(budget.lent(), 0);
    }

    #[test]
    fn a_queue_that_was_long_gives_its_memory_back() {
        let mut requests = Requests::new(None, &Budget::new(1 << 20));
        (0..3000).for_each(|number| requests.push(request("/a", number)));
        requests.written = 2990;
        while requests.pop_written().is_some() {}
        assert!(requests.waiting.capacity() < 100, "{} places for 9", requests.waiting.capacity());
    }

    #[test]
    fn without_memory_nobody_knows_what_was_asked_for() {
        let budget = Budget::new(500);
        let mut requests = Requests::new(None, &budget);
        (0..100).for_each(|number| requests.push(request("/a", number)));
        assert!(requests.waiting[0].asked.is_some() && requests.waiting[99].asked.is_none());
        assert!(budget.lent() <= 500);
        requests.written = 100;
        while requests.pop_written().is_some() {}
        assert_eq!(budget.lent(), 0);
    }
}
