//! Every bound there is, in one place: its unit in its name, its reason, and what happens to the one
//! who passes it.
//!
//! [`Limits`] holds the bounds that an operator sets; the constants are the ones that have no knob.
//! Relations between them are asserted at compile time, at the end.

use std::time::Duration;

/// The bounds an operator may set, one option each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest message a client may send, in bytes, all its fragments together and decompressed. A longer one
    /// closes its sender with 1009; so does one that is compressed to more than an eighth above that. Costs at most this much memory for each client in mid-message.
    pub message_bytes_max: usize,
    /// How far a receiver may fall behind, in bytes. Past it a receiver that takes nothing is closed with
    /// 1013. Costs at most twice this much memory once for all receivers, the frames and where each begins,
    /// and what is published while a flush is under way. Keep it above `message_bytes_max`: a message that is
    /// longer gives its receivers only until the next one.
    pub backlog_bytes_max: usize,
    /// What is kept for single connections, in bytes, all of them together: incomplete messages, requests that wait,
    /// what a client has not taken yet of what is for it alone. Past it a message is refused with 1013, one that
    /// would not fit at all with 1009, a request with 503. What a connection keeps below [`LOAN_FREE_BYTES`] does not
    /// count.
    pub buffers_bytes_max: usize,
    /// Connections at a time; the next one is answered 503 and dropped. `None`: what the limit on
    /// descriptors allows, less [`DESCRIPTORS_RESERVED`]. Costs 64 bytes each, and the kernel's part.
    pub connections_max: Option<usize>,
    /// A connection must have sent a whole request by then, or it is closed.
    pub handshake_timeout: Duration,
    /// An HTTP connection without a request is closed after this; so is one that takes nothing of its
    /// response for as long.
    pub keep_alive: Duration,
    /// A WebSocket client silent for about this long is pinged, and gone when it was silent for twice as long.
    /// `None`: never. The ping comes up to a quarter earlier, so that not all are pinged at once.
    pub ping: Option<Duration>,
    /// How long clients have to leave once the server drains; at most [`DRAIN_MAX`].
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 1024 * 1024,
            backlog_bytes_max: 16 * 1024 * 1024,
            buffers_bytes_max: 64 * 1024 * 1024,
            connections_max: None,
            handshake_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(60),
            ping: Some(Duration::from_secs(25)),
            drain: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// The most memory the whole process takes with so many connections, told in so many wire formats, in bytes, whatever
    /// clients do: a sum of the bounds on this page. What the kernel holds for sockets is not in it.
    pub fn memory_bytes_max(&self, connections: usize, formats: usize) -> u64 {
        let [backlog, buffers, message] =
            [self.backlog_bytes_max, self.buffers_bytes_max, self.message_bytes_max]
                .map(|bytes| bytes as u64);
        // The frames, where each begins in a queue that doubles, a round of a quarter, and what one read publishes.
        let feed = backlog * 5 / 2 + message + READ_BYTES_PER_TURN as u64;
        // One buffer at a time is being moved to a larger one, one message is complete, another is decompressed, which
        // doubles as it grows, and one answer is made.
        let passing = 5 * message;
        BASE_BYTES + connections as u64 * CONNECTION_BYTES + formats as u64 * feed + buffers + passing
    }

    /// What comes on top of that where TLS is spoken.
    pub fn tls_memory_bytes_max(connections: usize) -> u64 {
        TLS_BASE_BYTES + connections as u64 * TLS_CONNECTION_BYTES
    }
}

/// One read takes at most this: the scratch buffer that all connections share.
pub const READ_BYTES_MAX: usize = 64 * 1024;

/// What one turn of the loop reads from all connections together. The rest waits in the kernel, so a
/// flood becomes backpressure on its senders.
pub const READ_BYTES_PER_TURN: usize = 1024 * 1024;

/// What one visit to a read counts for at least, so that empty reads have a bound as well: a turn makes at
/// most [`READ_BYTES_PER_TURN`] / [`READ_COST_MIN`] of them.
pub const READ_COST_MIN: usize = 512;

/// What a request that is answered counts for in the same budget: finding a page takes as long as reading so much.
/// A turn answers at most [`READ_BYTES_PER_TURN`] / [`READ_COST_OF_PAGE`] of them.
pub const READ_COST_OF_PAGE: usize = 8 * 1024;

