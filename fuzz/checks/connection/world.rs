//! The loop around one connection, in memory: its channel, its files, its clock, and a client at the other end of a
//! socket that takes what it likes.

use super::super::input::{Cuts, Input};
use super::{MESSAGE_BYTES_MAX, client, wire};
use fanfare::budget::Budget;
use fanfare::channel::{Channel, Readiness};
use fanfare::config::{Audience, Config, OwnMessages};
use fanfare::connection::{Connection, Event, Expiry, Flushed, Found, Link, PageRequest, Turn};
use fanfare::deadline::{Now, Tick};
use fanfare::http::conditional::Answer;
use fanfare::http::origin::{Peer, Scheme};
use fanfare::http::representation::{Author, Choice, Facts, Representation};
use fanfare::http::response::Content;
use fanfare::http::{NOT_FOUND, Refusal};
use fanfare::limits::{
    DEFLATE_BYTES_MIN, OUTBOX_BYTES_MAX, OUTBOX_ITEM_COST, READ_BYTES_MAX, REQUEST_HEAD_BYTES_MAX,
};
use fanfare::outbox::{Body, FileId, FileRange, Gather};
use fanfare::websocket::codec::Codec;
use fanfare::{CloseCode, Message};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

/// Reads of one turn: the rest waits for the next.
const READS_PER_TURN: usize = 24;

/// Turns after which nothing may be left to do when nobody sends any more.
const TURNS_TO_SETTLE: usize = 10_000;

/// Seconds of silence after which everybody is gone: a ping interval and a quarter, twice, or the keep-alive
/// of a response that is not taken, and the time to linger.
const SILENCE_SECONDS: usize = 140;

const FILE_BYTES: u64 = 5_000;

/// The longest response: its head, a `Location` of escapes, a page of its own, and the 100 before it.
const RESPONSE_MAX: usize = 1024 + 3 * REQUEST_HEAD_BYTES_MAX + FILE_BYTES as usize + 4 * OUTBOX_ITEM_COST;

/// The connection, its channel, and a client at the other end of a socket in memory.
pub(super) struct World<'c> {
    config: &'c Config,
    budget: &'c Budget,
    codec: &'c Codec,
    connection: Connection,
    channel: Channel,
    tenths: u64,
    /// What the client has sent, in all, and what of it the server has not read.
    sent_in_all: Vec<u8>,
    pub(super) sent: VecDeque<u8>,
    cuts: Cuts,
    reads: usize,
    /// How much larger reads are than the cuts say.
    pub(super) read_scale: usize,
    largest_read: usize,
    /// Requests of one read that are answered before the rest of it waits.
    answers_per_read: usize,
    fin_is_sent: bool,
    input_ended: bool,
    is_owed_nothing: bool,
    /// What the client's socket takes.
    pub(super) room: usize,
    is_blocked: bool,
    /// It has its place among those who are written to.
    in_writable: bool,
    is_shut_down: bool,
    pub(super) is_gone: bool,
    /// Files that are open to be sent.
    files: BTreeSet<u32>,
    files_opened: u32,
    pub(super) written: Vec<u8>,
    said: wire::Said,
}

impl<'c> World<'c> {
    pub(super) fn new(
        config: &'c Config,
        (budget, codec): (&'c Budget, &'c Codec),
        cuts: Cuts,
        manner: u8,
        spread: u8,
    ) -> Self {
        let channel = Channel::new(config);
        let turn = Turn { config, budget, codec, now: Now::default(), head: 0 };
        let connection = match manner & 0xe0 == 0xe0 {
            true => Connection::refused(Link { peer: Peer::Remote, scheme: Scheme::Http }, &turn),
            false => Connection::new(Link { peer: Peer::Loopback, scheme: Scheme::Http }, spread, &turn),
        };
        Self {
            config,
            budget,
            codec,
            connection,
            channel,
            tenths: 0,
            sent_in_all: Vec::new(),
            sent: VecDeque::new(),
            cuts,
            reads: 0,
            read_scale: if manner & 8 != 0 { 256 } else { 1 },
            largest_read: 0,
            answers_per_read: if manner & 16 != 0 { 2 } else { usize::MAX },
            fin_is_sent: false,
            input_ended: false,
            is_owed_nothing: false,
            room: if manner & 32 != 0 { 0 } else { 1 << 20 },
            is_blocked: false,
            in_writable: false,
            is_shut_down: false,
            is_gone: false,
            files: BTreeSet::new(),
            files_opened: 0,
            written: Vec::new(),
            said: wire::Said::default(),
        }
    }

