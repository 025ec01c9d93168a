//! The four states of a socket, each with what may be done in it; and users who are quicker than the network.

use crate::browser::Browser;
use crate::outside::server::Server;
use crate::page::Page;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

/// A server that says nothing, and one that leaves a Close without an answer: all four states are seen.
pub(crate) fn all_four(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    close(&page);
    page.wait_for_state(3, "CLOSED");

    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    page.fill("url", &format!("ws://127.0.0.1:{}/", port(&silent)));
    page.click("#connectButton");
    page.wait_for_state(0, "CONNECTING");
    page.click("#sendButton");
    page.wait_for_line(&["InvalidStateError"]);
    page.click("#connectButton");
    page.wait_for_line(&["note", "0 CONNECTING"]);
    close(&page);
    page.wait_for_line(&["1006", "wasClean false"]);
    page.wait_for_state(3, "CLOSED");
    assert_has_given_up(&page);

    let deaf = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let url = format!("ws://127.0.0.1:{}/", port(&deaf));
    let accepted = thread::spawn(move || {
        let (stream, _) = deaf.accept().expect("a page connects");
        tungstenite::accept(stream).expect("the handshake succeeds")
    });
    page.fill("url", &url);
    page.click("#connectButton");
    page.wait_until_open();
    let other = accepted.join().expect("the other server has not panicked");
    close(&page);
    page.wait_for_state(2, "CLOSING");
    // What is sent now goes nowhere, and does not throw: it counts as buffered for ever.
    page.fill("inputMessage", "too late");
    page.click("#sendButton");
    page.wait_for_line(&["note", "send()", "2 CLOSING", "dropped"]);
    page.wait_until("Number(document.getElementById('bufferedAmount').textContent) >= 8");
    drop(other);
    page.wait_for_state(3, "CLOSED");
    assert_has_given_up(&page);
    assert!(page.complaints().iter().all(|complaint| !complaint.contains("exceptionDetails")));
}

/// Clicks that come before anything could happen make one connection, or none.
pub(crate) fn quick_clicks(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    let counter = browser.open(&server.url("broadcast.html"));
    page.wait_until_open();
    let click = |ids: &[&str]| {
        let clicks: Vec<_> =
            ids.iter().map(|id| format!("document.getElementById('{id}Button').click()")).collect();
        page.value(&clicks.join(";"));
    };
    let receivers = |count: usize| {
        counter.wait_until(&format!("document.getElementById('receivers').textContent === '{count}'"));
    };
    receivers(2);
    click(&["close", "close"]);
    page.wait_for_state(3, "CLOSED");
    receivers(1);
    click(&["connect", "connect", "connect"]);
    page.wait_until_open();
    receivers(2);
    click(&["close"]);
    page.wait_for_state(3, "CLOSED");
    click(&["connect", "close"]);
    receivers(1);
    page.wait_for_state(3, "CLOSED");
    assert_has_given_up(&page);
    click(&["connect", "close", "connect"]);
    page.wait_until_open();
    receivers(2);
    // Only what is connected hears what is sent: once.
    counter.fill("inputMessage", "one of you");
    counter.click("#sendButton");
    page.wait_for_line(&["received", "one of you"]);
}

/// The subprotocol that was agreed on is shown; a connection that is made again asks for the same.
pub(crate) fn subprotocol(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    assert_eq!(page.text("protocol"), "");
    close(&page);
    page.wait_for_state(3, "CLOSED");
    page.fill("protocols", "chat.v9, chat.v1");
    page.click("#connectButton");
    page.wait_until_open();
    assert_eq!(page.text("protocol"), "chat.v1");
    let port = server.port();
    drop(server);
    page.wait_for_state(3, "CLOSED");
    let _server = crate::start_on_with(port, OF_SUBPROTOCOLS);
    page.wait_until_open();
    assert_eq!(page.text("protocol"), "chat.v1");
}

/// The options of the server in [`subprotocol`].
pub(crate) const OF_SUBPROTOCOLS: &[&str] = &["--protocol", "chat.v1"];

#[track_caller]
fn close(page: &Page<'_>) {
    page.click("#closeButton");
}

/// Nothing is tried any more.
#[track_caller]
fn assert_has_given_up(page: &Page<'_>) {
    assert_eq!(page.value("document.getElementById('retry').hidden"), true);
}

#[track_caller]
fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("it is bound").port()
}