/// What looking at the files of a page anew counts for beside that, and each byte that is read of them.
pub const READ_COST_OF_LOOK: usize = 24 * 1024;

/// A read is offered room for this at least, however little is left of the turn: a record of TLS is decrypted whole.
pub const READ_BYTES_MIN: usize = TLS_PLAINTEXT_BYTES_MAX;

/// What a record of TLS counts for, beside its bytes: some microsecond to open it.
pub const READ_COST_OF_RECORD: usize = 1024;

/// What a byte of ciphertext counts for that brought none of plaintext: new keys, for one, are derived for every 27.
pub const READ_COST_OF_TLS_BYTE: usize = 16;

/// What an answer counts for that TLS itself makes, to new keys for one.
pub const READ_COST_OF_TLS_ANSWER: usize = 4 * 1024;

/// What a step of a TLS handshake counts for in a budget as large, which handshakes have for themselves: keys are agreed
/// on and a signature is made, 0.2 ms with a certificate on P-256, 0.75 ms with RSA (2048). A turn makes four, so a storm of handshakes leaves a broadcast its time.
pub const READ_COST_OF_HANDSHAKE: usize = READ_BYTES_PER_TURN / 4;

/// The plaintext of one record (RFC 8446 §5.1). A peer that sends a longer one is told so, and its connection ends.
pub const TLS_PLAINTEXT_BYTES_MAX: usize = 16 * 1024;

/// What a record is longer than its plaintext, at most: header, nonce, type and tag.
pub const TLS_RECORD_OVERHEAD_MAX: usize = 64;

/// Plaintext that one write encrypts, and that may have to wait for a socket that is full; one record where it was full
/// before, and a few hundred bytes where half of the budget of all is used up. The rest stays where it is.
pub const TLS_WRITE_BYTES_MAX: usize = 64 * 1024;

/// Ciphertext that a connection keeps for its next read: a record of at most 18 KiB that is incomplete, or those that
/// found no room. A handshake message over several records may take as much, and ends its connection when it is longer.
pub const TLS_UNREAD_BYTES_MAX: usize = 40 * 1024;

/// A read is for so much ciphertext at least beside what is kept, so that it always comes further.
pub const TLS_READ_BYTES_MIN: usize = 4 * 1024;

/// A file with a certificate or a key that is longer is not read.
pub const TLS_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Connections accepted in one turn: a storm of newcomers must not stop the broadcast.
pub const ACCEPTS_PER_TURN: usize = 128;

/// Writes of one flush slice. A write costs some 4 to 10 µs, so whoever comes during a broadcast to thousands waits
/// about a millisecond for the slice that is under way. What a slice costs beside its writes, one poll, is then a
/// hundredth of a write for each: a larger one would save nothing that can be measured.
pub const FLUSH_WRITES_PER_TURN: usize = 128;

/// Slices of one vectored write; the kernel takes up to 1,024. With full segments: 4 MiB, more than a socket's buffer
/// holds, and a quarter of the default backlog, which is what may be published until a receiver's turn comes again.
pub const WRITE_SLICES_MAX: usize = 64;

/// Frames looked at for one slice of a write where a receiver's own are left out, so that its cost does not grow with
/// how far somebody is behind. A longer run takes another slice, or waits for the next write: that may be less than
/// is published meanwhile, and then senders wait ([`Channel::is_congested`](crate::channel::Channel::is_congested)).
pub const RUN_FRAMES_MAX: usize = 64;

/// Payloads below this go out as they are, in bytes: JSON of so many becomes a tenth shorter, of 200 a third.
pub const DEFLATE_BYTES_MIN: usize = 128;

/// How hard what is published is compressed, of 0 to 9. JSON of 2 KiB takes 9 µs and becomes a sixth; level 6 takes 15 µs
/// for 3 % less. Of 20 KiB it takes 27 µs and becomes a ninth, level 6 three and a half times as long for an eighth less.
pub const DEFLATE_LEVEL: u32 = 2;

/// What compressing a message counts for in the budget of reads, beside one for each byte of it and
/// [`READ_COST_OF_DEFLATED_BYTE`] for each that it becomes: some 6 µs, however short it is. A turn compresses
/// [`READ_BYTES_PER_TURN`] / `READ_COST_OF_DEFLATE` of them at most, and the rest of a read waits.
pub const READ_COST_OF_DEFLATE: usize = 4 * 1024;

