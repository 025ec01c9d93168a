//! The library as another program uses it: its own handler, a server in a thread, stopped from outside.

use fanfare::config::{Audience, Listen};
use fanfare::{CloseCode, Config, Context, Error, Handler, Message, Opening, Server, Stopper};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
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
            started.send((server.addresses()[0], server.stopper())).expect("the test waits");
            server.run(Telling { heard: sender })
        });
        let (address, stopper) = address.recv_timeout(PATIENCE).expect("it starts");
        Self { address, stopper, heard, thread: Some(thread) }
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
