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

#[cfg(feature = "tls")]
#[path = "outside/trusting.rs"]
mod trusting;

#[cfg(feature = "tls")]
mod tls {
    use super::*;
    use fanfare::config::Certificate;
    use fanfare::limits::{LOAN_FREE_BYTES, TLS_CONNECTION_BYTES};
    use rustls::pki_types::ServerName;
    use rustls::version::{TLS12, TLS13};
    use rustls::{ClientConnection, SupportedProtocolVersion};
    use std::sync::Arc;

    /// What is free of what may wait to be read, and of what may wait to be written.
    const FREE_OF_LOANS: u64 = 2 * LOAN_FREE_BYTES as u64;

    /// How far a client goes.
    #[derive(Clone, Copy, Debug)]
    enum Until {
        /// Half of its ClientHello.
        HalfAHello,
        /// It has the server's answer to that, and says no more.
        TheAnswer,
        /// It is a WebSocket, and idle.
        Idle,
    }

    struct Client {
        session: ClientConnection,
        socket: TcpStream,
    }

    impl Client {
        fn connect(address: SocketAddr, version: &'static SupportedProtocolVersion, until: Until) -> Self {
            let settings = trusting::settings(version);
            let name = ServerName::try_from("localhost").expect("a name");
            let mut session = ClientConnection::new(Arc::new(settings), name).expect("it can begin");
            let mut socket = TcpStream::connect(address).expect("it listens");
            socket.set_read_timeout(Some(PATIENCE)).expect("a timeout may be set");
            match until {
                Until::HalfAHello => {
                    let mut hello = Vec::new();
                    session.write_tls(&mut hello).expect("to memory");
                    socket.write_all(&hello[..hello.len() / 2]).expect("sent");
                }
                Until::TheAnswer => {
                    session.write_tls(&mut socket).expect("sent");
                    socket.peek(&mut [0]).expect("an answer");
                }
                Until::Idle => {
                    let mut stream = rustls::Stream::new(&mut session, &mut socket);
                    stream.write_all(HANDSHAKE).expect("it reads");
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let mut byte = [0];
                        stream.read_exact(&mut byte).expect("it answers");
                        head.push(byte[0]);
                    }
                }
            }
            Self { session, socket }
        }

        fn hear(&mut self) {
            let mut delivery = [0; DELIVERY.len()];
            rustls::Stream::new(&mut self.session, &mut self.socket)
                .read_exact(&mut delivery)
                .expect("it comes");
            assert_eq!(delivery, DELIVERY);
        }
    }

    fn life(
        clients: usize,
        messages: usize,
        version: &'static SupportedProtocolVersion,
        until: Until,
    ) -> AllocationInfo {
        let (started, address) = mpsc::channel();
        let server = std::thread::spawn(move || {
            let mut config = Config::default();
            config.listen = vec![Listen::Tcp { host: "127.0.0.1".to_owned(), port: 0 }];
            config.certificate = Some(Certificate::SelfSigned);
            let server = Server::bind(config).expect("a port is free");
            started.send((server.addresses()[0], server.stopper())).expect("the test waits");
            measure(|| server.run(Broadcast).expect("it serves until it is stopped"))
        });
        let (address, stopper) = address.recv_timeout(PATIENCE).expect("it starts");
        let mut clients: Vec<_> = (0..clients).map(|_| Client::connect(address, version, until)).collect();
        for _ in 0..messages {
            let client = &mut clients[0];
            rustls::Stream::new(&mut client.session, &mut client.socket)
                .write_all(MESSAGE)
                .expect("it reads");
            clients.iter_mut().for_each(Client::hear);
        }
        if matches!(until, Until::HalfAHello) {
            std::thread::sleep(Duration::from_millis(200)); // nobody says that they were read
        }
        stopper.stop();
        server.join().expect("it did not panic")
    }

    /// What each client costs, of bytes that are held at a time.
    fn bytes_of_each(version: &'static SupportedProtocolVersion, until: Until) -> u64 {
        let messages = if matches!(until, Until::Idle) { 3 } else { 0 };
        let [few, many] = [20, 320].map(|clients| life(clients, messages, version, until).bytes_max);
        (many - few) / 300
    }

    #[test]
    fn what_a_connection_keeps_has_its_bound() {
        let mut wrong = Vec::new();
        for version in [&TLS13, &TLS12] {
            for (until, most) in [(Until::Idle, 4_000), (Until::HalfAHello, 3_000), (Until::TheAnswer, 4_600)]
            {
                let bytes = bytes_of_each(version, until);
                if bytes > most || bytes + FREE_OF_LOANS > TLS_CONNECTION_BYTES {
                    wrong.push(format!("{version:?} {until:?}: {bytes} bytes"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    /// All of it is given back with the message: what is held at a time does not grow with how many there were.
    #[test]
    fn a_message_leaves_nothing_behind() {
        let [few, many] = [20, 220].map(|messages| life(20, messages, &TLS13, Until::Idle).bytes_max);
        assert!(many <= few + 4096, "{few} bytes with 20 messages, {many} with 220");
    }
}
