//! The browser's remote control: the Chrome DevTools Protocol, JSON over a WebSocket.
//!
//! [`Connection::call`] sends a command and waits for its answer. What comes in between are events; they are
//! kept until somebody asks for them. One connection serves all pages: each has a session, and its messages
//! carry the name of that.

use crate::outside::process::DEADLINE;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::net::TcpStream;
use tungstenite::{Message, WebSocket};

pub(crate) struct Connection {
    socket: RefCell<WebSocket<TcpStream>>,
    /// Everything that came without being an answer.
    events: RefCell<Vec<Value>>,
    last_id: Cell<u64>,
}

impl Connection {
    /// Connects to the address that the browser gave.
    #[track_caller]
    pub(crate) fn open(url: &str) -> Self {
        let address = url.trim_start_matches("ws://").split('/').next().expect("split gives something");
        let stream = TcpStream::connect(address).expect("the browser accepts");
        // An answer that never comes is a failure, not a hang.
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout can be set");
        stream.set_write_timeout(Some(DEADLINE)).expect("a timeout can be set");
        let (socket, _) = tungstenite::client(url, stream).expect("the handshake succeeds");
        Self { socket: RefCell::new(socket), events: RefCell::default(), last_id: Cell::new(0) }
    }

    /// Sends a command and gives its result. Without a session it is for the browser, else for a page.
    #[track_caller]
    pub(crate) fn call(&self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.try_call(session, method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The same for a command that may be refused.
    #[track_caller]
    pub(crate) fn try_call(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> Result<Value, Value> {
        let id = self.send(session, method, parameters).expect("a command can be sent");
        loop {
            let message = self.socket.borrow_mut().read();
            let message = message.unwrap_or_else(|error| panic!("{method} is not answered: {error}"));
            let Message::Text(text) = message else { continue };
            let mut message: Value = serde_json::from_str(&text).expect("the browser speaks JSON");
            if message["id"] != id {
                self.events.borrow_mut().push(message);
            } else if message["error"].is_null() {
                return Ok(message["result"].take());
            } else {
                return Err(message["error"].take());
            }
        }
    }

    /// Sends a command whose answer nobody reads.
    pub(crate) fn send(
        &self,
        session: Option<&str>,
        method: &str,
        parameters: Value,
    ) -> tungstenite::Result<u64> {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        self.socket.borrow_mut().send(Message::text(command.to_string()))?;
        Ok(id)
    }

    /// What `pick` makes of the events that a page had so far: their method and their parameters.
    pub(crate) fn events<T>(&self, session: &str, pick: impl Fn(&str, &Value) -> Option<T>) -> Vec<T> {
        let events = self.events.borrow();
        let of_page = events.iter().filter(|event| event["sessionId"] == session);
        of_page.filter_map(|event| pick(event["method"].as_str()?, &event["params"])).collect()
    }

    /// The same of all pages.
    pub(crate) fn all_events<T>(&self, pick: impl Fn(&str, &Value) -> Option<T>) -> Vec<T> {
        let events = self.events.borrow();
        events.iter().filter_map(|event| pick(event["method"].as_str()?, &event["params"])).collect()
    }
}
