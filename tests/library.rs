//! The library as another program uses it: its own handler, a server in a thread, stopped from outside.

use fanfare::config::{Audience, Listen};
use fanfare::{
    CloseCode, Config, Context, Error, Handler, Message, Metrics, MetricsReader, Opening, Server, Stopper,
};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tungstenite::WebSocket;
use tungstenite::protocol::frame::CloseFrame;

const PATIENCE: Duration = Duration::from_secs(10);

/// Tells what it hears, and does as it is told: `publish`, `send` and `close` are commands of the client.
struct Telling {
    heard: Sender<String>,
}

impl Telling {
    fn tell(&self, what: String) {
        self.heard.send(what).expect("the test listens");
    }
}

impl Handler for Telling {
    fn open(&mut self, context: &mut Context<'_>, opening: &Opening) {
        self.tell(format!("open {} {:?}", opening.target, opening.audience));
        context.send(&Message::text(format!("welcome, one of {}", context.subscribers())));
    }

    fn message(&mut self, context: &mut Context<'_>, message: Message<'_>) {
        match message.as_text() {
            Some("send") => context.send(&Message::binary(vec![7; 3])),
            Some("panic") => panic!("as the test wants"),
            Some("close") => context.close(CloseCode(3001), "as you wish"),
            _ => context.publish(&message),
        }
    }

    fn close(&mut self, context: &mut Context<'_>, code: CloseCode, reason: &str) {
        self.tell(format!("close {code} {reason}"));
        context.publish(&Message::text("one has left"));
    }
}

/// A server in a thread; stopped and waited for at the end.
struct Running {
    address: SocketAddr,
    stopper: Stopper,
    metrics: MetricsReader,
    heard: Receiver<String>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Running {
    fn start(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.listen = vec![Listen::Tcp { host: "127.0.0.1".to_owned(), port: 0 }];
        change(&mut config);
        let (sender, heard) = channel();
        let (started, address) = channel();
        let thread = std::thread::spawn(move || {
            let server = Server::bind(config)?;
            started
                .send((server.addresses()[0], server.stopper(), server.metrics()))
                .expect("the test waits");
            server.run(Telling { heard: sender })
        });
        let (address, stopper, metrics) = address.recv_timeout(PATIENCE).expect("it starts");
        Self { address, stopper, metrics, heard, thread: Some(thread) }
    }

    fn connect(&self, path: &str) -> WebSocket<TcpStream> {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout may be set");
        let url = format!("ws://{}{path}", self.address);
        tungstenite::client(url, stream).expect("a handshake").0
    }

    fn hears(&self) -> String {
        self.heard.recv_timeout(PATIENCE).expect("the handler is called")
    }

    /// Waits until the figures are as wanted.
    #[track_caller]
    fn counts(&self, what: &str, is_so: impl Fn(&Metrics) -> bool) -> Metrics {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metrics = self.metrics.read();
            if is_so(&metrics) {
                return metrics;
            }
            assert!(Instant::now() < deadline, "not {what}: {metrics:?}");
            std::thread::yield_now();
        }
    }

    fn join(&mut self) -> Result<(), Error> {
        self.thread.take().expect("joined once").join().expect("no panic")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if self.thread.is_some() {
            self.join().expect("a server stops without an error");
        }
    }
}

fn text(client: &mut WebSocket<TcpStream>) -> String {
    client.read().expect("a message").into_text().expect("text").to_string()
}

