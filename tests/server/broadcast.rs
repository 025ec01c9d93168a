//! What a client sends reaches whom it is for: whole, as what it was, in one order for all.

use crate::peer::{BINARY, CONTINUATION, Frame, PING, PONG, Peer, TEXT, header};
use crate::support::{Client, Server};
use std::thread;
use tungstenite::Message;

#[track_caller]
fn assert_hear(clients: &mut [Client], message: &Message) {
    for (at, client) in clients.iter_mut().enumerate() {
        let heard = client.read().expect("a message comes");
        // Not assert_eq: a megabyte makes no failure clearer.
        assert!(heard == *message, "client {at} hears {} bytes, not {}", heard.len(), message.len());
    }
}

fn clients(server: &Server, count: usize) -> Vec<Client> {
    (0..count).map(|_| server.client("/")).collect()
}

#[test]
fn text_and_binary_reach_everybody_as_what_they_were() {
    let server = Server::start(&[]);
    let mut clients = clients(&server, 3);
    let messages = [
        Message::text("Hello"),
        Message::text("中文 🎺 é"),
        Message::text(""),
        Message::binary(vec![0, 255, 128, 10]),
        Message::binary(vec![]),
        // The three forms of a length, on both sides of where they meet.
        Message::text("x".repeat(125)),
        Message::binary(vec![1; 126]),
        Message::binary(vec![2; 65_535]),
        Message::text("y".repeat(65_536)),
    ];
    for sender in 0..clients.len() {
        for message in &messages {
            clients[sender].send(message.clone()).expect("a message can be sent");
            assert_hear(&mut clients, message);
        }
    }
}

/// A message of the greatest length a server takes by default, to twenty.
#[test]
fn a_megabyte_arrives_whole_everywhere() {
    let server = Server::start(&[]);
    let mut clients = clients(&server, 20);
    let binary: Vec<u8> = (0_u32..).flat_map(u32::to_le_bytes).take(1 << 20).collect();
    for message in [Message::binary(binary), Message::text("é".repeat(1 << 19))] {
        clients[7].send(message.clone()).expect("a message can be sent");
        assert_hear(&mut clients, &message);
    }
}

#[test]
fn two_hundred_clients_hear_five_senders_in_one_order() {
    const RECEIVERS: usize = 200;
    const SENDERS: usize = 5;
    const MESSAGES: usize = 40;
    let server = Server::start(&[]);
    let mut clients = clients(&server, RECEIVERS);
    let mut senders: Vec<_> = clients.drain(..SENDERS).collect();
    thread::scope(|scope| {
        for (name, sender) in senders.iter_mut().enumerate() {
            scope.spawn(move || {
                for number in 0..MESSAGES {
                    sender.send(format!("{name} {number}").into()).expect("a message can be sent");
                }
            });
        }
    });
    clients.append(&mut senders);
    let mut orders = clients.iter_mut().map(|client| -> Vec<Message> {
        (0..SENDERS * MESSAGES).map(|_| client.read().expect("all messages come")).collect()
    });
    let first = orders.next().expect("there are clients");
    for name in 0..SENDERS {
        let prefix = format!("{name} ");
        let said = first.iter().filter_map(|message| message.to_text().ok()?.strip_prefix(&prefix));
        let want: Vec<_> = (0..MESSAGES).map(|number| number.to_string()).collect();
        assert_eq!(said.collect::<Vec<_>>(), want, "all that sender {name} said, in its order");
    }
    assert!(orders.all(|order| order == first), "one order for all");
}

#[test]
fn with_no_self_all_hear_it_but_the_sender() {
    let server = Server::start(&["--no-self"]);
    let mut clients = clients(&server, 3);
    for (sender, text) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
        clients[sender % 3].send(text.into()).expect("a message can be sent");
        // The others have it before the next is sent, so that there is one order.
        for other in [1, 2] {
            assert_eq!(clients[(sender + other) % 3].read().expect("a message comes"), text.into());
        }
    }
    // Had anybody got its own message back, it would have been there before the last ping's answer.
    for client in &mut clients {
        client.send(Message::Ping("done".into())).expect("a ping can be sent");
        assert_eq!(client.read().expect("a pong comes"), Message::Pong("done".into()));
    }
}

/// A sender with many messages in one segment, between which others speak: stepping over its own must not
/// cost it a byte of theirs.
#[test]
fn with_no_self_a_burst_leaves_nothing_out() {
    let server = Server::start(&["--no-self"]);
    let (mut one, mut other) = (server.websocket("/"), server.websocket("/"));
    let burst = |name: &str| -> Vec<u8> {
        (0..100).flat_map(|number| Frame::text(&format!("{name} {number}")).masked()).collect()
    };
    one.send(burst("one"));
    other.send(burst("other"));
    for number in 0..100 {
        assert_eq!(one.frame(), Frame::text(&format!("other {number}")));
        assert_eq!(other.frame(), Frame::text(&format!("one {number}")));
    }
}

#[test]
fn an_echo_goes_to_its_sender_alone() {
    for (options, path) in
        [(&[][..], "/echo"), (&[], "/echo?trace=no"), (&["--echo"], "/"), (&["--echo"], "/x")]
    {
        let server = Server::start(options);
        let (mut one, mut other) = (server.client(path), server.client(path));
        for message in
            [Message::text("mine"), Message::binary(vec![1, 2, 3]), Message::text("x".repeat(70_000))]
        {
            one.send(message.clone()).expect("a message can be sent");
            assert_eq!(one.read().expect("the echo comes"), message);
        }
        other.send("and mine".into()).expect("a message can be sent");
        assert_eq!(other.read().expect("the echo comes"), "and mine".into(), "the first it hears");
    }
}