    pub(super) fn act(&mut self, input: &mut Input<'_>) {
        match input.below(32) {
            0..=21 if !self.fin_is_sent => {
                let bytes = client::say(input);
                self.sent_in_all.extend(&bytes);
                self.sent.extend(bytes);
            }
            22 => self.tenths += u64::from(input.byte()),
            23 => self.tenths += 10 * u64::from(input.byte()),
            24 | 25 => self.make_room(input.below(256)),
            26 => self.make_room(1 << 16),
            27 => self.publish(&vec![b'o'; input.below(256)]),
            28 => self.publish(&vec![b'o'; usize::from(input.number() % 4000)]),
            29 => self.fin_is_sent = true,
            30 => self.wish(input),
            _ => {}
        }
    }

    /// What a program, or an operator, wants of the connection.
    fn wish(&mut self, input: &mut Input<'_>) {
        let turn = self.now();
        match input.below(8) {
            0 => self.connection.go_away(&turn),
            1 => self.connection.close(CloseCode(input.number()), "because", &turn),
            2 => self.connection.close(CloseCode::NORMAL, &"\u{e9}".repeat(input.below(100)), &turn),
            // A program that sends without end is not the connection's to stop.
            _ if self.connection.wants_input() => {
                let message = Message::text("s".repeat(input.below(200)));
                self.send(&message);
            }
            _ => {}
        }
    }

