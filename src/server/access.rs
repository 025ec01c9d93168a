//! The access log: a line for each request, when the last byte of its response is written or never will be.
//!
//! Nothing is kept and nothing counted while nobody reads the log at this level.
//!
//! Must not know: what is asked for, and how responses come about.

use crate::budget::{Budget, Loan};
use crate::connection::{Connection, Event};
use crate::http::request::Asked;
use crate::http::response::{Content, Status};
use crate::limits::LOAN_FREE_BYTES;
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

/// How a page was answered, or anything else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) status: Status,
    /// Bytes of the content, which come last of the response.
    pub(super) content_bytes: u64,
}

impl Access {
    /// An event came of a request, and its response is to be written; `answer`: of a page.
    #[inline]
    pub(super) fn event(
        &mut self,
        key: usize,
        entry: (&Transport, &Connection),
        event: &Event<'_>,
        answer: Option<Answer>,
        (now, budget): (Instant, &Budget),
    ) {
        // Nearly all are messages, and nearly nobody reads this under load.
        let is_request = match event {
            Event::Page(_) | Event::Answered(_) | Event::Open(_) | Event::Refusal(..) => true,
            Event::Message(_) | Event::Close(..) | Event::Violation(_) => false,
        };
        if is_request && log::log_enabled!(target: TARGET, Level::Info) {
            self.answered(key, entry, event, answer, (now, budget));
        }
    }

    #[cold]
    fn answered(
        &mut self,
        key: usize,
        (transport, connection): (&Transport, &Connection),
        event: &Event<'_>,
        answer: Option<Answer>,
        (now, budget): (Instant, &Budget),
    ) {
        let (asked, status, content_bytes) = match event {
            Event::Page(request) => {
                let Some(Answer { status, content_bytes }) = answer else { return };
                (Some(request.asked.clone()), status, content_bytes)
            }
            Event::Answered(asked) => (Some(asked.clone()), Status::NoContent, 0),
            Event::Open(opening) => (Some(Asked::new("GET", &opening.target)), Status::SwitchingProtocols, 0),
            Event::Refusal(refusal, asked) => {
                let is_head = asked.as_ref().is_some_and(|asked| asked.method() == "HEAD");
                let content = if is_head { Content::Omitted } else { Content::Sent };
                (asked.as_deref().cloned(), refusal.status, refusal.content_bytes(content))
            }
            Event::Message(_) | Event::Close(..) | Event::Violation(_) => return,
        };
        let requests = self.connections.entry(key).or_insert_with(|| Requests {
            address: transport.address(),
            written: 0,
            waiting: VecDeque::new(),
            loan: budget.open(),
        });
        let owed = connection.outbox().map_or(0, Outbox::bytes);
        let asked = asked.filter(|asked| requests.lend(asked.bytes()));
        let end = requests.written + owed;
        requests.waiting.push_back(Request { asked, status, content_bytes, since: now, end });
    }

    /// A connection has taken so many bytes: what is done is said.
    pub(super) fn written(&mut self, key: usize, bytes: usize) {
        // Most writes are broadcasts.
        if self.connections.is_empty() {
            return;
        }
        let Some(requests) = self.connections.get_mut(&key) else { return };
        requests.written += bytes as u64;
        while requests.waiting.front().is_some_and(|request| request.end <= requests.written) {
            let request = requests.waiting.pop_front().expect("there is a first one");
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
    /// Room for what was asked for. All of it counts: a client may ask a lot before it takes anything.
    fn lend(&mut self, bytes: usize) -> bool {
        let held = self.loan.bytes().max(LOAN_FREE_BYTES);
        self.loan.resize(held + size_of::<Request>() + bytes).is_ok()
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

/// To a microsecond: what is less is noise.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}