#[test]
fn an_echo_client_hears_no_broadcast_and_makes_none() {
    let server = Server::start(&[]);
    let (mut echo, mut broadcast) = (server.client("/echo"), server.client("/"));
    broadcast.send("to all".into()).expect("a message can be sent");
    assert_eq!(broadcast.read().expect("it is for all"), "to all".into());
    echo.send("to me".into()).expect("a message can be sent");
    assert_eq!(echo.read().expect("the echo comes"), "to me".into());
    broadcast.send("to all again".into()).expect("a message can be sent");
    assert_eq!(broadcast.read().expect("it is for all"), "to all again".into());
}

/// Who comes later hears what is said later, from the first byte of a message.
#[test]
fn a_newcomer_hears_what_is_said_from_then_on() {
    let server = Server::start(&[]);
    let mut sender = server.client("/");
    let mut others = Vec::new();
    for number in 0..20 {
        let message = Message::text(format!("{number} {}", "x".repeat(10_000)));
        sender.send(message.clone()).expect("a message can be sent");
        assert_eq!(sender.read().expect("it comes back").len(), message.len());
        assert_hear(&mut others, &message);
        others.push(server.client("/"));
    }
}

#[test]
fn a_message_may_come_a_byte_at_a_time() {
    let server = Server::start(&[]);
    let (mut sender, mut receiver) = (server.websocket("/"), server.websocket("/"));
    let messages =
        [Frame::text("é, a byte at a time"), Frame::new(BINARY, [0, 1, 2]), Frame::text(&"x".repeat(200))];
    for message in &messages {
        sender.send_byte_by_byte(message.masked());
    }
    sender.expect(&messages);
    receiver.expect(&messages);
}

#[test]
fn a_hundred_messages_may_come_in_one_segment() {
    let server = Server::start(&[]);
    let (mut sender, mut receiver) = (server.websocket("/"), server.websocket("/"));
    let messages: Vec<_> = (0..100).map(|number| Frame::text(&format!("number {number}"))).collect();
    let wire: Vec<u8> = messages.iter().flat_map(Frame::masked).collect();
    assert!(wire.len() < 16_000, "on loopback that is one segment");
    sender.send(wire);
    sender.expect(&messages);
    receiver.expect(&messages);
}

/// Sent in one write, or each in its own: where the reads happen to fall must not show.
#[test]
fn fragments_with_pings_between_them_are_one_message() {
    let server = Server::start(&[]);
    let fragments = [
        Frame::begun(TEXT, "Hel"),
        Frame::new(PING, "one"),
        Frame::begun(CONTINUATION, ""),
        Frame::new(PONG, "not asked for"),
        Frame::begun(CONTINUATION, "l"),
        Frame::new(PING, ""),
        Frame::new(CONTINUATION, "o"),
    ];
    let heard = [Frame::new(PONG, "one"), Frame::new(PONG, ""), Frame::text("Hello")];
    let mut receiver = server.websocket("/");
    let ways: [fn(&mut Peer, &[Frame]); 3] = [
        |peer, frames| peer.send(frames.iter().flat_map(Frame::masked).collect::<Vec<_>>()),
        |peer, frames| frames.iter().for_each(|frame| peer.send(frame.masked())),
        |peer, frames| frames.iter().for_each(|frame| peer.send_byte_by_byte(frame.masked())),
    ];
    for send in ways {
        let mut sender = server.websocket("/");
        send(&mut sender, &fragments);
        sender.expect(&heard);
        assert_eq!(receiver.frame(), Frame::text("Hello"));
    }
}

/// A message of which half is there does not keep the messages of others waiting.
#[test]
fn half_a_message_holds_up_nobody() {
    let server = Server::start(&[]);
    let (mut half, mut other) = (server.websocket("/"), server.websocket("/"));
    half.send([header(true, BINARY, 1000), vec![0; 10]].concat());
    half.send_byte_by_byte([0; 3]);
    other.send(Frame::text("meanwhile").masked());
    for peer in [&mut other, &mut half] {
        assert_eq!(peer.frame(), Frame::text("meanwhile"));
    }
}

#[test]
fn a_ping_is_answered_with_its_payload() {
    let server = Server::start(&[]);
    for path in ["/", "/echo"] {
        let mut peer = server.websocket(path);
        for payload in [&b""[..], b"Hello", &[0, 255, 128], &[7; 125]] {
            peer.send(Frame::new(PING, payload).masked());
            assert_eq!(peer.frame(), Frame::new(PONG, payload));
        }
    }
}

/// A pong made after a broadcast comes after it, and one made before comes before.
#[test]
fn pongs_and_broadcasts_keep_their_order() {
    let server = Server::start(&[]);
    let mut peer = server.websocket("/");
    let pairs =
        (0..200).map(|number| [Frame::text(&format!("{number}")), Frame::new(PING, format!("{number}"))]);
    peer.send(pairs.clone().flatten().flat_map(|frame| frame.masked()).collect::<Vec<_>>());
    for [text, ping] in pairs {
        peer.expect(&[text, Frame { opcode: PONG, ..ping }]);
    }
}