    fn now(&self) -> Turn<'c> {
        let tick = Tick::at(Duration::from_millis(self.tenths * 100));
        let now = Now { tick, unix_seconds: 784_111_777 };
        let head = self.channel.head(self.connection.seat());
        Turn { config: self.config, budget: self.budget, codec: self.codec, now, head }
    }

    /// One turn of the loop.
    pub(super) fn turn(&mut self) {
        for _ in 0..READS_PER_TURN {
            self.read();
            self.expire();
            self.flush();
            if self.is_gone || (self.sent.is_empty() && !self.connection.is_paused()) {
                break;
            }
        }
    }

    fn read(&mut self) {
        let is_held = self.channel.is_congested() && self.connection.is_publisher();
        if self.is_gone || !self.connection.wants_input() || is_held {
            return;
        }
        let read = if self.connection.is_paused() { Vec::new() } else { self.take_sent() };
        if !read.is_empty() || self.connection.is_paused() {
            self.take_in(read);
            self.close_slow();
        } else if self.fin_is_sent && !self.input_ended {
            self.input_ended = true;
            let turn = self.now();
            if !self.connection.end_of_input(&turn) {
                self.is_gone = true;
                // A WebSocket that ends without a Close gets nothing more, what it asked for as HTTP neither.
                self.is_owed_nothing = self.connection.audience().is_some();
            }
        }
    }

    fn take_sent(&mut self) -> Vec<u8> {
        let size = (self.cuts.size(self.reads) * self.read_scale).min(READ_BYTES_MAX);
        self.reads += 1;
        let read: Vec<u8> = self.sent.drain(..size.min(self.sent.len())).collect();
        self.largest_read = self.largest_read.max(read.len());
        read
    }

    /// What was read, behind what was kept, event by event.
    fn take_in(&mut self, read: Vec<u8>) {
        let turn = self.now();
        if !read.is_empty() {
            self.connection.heard(&turn);
        }
        let mut bytes = self.connection.take_kept();
        assert!(bytes.len() <= REQUEST_HEAD_BYTES_MAX + self.largest_read, "{} bytes are kept", bytes.len());
        bytes.extend(read);
        let length = bytes.len();
        let mut input = &mut bytes[..];
        let mut answers = 0;
        loop {
            let turn = self.now();
            let Some(event) = self.connection.next(&mut input, &turn) else {
                assert!(self.connection.keep(input, &turn).is_none(), "there is memory enough");
                break;
            };
            match event {
                Event::Page(request) => {
                    let found = self.find(&request);
                    self.said.pages.push_back(request.content);
                    assert_eq!(
                        self.connection.respond(&request, found, &turn).unsent,
                        None,
                        "there is memory enough"
                    );
                    answers += 1;
                }
                Event::Stats(request) => {
                    self.said.pages.push_back(request.content);
                    let _responded = self.connection.respond_with_stats(&request, "{}", &turn);
                    answers += 1;
                }
                Event::Watch(request) => {
                    assert!(self.connection.watch(&request, Ok(()), &turn).is_none(), "it was granted");
                    assert!(self.connection.is_viewer() && self.connection.audience().is_none());
                }
                Event::Wish(_) => self.connection.ping_for_viewer(&turn),
                Event::Answered(_) => answers += 1,
                Event::Open(opening) if opening.audience == Audience::Everyone => self.sit_down(),
                Event::Message(message) => {
                    self.hear(&message);
                    answers += 1;
                }
                Event::Close(code, reason) => {
                    assert!(code.may_be_sent() || (code == CloseCode::NO_STATUS && reason.is_empty()));
                }
                Event::Open(_) | Event::Violation(_) | Event::Refusal(..) => {}
            }
            if answers >= self.answers_per_read {
                self.connection.pause();
                assert!(self.connection.keep(input, &turn).is_none(), "there is memory enough");
                break;
            }
        }
        self.owes_a_bounded_amount(length);
    }

    /// It was below the limit when it was read: the last response may come on top; in a WebSocket what one read
    /// is answered with. A frame of six bytes makes an item, a ping its pong, and one message may have begun
    /// before.
    fn owes_a_bounded_amount(&self, input_bytes: usize) {
        let answers = input_bytes
            + MESSAGE_BYTES_MAX
            + 256
            + (input_bytes / 6 + 2) * (OUTBOX_ITEM_COST + DEFLATE_BYTES_MIN);
        let weight = self.connection.outbox().map_or(0, |outbox| outbox.weight());
        let most = OUTBOX_BYTES_MAX + RESPONSE_MAX + answers;
        assert!(weight <= most as u64, "{weight} are owed after a read of {input_bytes} bytes");
    }

    fn sit_down(&mut self) {
        let seat = self.channel.subscribe(0, self.connection.format());
        if self.is_blocked {
            self.channel.set_readiness(seat, Readiness::Blocked);
        }
        self.connection.sit_down(seat);
    }

    /// As the program does it.
    fn hear(&mut self, message: &Message<'_>) {
        assert!(message.payload().len() <= MESSAGE_BYTES_MAX);
        assert!(!self.connection.has_said_all(), "what crosses our Close on its way is dropped");
        match self.connection.audience() {
            Some(Audience::Everyone) => {
                let hears_itself = self.config.own_messages == OwnMessages::Deliver;
                if hears_itself && self.connection.seat().is_some() {
                    self.expect(message);
                }
                self.channel.publish(self.connection.seat(), message);
            }
            Some(Audience::Sender) => self.send(message),
            None => panic!("a message of one that is no WebSocket"),
        }
    }

    fn send(&mut self, message: &Message<'_>) {
        let turn = self.now();
        if self.connection.audience().is_some() {
            self.expect(message);
        }
        self.connection.send(message, &turn);
    }

    /// Somebody else says something.
    fn publish(&mut self, payload: &[u8]) {
        let message = Message::binary(payload);
        if self.connection.seat().is_some() {
            self.expect(&message);
        }
        self.channel.publish(None, &message);
        self.close_slow();
    }

    /// Behind its last word it gets nothing.
    fn expect(&mut self, message: &Message<'_>) {
        if !self.connection.has_said_all() {
            self.said.messages.push_back((message.kind(), message.payload().to_vec()));
        }
    }

    fn close_slow(&mut self) {
        let turn = self.now();
        while let Some(verdict) = self.channel.take_verdict() {
            assert!(self.is_blocked, "only one whose socket refused bytes is too slow");
            self.said.has_lost_some = true;
            if let Some(seat) = self.connection.fall_behind(verdict.on_the_wire, &turn) {
                self.channel.unsubscribe(seat);
            }
        }
    }

    fn find(&mut self, request: &PageRequest) -> Result<Found, Refusal> {
        let path = request.path.as_ref().map_err(|refusal| *refusal)?;
        let name = path.relative();
        let length = match name {
            "" => 5,
            "empty" => 0,
            "long" => 3_000,
            "file" => FILE_BYTES,
            "folder" => return Ok(Found::Folder { location: path.as_folder() }),
            "listing" => return Ok(Found::Listing { html: "listing;".to_owned() }),
            _ => return Err(NOT_FOUND),
        };
        let representation = Rc::new(Representation::new(Facts {
            content_type: "text/plain",
            coding: request.accepted.choose(|_| true),
            choice: Choice::ByCoding,
            etag: "\"a\"".to_owned(),
            modified: Some(784_111_777),
            length,
            author: Author::Ours,
        }));
        let answer = request.conditions.answer(representation.validators(), length, request.content, 0);
        let range = match &answer {
            Answer::Whole => 0..length,
            Answer::Part(range) => range.clone(),
            Answer::NotModified | Answer::Failed | Answer::Unsatisfiable => 0..0,
        };
        assert!(range.end <= length, "a part of the page: {range:?}");
        let is_sent = request.content == Content::Sent && !range.is_empty();
        let within = range.start as usize..range.end as usize;
        let body = is_sent.then(|| match name {
            "" => Body::Static(&b"page;"[within]),
            "file" => {
                let file = self.files_opened;
                self.files_opened += 1;
                self.files.insert(file);
                Body::File(FileRange { file: FileId(file), start: range.start, end: range.end })
            }
            _ => Body::Bytes(vec![b'l'; within.len()]),
        });
        Ok(Found::Page { representation, answer, body })
    }

    fn expire(&mut self) {
        let turn = self.now();
        if self.is_gone || !self.connection.deadline().is_past(turn.now.tick) {
            return;
        }
        match self.connection.expire(&turn) {
            Expiry::Speaks => assert!(self.connection.wants_flush(), "it has something to say"),
            Expiry::Gone(_) => self.is_gone = true,
        }
    }

    /// The client reads: its socket takes more, and says so.
    fn make_room(&mut self, room: usize) {
        self.room = self.room.saturating_add(room);
        if room > 0 && std::mem::take(&mut self.is_blocked) && !self.is_gone {
            if let Some(seat) = self.connection.seat() {
                self.channel.set_readiness(seat, Readiness::Writable);
            }
            let turn = self.now();
            self.connection.heard(&turn);
            self.in_writable = true;
        }
    }

    fn flush(&mut self) {
        for _ in 0..8 {
            if std::mem::take(&mut self.in_writable) || self.connection.wants_flush() {
                self.write();
            }
        }
        while let Some(key) = self.channel.next_behind() {
            assert_eq!(key, 0, "the key it sat down with");
            self.write();
        }
        self.channel.review();
    }

    /// One write of what comes next.
    fn write(&mut self) {
        if self.is_gone || self.is_blocked {
            return;
        }
        let mut gathered = Gather::new();
        let seat = self.connection.seat();
        self.channel.gather(seat, self.connection.outbox(), &mut gathered);
        let before = self.written.len();
        let offered = match gathered.file() {
            Some(range) => {
                let piece = usize::try_from(range.end - range.start).expect("a file is short here");
                self.written.resize(before + piece.min(self.room), b'f');
                piece
            }
            None => {
                for slice in gathered.slices() {
                    let left = self.room - (self.written.len() - before);
                    self.written.extend_from_slice(&slice[..left.min(slice.len())]);
                }
                gathered.bytes()
            }
        };
        let written = self.written.len() - before;
        self.room -= written;
        assert!(written == 0 || !self.is_shut_down, "nothing is said behind the last word");
        let advanced = self.channel.advance(seat, self.connection.outbox_mut(), written);
        if let Some(FileId(file)) = advanced.done_with {
            assert!(self.files.remove(&file), "a file is done with once");
        }
        let turn = self.now();
        if written > 0 {
            self.connection.written(&turn);
        }
        if written < offered {
            self.is_blocked = true;
            if let Some(seat) = seat {
                self.channel.set_readiness(seat, Readiness::Blocked);
            }
        } else if self.has_more() {
            self.in_writable = true;
        } else {
            let flushed = self.connection.flushed(&turn);
            self.follow(flushed);
        }
    }

    fn has_more(&self) -> bool {
        self.channel.has_more(self.connection.seat(), self.connection.outbox())
    }

    fn follow(&mut self, flushed: Flushed) {
        if flushed == Flushed::Stays {
            assert!(self.connection.outbox().is_none(), "who has said everything owns no outbox");
            return;
        }
        if let Some(seat) = self.connection.stand_up() {
            self.channel.unsubscribe(seat);
        }
        if flushed == Flushed::ShutsDown {
            self.is_shut_down = true;
            self.is_gone |= self.input_ended;
        }
    }

    /// The client says no more; most take what is still for them. Silent, everybody is gone in the end. Gives
    /// back all that the client has sent.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let mut is_whole = !self.is_gone;
        if self.room > 0 || !self.is_blocked {
            self.make_room(1 << 40);
            self.read_scale = READ_BYTES_MAX;
            self.settle();
        } else {
            is_whole = false;
            self.sent.clear();
        }
        for _ in 0..SILENCE_SECONDS {
            self.tenths += 10;
            self.turn();
        }
        assert!(self.is_gone, "a silent client is gone in the end");
        is_whole &= !self.is_owed_nothing;
        self.said.is_whole = is_whole;
        let waiting: BTreeSet<u32> = self.connection.files().map(|FileId(file)| file).collect();
        assert_eq!(self.files, waiting, "a file is sent, or closed with its connection");
        assert!(!is_whole || waiting.is_empty(), "who takes everything gets every file");
        self.said.check(&self.written);
        self.sent_in_all
    }

    pub(super) fn settle(&mut self) {
        for _ in 0..TURNS_TO_SETTLE {
            self.turn();
            let has_input = !self.sent.is_empty() || self.connection.is_paused();
            if self.is_gone || !(has_input || self.has_more()) {
                return;
            }
        }
        panic!("it never comes to rest");
    }
}
