//! Every bound of the load generator: its unit in its name, its reason, and what happens past it.

use std::time::Duration;

/// Spans of the series over time. Past it two of them become one.
pub(crate) const SERIES_SPANS_MAX: usize = 600;

/// Different names of causes that are counted apart; the rest is `other`.
pub(crate) const CAUSES_MAX: usize = 64;

/// The head of a response to a handshake, in bytes. A longer one fails it.
pub(crate) const RESPONSE_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Header lines of it.
pub(crate) const RESPONSE_HEADERS_MAX: usize = 64;

/// Descriptors that are not connections: the poll, the timer, signals, standard streams, the resolver.
pub(crate) const DESCRIPTORS_RESERVED: usize = 32;

/// Connections of one run.
pub(crate) const CONNECTIONS_MAX: usize = 1_000_000;

/// The longest payload, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Messages a second, all senders together.
pub(crate) const RATE_MAX: u32 = 10_000_000;

/// Messages in flight of one sender in the closed loop.
pub(crate) const WINDOW_MAX: usize = 1024;

/// The longest time measured, and the longest ramp.
pub(crate) const DURATION_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Addresses to connect from that may be given.
pub(crate) const SOURCE_ADDRESSES_MAX: usize = 256;

/// Frames that are made before they are written, in bytes; one may come on top.
pub(crate) const FRAMES_BYTES: usize = 64 * 1024;

/// Messages sent in one turn of the loop: what came in must not wait for all that is late.
pub(crate) const SENDS_PER_TURN: u64 = 4096;

/// Answers to pings that a server does not take, in bytes; past it the connection is given up as flooded.
pub(crate) const PONG_BYTES_MAX: usize = 64 * 1024;

/// Handshakes under way at a time: no more than the shortest listen queues in use hold.
pub(crate) const OPENING_MAX: usize = 100;

/// How long stragglers are waited for, in microseconds.
pub(crate) const DRAIN_US: u64 = 5_000_000;

/// How long a server has to answer our Close, in microseconds.
pub(crate) const CLOSE_US: u64 = 2_000_000;

/// Stages of a search.
pub(crate) const STAGES_MAX: usize = 1000;

/// Pairs of a sender and a receiver that are checked: 256 MiB of cells in the ledger.
pub(crate) const PAIRS_MAX: usize = 16 * 1024 * 1024;

/// Messages of all senders in flight in the closed loop: 40 MiB.
pub(crate) const IN_FLIGHT_MAX: usize = 1024 * 1024;

/// How long the closed loop waits for a message, in microseconds: without a bound one lost delivery would end the run.
pub(crate) const PATIENCE_US: u64 = DRAIN_US;

/// Messages of the open loop that are watched on their way, of all senders together.
pub(crate) const FLIGHTS_MAX: usize = 65_536;

/// The same of one sender: a server that is further behind than this has no spread worth the name.
pub(crate) const FLIGHTS_OF_ONE_MAX: usize = 1024;

/// Messages under way up to which a receiver that is lost is taken out of each: all may be lost at once.
pub(crate) const FORGETTING_MAX: usize = 4096;

/// Frames of a broadcast that are kept to be compared with, in bytes; up to twice as much. Longer frames are not kept.
pub(crate) const MIRROR_BYTES: usize = 256 * 1024;

/// Bytes that a server may add to a message.
pub(crate) const WRAPPING_BYTES_MAX: usize = 64 * 1024;

/// Bytes of messages sent in one turn of the loop; one message may be longer.
pub(crate) const SEND_BYTES_PER_TURN: usize = 16 * 1024 * 1024;

/// A message of the warm-up is sent so often: a server may drop one.
pub(crate) const PROBES_MAX: u32 = 4;

/// Between two of them, in microseconds.
pub(crate) const PROBE_US: u64 = 1_000_000;

/// How long the sender's own copy of it may come behind the last other's. Longer than a collector of garbage takes.
pub(crate) const OWN_GRACE_US: u64 = 500_000;

/// How long an echo waits for copies at others, which it should not have.
pub(crate) const OTHERS_GRACE_US: u64 = 100_000;

/// How long a message that is on its way is waited for, in microseconds.
pub(crate) const ON_ITS_WAY_US: u64 = 60_000_000;

/// After a full listen queue of a Unix socket, and in `connect` after a refusal, the next attempt waits so long, in
/// microseconds.
pub(crate) const RETRY_US: u64 = 1_000;

/// The receive buffer of a receiver that never reads, in bytes: as little as may be, so that a server feels it at once.
pub(crate) const SLOW_RECEIVE_BUFFER_BYTES: usize = 4096;

/// The file of `--ca`, in bytes: several times what a system trusts. A longer one is not read.
#[cfg(feature = "tls")]
pub(crate) const CA_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A record of TLS 1.2, which is the longer one, with its header (RFC 5246 §6.2.3), in bytes.
#[cfg(feature = "tls")]
pub(crate) const TLS_RECORD_BYTES_MAX: usize = 5 + 16 * 1024 + 2048;

/// What a connection keeps encrypted that its socket did not take, in bytes; past it messages wait as they are.
#[cfg(feature = "tls")]
pub(crate) const TLS_PENDING_BYTES: usize = 64 * 1024;
