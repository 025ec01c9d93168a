//! What a server does with messages, and how it misbehaves.

use std::time::Duration;

/// Deliveries to each receiver that are spared by all that strikes every n-th: they are the warm-up's, which is
/// not counted, and what is done to the rest must be found to the last one.
pub(crate) const SPARED: u64 = 20;

/// Deliveries to a connection before it is closed or reset.
pub(crate) const BEFORE_THE_END: u64 = 50;

/// What a server does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Gives it to everybody.
    Broadcast,
    /// Gives it to everybody but its sender.
    NoSelf,
    /// Gives it to its sender.
    Echo,
    /// Takes it and says nothing.
    Mute,
}

/// How a server misbehaves, or what it does that only looks odd. Every n-th is that of each receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not.
    None,

    // What is delivered.
    /// Does not send every n-th delivery.
    DropEvery(u64),
    /// Sends every n-th twice.
    DuplicateEvery(u64),
    /// Sends every n-th behind the one that follows it.
    ReorderEvery(u64),
    /// Changes every n-th.
    CorruptEvery(u64, Corruption),
    /// Stands still for a time, once in every such time.
    Stall { every: Duration, for_: Duration },
    /// Stands still before each turn, once it has more connections than that.
    SlowBeyond { connections: usize, for_: Duration },
    /// Puts a text into JSON. Not a fault.
    Wrap,
    /// Says unrelated things to each newcomer and now and then. Not a fault.
    Greeting,
    /// Delivers what came as text as binary. Not a fault.
    TextAsBinary,

    // How it is framed.
    /// In fragments with pings between them. Not a fault.
    Fragmented,
    /// A byte at a time, and a head in small pieces. Not a fault.
    OneByteWrites,
    /// With many pings before each message. Not a fault.
    PingFlood,
    /// Masked, which only a client may do (RFC 6455 §5.1). From here on, the spared deliveries are as they should.
    MaskedFrames,
    /// With a reserved opcode (§5.2).
    ReservedOpcode,
    /// With a reserved bit that no extension has given a meaning (§5.2).
    ReservedBit,
    /// As the beginning of a frame of 2^62 bytes.
    HugeFrame,

    // How connections end.
    /// Closes every n-th connection with this code, after [`BEFORE_THE_END`] deliveries.
    CloseOneIn(u64, u16),
    /// Ends the stream of every n-th connection then, without a Close.
    HangUpOneIn(u64),
    /// Resets every n-th connection then.
    ResetOneIn(u64),

    // How handshakes are answered.
    /// From connection n+1 on, with this status.
    RefuseBeyond(u64, u16),
    /// Not at all.
    NeverAnswer,
    /// With another key's `Sec-WebSocket-Accept`.
    WrongAccept,
    /// With something that is no HTTP.
    NotHttp,
    /// With 302.
    Redirect,
    /// With a head that does not end.
    HugeHead,
    /// With a subprotocol that the client did not offer (§4.1).
    UnofferedProtocol,
    /// With an extension that the client did not offer (§4.1).
    UnofferedExtension,
}

/// How a payload is changed. What was text in ASCII stays that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corruption {
    /// A bit of its last byte, which is filler.
    Filler,
    /// A bit of the byte at this place, if it is that long.
    ByteAt(usize),
    /// A bit at another place each time, from the first to the last.
    EachByteInTurn,
    /// Its last ten bytes are missing.
    Truncated,
}

impl Corruption {
    /// Changes a payload; `count` is how many were changed before.
    pub(crate) fn apply(self, payload: &mut Vec<u8>, count: u64) {
        let length = payload.len();
        let at = match self {
            Self::Filler => length.saturating_sub(1),
            Self::ByteAt(at) => at,
            Self::EachByteInTurn => usize::try_from(count).expect("few are changed") % length.max(1),
            Self::Truncated => return payload.truncate(length.saturating_sub(10)),
        };
        if let Some(byte) = payload.get_mut(at) {
            *byte ^= 1;
        }
    }
}
