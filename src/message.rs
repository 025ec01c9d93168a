//! The values that go through every room: a [`Message`] and a [`CloseCode`].
//!
//! Must not know: frames, connections, who sent it.

use std::borrow::Cow;
use std::fmt;

/// What a message is (RFC 6455 §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text, opcode 1.
    Text,
    /// Any bytes, opcode 2.
    Binary,
}

/// A whole message, text or binary.
///
/// Invariant: the payload of a text message is UTF-8. It was checked as it came in, so it is kept as
/// bytes; [`as_text`](Self::as_text) looks again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    kind: Kind,
    payload: Cow<'a, [u8]>,
}

impl<'a> Message<'a> {
    /// A text message.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let payload = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self { kind: Kind::Text, payload }
    }

    /// A binary message.
    pub fn binary(payload: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { kind: Kind::Binary, payload: payload.into() }
    }

    /// For the decoder, which has checked that `payload` is what `kind` says.
    pub(crate) fn checked(kind: Kind, payload: Cow<'a, [u8]>) -> Self {
        debug_assert!(kind == Kind::Binary || std::str::from_utf8(&payload).is_ok());
        Self { kind, payload }
    }

    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The bytes, of text as well.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The text; `None` for a binary message. Costs a pass over the bytes.
    pub fn as_text(&self) -> Option<&str> {
        match self.kind {
            Kind::Text => std::str::from_utf8(&self.payload).ok(),
            Kind::Binary => None,
        }
    }
}

/// Why a WebSocket was closed (RFC 6455 §7.4). Any number can be held; [`CloseCode::may_be_sent`] says
/// which ones may be on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: done.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server goes down, or the browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: data of a kind that is not taken here.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1005: a Close without a code. Never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: gone without a Close. Never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: the peer did what it may not do.
    pub const POLICY: Self = Self(1008);
    /// 1009: a message longer than is taken here.
    pub const TOO_BIG: Self = Self(1009);
    /// 1011: the server failed.
    pub const INTERNAL: Self = Self(1011);
    /// 1013: try again later; here: the receiver fell too far behind.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// Whether a Close frame may carry it (§7.4.1, §7.4.2 and the registry): 1000 to 1003, 1007 to 1014
    /// and 3000 to 4999.
    pub fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// §7.4.1 with its errata and the registry: 1012 to 1014 came later, 1004 means nothing, 1005, 1006 and
    /// 1015 are for the one who was not told.
    #[test]
    fn codes_on_the_wire() {
        let registered = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
        for code in 0..=u16::MAX {
            let want = registered.contains(&code) || (3000..5000).contains(&code);
            assert_eq!(CloseCode(code).may_be_sent(), want, "{code}");
        }
    }

    #[test]
    fn only_text_reads_as_text() {
        assert_eq!(Message::text("é").as_text(), Some("é"));
        assert_eq!(Message::binary(&b"e"[..]).as_text(), None);
    }
}