/// What a byte counts for that compressing has made, beside one for each that it was given: what has no pattern takes 12 to
/// 16 ns a byte, JSON 1.
pub const READ_COST_OF_DEFLATED_BYTE: usize = 12;

/// A payload from here on is tried before it is compressed: where its first [`DEFLATE_TRIED_BYTES`] do not become a
/// sixteenth shorter it goes as it is, pictures and films at once.
pub const DEFLATE_TRIED_FROM_BYTES: usize = 16 * 1024;

/// See [`DEFLATE_TRIED_FROM_BYTES`].
pub const DEFLATE_TRIED_BYTES: usize = 4 * 1024;

/// What decompressing a message counts for, beside one for each byte that it becomes: some 1 to 3 µs.
pub const READ_COST_OF_INFLATE: usize = 1024;

/// What a byte of a compressed payload counts for of which nothing comes: up to 92 ns, for codes that nothing uses.
pub const READ_COST_OF_WASTED_BYTE: usize = 64;

/// Bytes of one compressed payload of which nothing may come: some 6 ms of them. What flushes behind every few bytes has
/// some; more is 1007.
pub const INFLATE_WASTED_BYTES_MAX: usize = 64 * 1024;

/// What one visit to a connection may come to beside its bytes, before the others have their turn: some quarter of a
/// millisecond of compressing and decompressing.
pub const READ_EFFORT_PER_VISIT: usize = 128 * 1024;

/// A piece of a file read at a time, when the socket can take it.
pub const FILE_PIECE_BYTES: usize = READ_BYTES_MAX;

/// Bytes of one segment of the backlog.
pub const SEGMENT_BYTES: usize = 64 * 1024;

/// Segments kept for reuse when nobody needs them; more are given back to the allocator.
pub const SPARE_SEGMENTS_MAX: usize = 4;

/// A connection that has this much of its own to take (echoes, pongs, responses) is not read any more
/// until it has taken some. One read's answers, or one message, may come on top.
pub const OUTBOX_BYTES_MAX: usize = 256 * 1024;

/// What holding one item of an outbox costs beside its bytes: many small ones count as well.
pub const OUTBOX_ITEM_COST: usize = 128;

/// Pings that are each answered while their sender takes nothing; past it only the newest is (RFC 6455 §5.5.3).
pub const PONGS_WAITING_MAX: usize = 512;

/// What a connection may keep of each kind beside the budget of all, in bytes: small things work also while somebody has
/// used it up. A connection has three such things at most: what came in, what is for it alone, and the rest of a frame.
pub const LOAN_FREE_BYTES: usize = 1024;

/// How often in a turn the one that keeps the most is looked for among all connections, when memory runs out.
pub const GIVING_WAY_PER_TURN: usize = 4;

/// Small items in a row become one of at most this.
pub const OUTBOX_MERGED_BYTES_MAX: usize = 16 * 1024;

/// The boundaries of a backlog that was long once are given back down to so many.
pub const BOUNDARIES_KEPT: usize = 4096;

/// Events taken from one poll; the rest comes with the next.
pub const EVENTS_PER_POLL: usize = 1024;

/// How often a port that is free on IPv4 and taken on IPv6 is exchanged for another.
pub const PORT_PAIR_TRIES: usize = 16;

/// The longest request line and headers, in bytes; longer is 431, or 414 when it is the line alone.
pub const REQUEST_HEAD_BYTES_MAX: usize = 16 * 1024;

/// What is kept of a request's method and path to be logged when it was answered, in bytes.
pub const ASKED_BYTES_MAX: usize = 1024;

/// Header lines of one request; more are 431.
pub const REQUEST_HEADERS_MAX: usize = 64;

/// The longest body of a request that takes none, in bytes: it is read and dropped up to here. A request with a
/// longer one is refused with 413, and its connection ends.
pub const REQUEST_BODY_SKIPPED_MAX: u64 = 64 * 1024;

/// Subprotocol names, origins and listeners an operator may give.
pub const REPEATED_OPTIONS_MAX: usize = 64;