#[test]
fn a_handler_hears_and_answers() {
    let server = Running::start(|_| {});
    let mut first = server.connect("/a?b=c");
    assert_eq!(server.hears(), "open /a?b=c Everyone");
    assert_eq!(text(&mut first), "welcome, one of 1");
    let mut second = server.connect("/");
    assert_eq!(server.hears(), "open / Everyone");
    assert_eq!(text(&mut second), "welcome, one of 2");

    first.send("to all".into()).expect("sent");
    assert_eq!((text(&mut first), text(&mut second)), ("to all".to_owned(), "to all".to_owned()));
    first.send("send".into()).expect("sent");
    assert_eq!(first.read().expect("a message").into_data().as_ref(), [7; 3]);

    first.send("close".into()).expect("sent");
    let closed = first.read().expect("a Close");
    let frame = CloseFrame { code: 3001.into(), reason: "as you wish".into() };
    assert_eq!(closed, tungstenite::Message::Close(Some(frame)));
    let _ = first.flush();
    assert_eq!(server.hears(), "close 3001 as you wish");
    assert_eq!(text(&mut second), "one has left");
}

#[test]
fn one_that_vanishes_is_heard_of_once() {
    let server = Running::start(|config| config.audience = Audience::Sender);
    drop(server.connect("/").get_ref().shutdown(std::net::Shutdown::Both));
    assert_eq!(server.hears(), "open / Sender");
    assert_eq!(server.hears(), "close 1006 ");
    assert!(server.heard.try_recv().is_err());
}

#[test]
fn it_is_drained_from_another_thread() {
    let mut server = Running::start(|_| {});
    let mut client = server.connect("/");
    assert_eq!(text(&mut client), "welcome, one of 1");
    server.stopper.drain();
    let tungstenite::Message::Close(Some(frame)) = client.read().expect("a message") else {
        panic!("the server says goodbye");
    };
    assert_eq!(u16::from(frame.code), 1001);
    while client.read().is_ok() {}
    server.join().expect("it has drained");
    assert!(TcpStream::connect(server.address).is_err(), "nobody listens any more");
}

/// Who only watches what another client does is no client of the handler's.
#[test]
fn a_handler_hears_nothing_of_viewers() {
    let server = Running::start(|_| {});
    let mut viewer = server.connect("/inspect?trace=0123456789abcdef");
    let mut client = server.connect("/?trace=0123456789abcdef");
    assert_eq!(server.hears(), "open /?trace=0123456789abcdef Everyone");
    assert_eq!(text(&mut client), "welcome, one of 1");
    for sign in ["\"GET /?trace=", "101 Switching", "\"preview\":\"welcome, one of 1\""] {
        let record = text(&mut viewer);
        assert!(record.contains(sign), "{record}");
    }
    viewer.send("ping".into()).expect("sent");
    assert!(text(&mut viewer).contains("\"opcode\":9,"));
    viewer.close(None).expect("sent");
    while viewer.read().is_ok() {}
    // One that is refused, one that breaks a rule, one that vanishes.
    let mut viewer = server.connect("/inspect?trace=0123456789abcdef");
    viewer.send("publish".into()).expect("sent");
    while viewer.read().is_ok() {}
    let mut viewer = server.connect("/inspect?trace=0123456789abcdef");
    viewer.get_mut().write_all(b"\xff\x80\0\0\0\0").expect("sent");
    while viewer.read().is_ok() {}
    drop(server.connect("/inspect?trace=0123456789abcdef"));
    let metrics = server.counts("all but the client are gone", |metrics| metrics.connections == 1);
    assert_eq!((metrics.handshakes, metrics.subscribers), (5, 1));
    assert_eq!(
        metrics.closes.iter().map(|(_, count)| count).sum::<u64>(),
        4,
        "each once: {:?}",
        metrics.closes
    );
    assert!(server.heard.try_recv().is_err());
    client.close(None).expect("sent");
    assert_eq!(server.hears(), "close 1005 ");
}

