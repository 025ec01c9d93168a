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
    use crate::budget::Budget;
    use crate::websocket::mask;
    use crate::websocket::message::{Decoder, Event};
    use proptest::prelude::*;

    #[test]
    fn plain_is_one_unmasked_frame() {
        assert_eq!(&*WireFormat::Plain.head(&Message::text("Hello")), b"\x81\x05");
        assert_eq!(&*WireFormat::Plain.head(&Message::binary(vec![0; 256])), b"\x82\x7e\x01\x00");
    }

    proptest! {
        /// What is written is read as what it was, by a decoder that is a server's: the client's mask is put on
        /// in between, the one thing in which the two directions differ.
        #[test]
        fn what_is_written_is_read(
            text in any::<Option<String>>(),
            length in prop_oneof![0_usize..300, 65_530_usize..65_540, Just(200_000)],
            key: [u8; 4],
        ) {
            let message = match text {
                Some(text) => Message::text(text.repeat(length / 100)),
                None => Message::binary(vec![7; length]),
            };
            let head = WireFormat::Plain.head(&message);
            let (header, used) = Header::parse(&head).expect("right").expect("complete");
            prop_assert_eq!((used, header.masking_key, header.fin), (head.len(), None, true));
            let mut payload = message.payload().to_vec();
            mask::apply(&mut payload, key, 0);
            let mut wire = [&*Header { masking_key: Some(key), ..header }.write(), &payload].concat();
            let mut input = &mut wire[..];
            let event = Decoder::default().decode(&mut input, 1 << 26, &Budget::new(usize::MAX)).expect("right");
            prop_assert!(input.is_empty());
            prop_assert_eq!(event, Some(Event::Message(message)));
        }
    }
}