/// After our Close a peer has this long to take what is on its way and answer.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// After the last byte and our FIN, what the peer still sends is read and dropped for this long, so that a
/// reset does not overtake the close frame.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// The sweep over all deadlines, once in this time.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest time between two sweeps: a tick, which is as far as deadlines tell times apart.
pub const SWEEP_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Accepting is tried again this long after the descriptors ran out: nobody else wakes us.
pub const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Time between two steps of a drain.
pub const DRAIN_STEP: Duration = Duration::from_millis(50);

/// Clients closed at once when a drain begins: a handful need not wait for each other.
pub const DRAIN_CLOSES_AT_ONCE: usize = 32;

/// The longest drain.
pub const DRAIN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Descriptors kept from connections: listeners, the poll, signals, standard streams, files being sent.
pub const DESCRIPTORS_RESERVED: usize = 128;

/// Newcomers past the limit that are told so at a time; more are dropped without a word.
pub const REFUSED_AT_A_TIME_MAX: usize = 32;

/// Different files being sent at a time, each by one descriptor for all who take it; a request past it is answered 503.
pub const FILES_OPEN_MAX: usize = 64;

/// What is kept of files that were asked for, in bytes; never more than an eighth of [`Limits::buffers_bytes_max`], of
/// which it is. Who was not asked for the longest makes room.
pub const CACHE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Files that are kept at a time, each with its codings: at most some 4 KiB each beside their content.
pub const CACHED_FILES_MAX: usize = 256;

/// A file that was asked for by a longer name is not kept.
pub const CACHED_NAME_BYTES_MAX: usize = 256;

/// A file that is kept is looked at again when it is asked for and was not for so long.
pub const CACHE_LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A file that was changed so lately is not kept: another change might show in none of its times. File systems count
/// them in steps of 10 ms to 2 s.
pub const FILE_SETTLES: Duration = Duration::from_secs(2);

/// How often a file is looked at that is another one each time; then it is 503.
pub const FILE_LOOK_TRIES: usize = 4;

/// Names in the listing of a folder; it says when there are more. Each costs some 4 µs.
pub const LISTED_MAX: usize = 1000;

/// Names that are looked at for it, those that cannot be asked for among them.
pub const LISTED_SCANNED_MAX: usize = 10 * LISTED_MAX;

/// What making a listing counts for in the budget of reads: one a turn, which takes some 4 ms with [`LISTED_MAX`] names.
pub const READ_COST_OF_LISTING: usize = READ_BYTES_PER_TURN;

/// Traces at a time. The next viewer is answered 429; where one of them has no viewer, it gives way instead.
pub const TRACES_MAX: usize = 16;

/// What is kept of one trace until its viewer has taken it, in bytes; all of them together take an eighth of
/// [`Limits::buffers_bytes_max`] at most, of which they are. The oldest records give way, and are counted.
pub const TRACE_BYTES_MAX: usize = 512 * 1024;

/// Bytes of a frame that a trace shows: its header, and the begin of its payload.
pub const TRACED_FRAME_BYTES: usize = 64;

/// One write for a connection that is traced: of the smallest frames these are 32,768, which take about a millisecond to
/// put down. It goes on in the next turn.
pub const TRACED_WRITE_BYTES_MAX: usize = 64 * 1024;

/// Records that one viewer is told in a turn, so that all of them together take less than a millisecond of it.
pub const TRACE_RECORDS_PER_TURN: usize = 32;

/// The shortest name of a trace, in characters: who guesses one may see it.
pub const TRACE_ID_BYTES_MIN: usize = 16;

/// The longest.
pub const TRACE_ID_BYTES_MAX: usize = 64;

/// Listening queue asked of the kernel, which caps it itself.
pub const LISTEN_QUEUE: i32 = 4096;

/// The shortest time after which the system asks a silent client of the older draft for a sign of life; else it is that
/// of [`Limits::ping`]. Systems count it in seconds.
pub const KEEPALIVE_MIN: Duration = Duration::from_secs(1);

/// Complaints of one cause within [`COMPLAINTS_WINDOW`] that are said one by one; more are counted.
pub const COMPLAINTS_OF_A_CAUSE: usize = 8;

/// After this, complaints that were only counted are said with their number.
pub const COMPLAINTS_WINDOW: Duration = Duration::from_secs(10);

