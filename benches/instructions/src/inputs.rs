//! What the pure code is given to measure it: here its instructions, in `benches/pure.rs` its time.

use fanfare::backlog::{Backlog, Seat};
use fanfare::budget::Budget;
use fanfare::channel::Channel;
use fanfare::config::OwnMessages;
use fanfare::format::WireFormat;
use fanfare::limits::SEGMENT_BYTES;
use fanfare::outbox::Gather;
use fanfare::websocket::codec::Codec;
use fanfare::websocket::decoder::{Decoder, Dialect, Rules};
use fanfare::websocket::frame::{Encoded, Header, Opcode};
use fanfare::websocket::mask;
use fanfare::websocket::utf8::Checker;
use fanfare::{Config, Message};
use std::hint::black_box;

/// A browser's handshake.
pub(crate) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost:9999\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// Its key, of RFC 6455 §1.3.
pub(crate) const CHALLENGE: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";
/// The masking key of RFC 6455 §5.7.
pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// Bytes of a piece of text: no multiple of three, so that it cuts a character of three.
pub(crate) const PIECE_BYTES: usize = 1000;
/// Messages of one read.
pub(crate) const MESSAGES: usize = 100;
/// Payload of a message, where its length is not what is measured.
pub(crate) const MESSAGE_BYTES: usize = 64;

/// Before a client's text of so many bytes.
pub(crate) fn header(length: u64) -> Header {
    Header { fin: true, opcode: Opcode::Text, masking_key: Some(KEY), length }
}

/// 16 KiB of text with one byte a character.
pub(crate) fn ascii() -> String {
    "fanfare ".repeat(2048)
}

/// 16 KiB of text with three.
pub(crate) fn cjk() -> String {
    "世界你好".repeat(1365)
}

/// Checks a text that comes in pieces of so many bytes.
pub(crate) fn check(text: &str, piece_bytes: usize) {
    let mut checker = Checker::default();
    let is_utf8 = text.as_bytes().chunks(piece_bytes).all(|piece| checker.check(piece).is_ok());
    assert!(is_utf8 && checker.finish().is_ok());
}

/// A read of [`MESSAGES`] from one client.
pub(crate) fn read() -> Vec<u8> {
    let mut payload = [b'x'; MESSAGE_BYTES];
    mask::apply(&mut payload, KEY, 0);
    [&*header(MESSAGE_BYTES as u64).write(), &payload].concat().repeat(MESSAGES)
}

/// Decodes such a read, and leaves it unmasked.
pub(crate) fn decode(mut read: &mut [u8]) {
    let (budget, codec) = (Budget::new(1 << 20), Codec::default());
    let rules =
        Rules { dialect: Dialect::Plain, message_bytes_max: MESSAGE_BYTES, budget: &budget, codec: &codec };
    let (mut decoder, mut count) = (Decoder::default(), 0);
    while let Ok(Some(event)) = decoder.decode(&mut read, &rules) {
        black_box(event);
        count += 1;
    }
    assert_eq!(count, MESSAGES);
}

/// A backlog of which nothing is needed any more, and a frame to append.
pub(crate) struct Frames {
    backlog: Backlog,
    head: Encoded,
    payload: Vec<u8>,
}

impl Frames {
    /// A backlog through which frames with so many bytes of payload went already: it has segments to reuse.
    pub(crate) fn new(payload_bytes: usize) -> Self {
        let head = Header { masking_key: None, ..header(payload_bytes as u64) }.write();
        let mut frames =
            Self { backlog: Backlog::new(SEGMENT_BYTES), head, payload: vec![b'x'; payload_bytes] };
        for _ in 0..MESSAGES {
            frames.append();
            frames.release();
        }
        frames
    }

    pub(crate) fn append(&mut self) {
        self.backlog.append(None, &[&self.head, &self.payload]);
    }

    /// Everybody has taken it.
    pub(crate) fn release(&mut self) {
        self.backlog.release(self.backlog.head());
    }
}

/// A channel, all of whose subscribers have taken everything.
pub(crate) struct Room {
    pub(crate) channel: Channel,
    pub(crate) seats: Vec<Seat>,
    message: Message<'static>,
}

impl Room {
    /// A room in which messages of so many bytes go round already.
    pub(crate) fn new(subscribers: u32, message_bytes: usize) -> Self {
        Self::with(&Config::default(), subscribers, message_bytes)
    }

    /// The same where nobody gets its own: the long way to gather.
    pub(crate) fn without_own(subscribers: u32, message_bytes: usize) -> Self {
        let mut config = Config::default();
        config.own_messages = OwnMessages::Skip;
        Self::with(&config, subscribers, message_bytes)
    }

    fn with(config: &Config, subscribers: u32, message_bytes: usize) -> Self {
        let mut channel = Channel::new(config);
        let seats = (0..subscribers).map(|key| channel.subscribe(key, WireFormat::Plain)).collect();
        let mut room = Self { channel, seats, message: Message::text("x".repeat(message_bytes)) };
        room.publish(MESSAGES);
        room.flush();
        room
    }

    /// The first subscriber sends a message so many times.
    pub(crate) fn publish(&mut self, count: usize) {
        for _ in 0..count {
            self.channel.publish(Some(self.seats[0]), &self.message);
        }
    }

    /// Gathers what one subscriber is written next, and says how much that is.
    pub(crate) fn gather(&self, seat: Seat) -> usize {
        let mut gathered = Gather::new();
        self.channel.gather(Some(seat), None, &mut gathered);
        black_box(&gathered).bytes()
    }

    /// Everybody takes everything: a flush, all but the system calls.
    pub(crate) fn flush(&mut self) {
        while let Some(key) = self.channel.next_behind() {
            let seat = self.seats[key as usize];
            if let Some(rest) = self.channel.rest(seat) {
                black_box(rest);
                self.channel.advance_to_head(seat);
            } else {
                let written = self.gather(seat);
                self.channel.advance(Some(seat), None, written);
            }
        }
    }
}
