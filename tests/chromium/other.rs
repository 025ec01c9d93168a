//! The other end of a socket: a client that is no browser, and a server of another make.

use crate::outside::process::DEADLINE;
use crate::outside::server::Server;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use tungstenite::{Message, WebSocket};

/// A client that shares no code with the server or the pages.
pub(crate) struct Client(WebSocket<TcpStream>);

impl Client {
    /// Connects: it hears all that is sent from here on.
    #[track_caller]
    pub(crate) fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).expect("the server accepts");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
        stream.set_write_timeout(Some(DEADLINE)).expect("a timeout can be set");
        let url = format!("ws://localhost:{}/", server.port());
        let (socket, _) = tungstenite::client(url, stream).expect("the handshake succeeds");
        Self(socket)
    }

    #[track_caller]
    pub(crate) fn send(&mut self, message: impl Into<Message>) {
        self.0.send(message.into()).expect("a message can be sent");
    }

    /// The next message, whatever else comes before it.
    #[track_caller]
    pub(crate) fn receive(&mut self) -> Message {
        loop {
            let message = self.0.read().expect("a message comes");
            if message.is_text() || message.is_binary() {
                return message;
            }
        }
    }
}

/// A server that shares no code with ours. It takes one connection and answers a Close with what is in it.
pub(crate) struct OtherServer {
    port: u16,
    thread: JoinHandle<Option<(u16, String)>>,
}

impl OtherServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let thread = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a page connects");
            let mut socket = tungstenite::accept(stream).expect("the handshake succeeds");
            let mut close_frame = None;
            while let Ok(message) = socket.read() {
                if let Message::Close(Some(frame)) = message {
                    close_frame = Some((frame.code.into(), frame.reason.to_string()));
                }
            }
            close_frame
        });
        Self { port, thread }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/", self.port)
    }

    /// How the page closed. To be asked when it has: until then this waits.
    #[track_caller]
    pub(crate) fn close_frame(self) -> Option<(u16, String)> {
        self.thread.join().expect("the other server has not panicked")
    }
}
