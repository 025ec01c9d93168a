//! What the server asks of the allocator, counted: nothing for a message, and nothing that stays for a connection.
//!
//! The counts are of one thread, so each server runs in one of its own, and what the clients beside it allocate
//! does not count.

use allocation_counter::{AllocationInfo, measure};
use fanfare::config::Listen;
use fanfare::{Config, Context, Handler, Message, Server};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const HANDSHAKE: &[u8] =
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
/// Masked with zeros.
const MESSAGE: &[u8] = b"\x81\x85\0\0\0\0Hello";
const DELIVERY: &[u8] = b"\x81\x05Hello";
/// What time may change: a queue that grew once more, since more came together.
const CHANCE: u64 = 8;

struct Broadcast;

impl Handler for Broadcast {
    fn message(&mut self, context: &mut Context<'_>, message: Message<'_>) {
        context.publish(&message);
    }
}

/// What a server allocates in all its life, while so many clients hear so many messages of one of them.
fn life(clients: usize, messages: usize) -> AllocationInfo {
    let (started, address) = mpsc::channel();
    let server = std::thread::spawn(move || {
        let mut config = Config::default();
        config.listen = vec![Listen::Tcp { host: "127.0.0.1".to_owned(), port: 0 }];
        let server = Server::bind(config).expect("a port is free");
        started.send((server.addresses()[0], server.stopper())).expect("the test waits");
        measure(|| server.run(Broadcast).expect("it serves until it is stopped"))
    });
    let (address, stopper) = address.recv_timeout(PATIENCE).expect("it starts");
    let mut clients: Vec<_> = (0..clients).map(|_| connect(address)).collect();
    for _ in 0..messages {
        clients[0].write_all(MESSAGE).expect("it reads");
        for client in &mut clients {
            assert_eq!(read(client, DELIVERY.len()), DELIVERY);
        }
    }
    stopper.stop();
    server.join().expect("it did not panic")
}

fn connect(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).expect("it listens");
    client.set_read_timeout(Some(PATIENCE)).expect("a timeout may be set");
    client.write_all(HANDSHAKE).expect("it reads");
    while !read(&mut client, 1).ends_with(b"\r") || read(&mut client, 3) != b"\n\r\n" {}
    client
}

fn read(client: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    client.read_exact(&mut bytes).expect("it answers");
    bytes
}

#[test]
fn a_message_allocates_nothing() {
    let [few, many] = [20, 520].map(|messages| life(20, messages).count_total);
    assert!(many <= few + CHANCE, "{few} allocations with 20 messages, {many} with 520");
}

#[test]
fn a_connection_owns_no_block() {
    let [few, many] = [20, 320].map(|clients| life(clients, 3).count_max);
    assert!(many <= few + CHANCE, "{few} blocks at a time with 20 clients, {many} with 320");
}
