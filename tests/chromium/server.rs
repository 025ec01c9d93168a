//! The program under test, a client of it that is not a browser, and another server for the pages.

use crate::process::{DEADLINE, Process, comes_true};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::thread::{self, JoinHandle};
use tungstenite::{Message, WebSocket};

/// A running server.
pub(crate) struct Server {
    process: Process,
    port: u16,
}

impl Server {
    /// Starts the program on a port, 0 for one that the system picks, and waits until it listens.
    #[track_caller]
    pub(crate) fn start(port: u16) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FANFARE_"))
        {
            command.env_remove(name);
        }
        command.args(["--port", &port.to_string()]);
        let mut process = Process::start(command);
        let port = process.wait_for("the line that says where the server listens", |errors| {
            let (before, _) = errors.split_once("/websocket.html")?;
            before.rsplit_once(':')?.1.parse().ok()
        });
        Self { process, port }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address of a page.
    pub(crate) fn url(&self, page: &str) -> String {
        format!("http://localhost:{}/{page}", self.port)
    }

    /// A client that shares no code with the server or the pages. It hears all that is sent from here on.
    #[track_caller]
    pub(crate) fn client(&self) -> Client {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("the server accepts");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
        stream.set_write_timeout(Some(DEADLINE)).expect("a timeout can be set");
        let url = format!("ws://localhost:{}/", self.port);
        let (socket, _) = tungstenite::client(url, stream).expect("the handshake succeeds");
        Client(socket)
    }

    /// Asks the server to stop, and waits until it is gone.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.process.terminate();
        let ended = comes_true(DEADLINE, || self.process.has_ended());
        assert!(ended, "a server that was asked to stop runs on");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the server said\n{}---", self.process.errors());
        }
    }
}

/// See [`Server::client`].
pub(crate) struct Client(WebSocket<TcpStream>);

impl Client {
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
