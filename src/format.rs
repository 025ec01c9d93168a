//! How a message looks on the wire to one kind of receiver. A channel keeps one backlog per format that
//! somebody listens in.
//!
//! Must not know: who receives it.

use crate::message::{Kind, Message};
use crate::websocket::frame::{Encoded, Header, Opcode};

/// A way to put a message on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFormat {
    /// RFC 6455 without extensions: one unmasked frame.
    Plain,
}

impl WireFormat {
    /// What stands before the payload of `message`; the same for every receiver.
    pub fn head(self, message: &Message<'_>) -> Encoded {
        let opcode = match message.kind() {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        match self {
            Self::Plain => {
                Header { fin: true, opcode, masking_key: None, length: message.payload().len() as u64 }
                    .write()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_one_unmasked_frame() {
        assert_eq!(&*WireFormat::Plain.head(&Message::text("Hello")), b"\x81\x05");
        assert_eq!(&*WireFormat::Plain.head(&Message::binary(vec![0; 256])), b"\x82\x7e\x01\x00");
    }
}