/// It is the program's fault, not the other clients'.
#[test]
fn a_handler_that_panics_loses_its_client_and_no_other() {
    let server = Running::start(|_| {});
    let (mut unlucky, mut other) = (server.connect("/"), server.connect("/"));
    for client in [&mut unlucky, &mut other] {
        assert_eq!(server.hears(), "open / Everyone");
        assert!(text(client).starts_with("welcome"));
    }
    unlucky.send("panic".into()).expect("sent");
    let tungstenite::Message::Close(Some(frame)) = unlucky.read().expect("a message") else {
        panic!("the server says goodbye");
    };
    assert_eq!(u16::from(frame.code), 1011);
    let _ = unlucky.flush();
    assert_eq!(server.hears(), "close 1011 ", "it is gone, like any other");
    assert_eq!(text(&mut other), "one has left");
    other.send("still there".into()).expect("sent");
    assert_eq!(text(&mut other), "still there");
    let metrics = server.counts("one panic", |metrics| metrics.handler_panics == 1);
    assert_eq!((metrics.closes.get(CloseCode::INTERNAL), metrics.subscribers), (1, 1));
}

#[test]
fn what_happens_is_counted() {
    let server = Running::start(|config| config.limits.connections_max = Some(3));
    let (mut one, mut other) = (server.connect("/"), server.connect("/"));
    for client in [&mut one, &mut other] {
        assert!(text(client).starts_with("welcome"));
    }
    let idle = server.counts("two subscribers", |metrics| metrics.subscribers == 2);
    assert_eq!((idle.handshakes, idle.connections_accepted, idle.messages_received), (2, 2, 0));
    one.send("12345".into()).expect("sent");
    assert_eq!((text(&mut one), text(&mut other)), ("12345".to_owned(), "12345".to_owned()));
    let said = server.counts("a message", |metrics| metrics.messages_received == 1);
    assert_eq!(said.bytes_received - idle.bytes_received, 6 + 5);
    server.counts("two deliveries", |metrics| metrics.bytes_sent - idle.bytes_sent == 2 * (2 + 5));

    let ask = |request: &str, held: u64| {
        server.counts("the one before gone", |metrics| metrics.connections == held);
        let mut stream = TcpStream::connect(server.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout may be set");
        stream.read_to_string(&mut answer).expect("an answer");
        drop(stream);
        answer
    };
    assert!(ask("GET / HTTP/1.0\r\n\r\n", 2).starts_with("HTTP/1.1 200"));
    assert!(ask("GET /nowhere HTTP/1.0\r\n\r\n", 2).starts_with("HTTP/1.1 404"));
    assert!(ask("GET / HTTP/1.1\r\n\r\n", 2).starts_with("HTTP/1.1 400"));
    let asked =
        server.counts("two refusals", |m| m.refusals.iter().map(|(_, count)| count).sum::<u64>() == 2);
    assert_eq!((asked.requests, asked.refusals.get("there is no such page")), (2, 1));

    server.counts("the last one gone", |metrics| metrics.connections == 2);
    let third = server.connect("/");
    assert!(ask("", 3).starts_with("HTTP/1.1 503"));
    server.counts("a newcomer refused", |metrics| metrics.connections_refused == 1);
    drop(third);
    one.close(Some(CloseFrame { code: 4321.into(), reason: "".into() })).expect("sent");
    while one.read().is_ok() {}
    let closed = server.counts("two closes", |metrics| metrics.closes.iter().count() == 2);
    assert_eq!([4000, 1006].map(|code| closed.closes.get(CloseCode(code))), [1, 1]);
    drop((one, other));
    server.counts("nobody there", |metrics| {
        metrics.connections == 0 && metrics.closes.get(CloseCode(1006)) == 2
    });
}

#[test]
fn what_cannot_be_bound_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let mut config = Config::default();
    config.listen = vec![Listen::Loopback { port }];
    let error = Server::bind(config).expect_err("the port is taken").to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
    let mut config = Config::default();
    config.listen = Vec::new();
    assert!(matches!(Server::bind(config), Err(Error::NoListener)));
}

#[test]
fn stopped_at_once_means_no_goodbye() {
    let mut server = Running::start(|_| {});
    let mut client = server.connect("/");
    assert_eq!(text(&mut client), "welcome, one of 1");
    server.stopper.stop();
    server.join().expect("no error");
    client.read().expect_err("the connection is gone, without a Close");
}
