//! What a peer did that RFC 6455 does not allow, and the close code it earns.

use crate::message::CloseCode;
use std::fmt;

/// A misdeed of the peer. Each one ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A reserved bit without the extension that gives it a meaning (§5.2).
    ReservedBits(u8),
    /// Opcode 3 to 7 or 11 to 15 (§5.2).
    ReservedOpcode(u8),
    /// A client's frame without a masking key (§5.1).
    Unmasked,
    /// A server's frame with one (§5.1).
    Masked,
    /// A length in more bytes than it needs (§5.2).
    LengthNotMinimal(u64),
    /// A 64-bit length with its highest bit set (§5.2).
    LengthTooLarge,
    /// A control frame that is a fragment (§5.5).
    FragmentedControl,
    /// A control frame of more than 125 bytes (§5.5).
    ControlTooLong(u64),
    /// A continuation with no message begun (§5.4).
    UnexpectedContinuation,
    /// A new message before the end of the last (§5.4).
    ExpectedContinuation,
    /// Text that is not UTF-8 (§8.1).
    InvalidUtf8,
    /// A compressed message that is no deflated data (RFC 7692 §7.2.2).
    InvalidDeflate,
    /// A message longer than [`Limits::message_bytes_max`](crate::limits::Limits::message_bytes_max).
    MessageTooBig {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A message in pieces that there is no memory left for: other clients have taken up
    /// [`Limits::buffers_bytes_max`](crate::limits::Limits::buffers_bytes_max).
    NoRoom,
    /// A Close of one byte: half a code (§5.5.1).
    CloseTooShort,
    /// A close code that may not be sent (§7.4).
    CloseCodeInvalid(CloseCode),
    /// A close reason that is not UTF-8 (§5.5.1).
    CloseReasonNotUtf8,
}

impl Violation {
    /// The code of the Close that answers it (§7.4.1).
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::ReservedBits(_)
            | Self::ReservedOpcode(_)
            | Self::Unmasked
            | Self::Masked
            | Self::LengthNotMinimal(_)
            | Self::LengthTooLarge
            | Self::FragmentedControl
            | Self::ControlTooLong(_)
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::CloseTooShort
            | Self::CloseCodeInvalid(_) => CloseCode::PROTOCOL_ERROR,
            Self::InvalidUtf8 | Self::InvalidDeflate | Self::CloseReasonNotUtf8 => CloseCode::INVALID_PAYLOAD,
            Self::MessageTooBig { .. } => CloseCode::TOO_BIG,
            Self::NoRoom => CloseCode::TRY_AGAIN_LATER,
        }
    }

    /// What it is, without the numbers: one text for each kind.
    pub fn cause(self) -> &'static str {
        match self {
            Self::ReservedBits(_) => "reserved bits without an extension",
            Self::ReservedOpcode(_) => "reserved opcode",
            Self::Unmasked => "frame without a masking key",
            Self::Masked => "frame with a masking key",
            Self::LengthNotMinimal(_) => "length in more bytes than it needs",
            Self::LengthTooLarge => "length of 64 bits",
            Self::FragmentedControl => "control frame in fragments",
            Self::ControlTooLong(_) => "control frame that is too long",
            Self::UnexpectedContinuation => "continuation of no message",
            Self::ExpectedContinuation => "new message inside another",
            Self::InvalidUtf8 => "text is not UTF-8",
            Self::InvalidDeflate => "compressed message that cannot be inflated",
            Self::MessageTooBig { .. } => "message that is too long",
            Self::NoRoom => "no memory left for a message in pieces",
            Self::CloseTooShort => "close body of one byte",
            Self::CloseCodeInvalid(_) => "close code may not be sent",
            Self::CloseReasonNotUtf8 => "close reason is not UTF-8",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits(bits) => write!(f, "reserved bits {bits:03b} without an extension"),
            Self::ReservedOpcode(opcode) => write!(f, "reserved opcode {opcode}"),
            Self::LengthNotMinimal(length) => write!(f, "length {length} in more bytes than it needs"),
            Self::ControlTooLong(length) => write!(f, "control frame of {length} bytes"),
            Self::MessageTooBig { limit } => write!(f, "message of more than {limit} bytes"),
            Self::CloseCodeInvalid(code) => write!(f, "close code {code} may not be sent"),
            Self::Unmasked
            | Self::Masked
            | Self::LengthTooLarge
            | Self::FragmentedControl
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::InvalidUtf8
            | Self::InvalidDeflate
            | Self::NoRoom
            | Self::CloseTooShort
            | Self::CloseReasonNotUtf8 => f.write_str(self.cause()),
        }
    }
}