/// A sweep that comes later than this was not late for its work: the process did not run (a suspended machine, a
/// debugger). Deadlines are moved by as much, or everybody would be given up for a silence of ours.
pub const PAUSE_MIN: Duration = Duration::from_secs(2);

/// What the process takes beside everything that is counted: the binary, the scratch buffer, events, the allocator's
/// own.
pub const BASE_BYTES: u64 = 8 * 1024 * 1024;

/// What one connection costs at most beside the budget of all: its place in the slab and in the channel while these
/// grow (some 300 bytes), its boxes (some 400), and what is free of each of its three loans.
pub const CONNECTION_BYTES: u64 = 4 * 1024;

/// What TLS takes once: its tables and the buffers that all connections share.
pub const TLS_BASE_BYTES: u64 = 1024 * 1024;

/// What a connection costs more with TLS, beside the budget of all: its keys and state (3.6 KB, and 4.1 in the middle of
/// a handshake; `tests/allocations.rs` counts them), and what is free of two loans more.
pub const TLS_CONNECTION_BYTES: u64 = 8 * 1024;

/// What a place in a channel takes, in bytes.
pub const SUBSCRIBER_BYTES: usize = 24;

/// Seconds a refused newcomer is told to wait (`Retry-After`).
pub const RETRY_AFTER_SECONDS: u32 = 5;

// A whole request head fits one scratch buffer, so a head may come whole in one read.
const _: () = assert!(REQUEST_HEAD_BYTES_MAX <= READ_BYTES_MAX);
// A piece of a file is read into the same scratch.
const _: () = assert!(FILE_PIECE_BYTES <= READ_BYTES_MAX);
// Reading fills whole scratch buffers before its budget is spent.
const _: () = assert!(READ_BYTES_PER_TURN.is_multiple_of(READ_BYTES_MAX));
// A sweep that is late for its work does not look like a pause.
const _: () = assert!(PAUSE_MIN.as_millis() > SWEEP_INTERVAL.as_millis());
const _: () = assert!(READ_COST_MIN > 0 && READ_COST_MIN <= READ_BYTES_MAX);
// Whatever is kept fits the buffer it is read behind.
const _: () = assert!(TLS_UNREAD_BYTES_MAX + TLS_READ_BYTES_MIN <= READ_BYTES_MAX);
const _: () = assert!(READ_BYTES_MIN >= TLS_PLAINTEXT_BYTES_MAX && READ_BYTES_MIN <= READ_BYTES_MAX);
// With the budget used up a write still has room for a few bytes, of what is free of its loan.
const _: () =
    assert!((TLS_WRITE_BYTES_MAX / TLS_PLAINTEXT_BYTES_MAX + 2) * TLS_RECORD_OVERHEAD_MAX < LOAN_FREE_BYTES);
// A header is shown whole.
const _: () = assert!(TRACED_FRAME_BYTES > 14 && TRACED_FRAME_BYTES <= 256);
// The longest request is a record that fits, unless --buffers is so small that an eighth of it holds no sixteen of them.
const _: () = assert!(2 * REQUEST_HEAD_BYTES_MAX < TRACE_BYTES_MAX);
// Files being sent and newcomers being refused have theirs in the reserve, and some are left.
const _: () = assert!(FILES_OPEN_MAX + REFUSED_AT_A_TIME_MAX + 16 <= DESCRIPTORS_RESERVED);

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in docs/ARCHITECTURE.md, with its example.
    #[test]
    fn the_bounds_add_up() {
        let mebibytes =
            |limits: &Limits, connections, formats| limits.memory_bytes_max(connections, formats) >> 20;
        let limits = Limits::default();
        assert_eq!(mebibytes(&limits, 0, 1), 8 + (16 * 5 / 2 + 1 + 1) + 64 + 5);
        assert_eq!(mebibytes(&limits, 20_000, 1), 197);
        assert_eq!(mebibytes(&limits, 20_000, 3), 281, "with permessage-deflate");
        assert_eq!(Limits::tls_memory_bytes_max(20_000) >> 20, 157);
        let small = Limits {
            buffers_bytes_max: 1 << 20,
            backlog_bytes_max: 1 << 20,
            message_bytes_max: 1 << 14,
            ..limits
        };
        assert_eq!(mebibytes(&small, 100, 1), 12, "on a small box");
    }
}
