//! What the pages are for: messages, notices, closing.

use crate::browser::Browser;
use crate::other::{Client, OtherServer};
use crate::outside::server::Server;
use crate::page::Page;
use tungstenite::Message;

/// More than one byte a character, and more than one UTF-16 unit.
const TEXT: &str = "Grüße, 世界 🎺";

/// The user's page connects by itself; what is typed there shows in all tabs, and once in each.
pub(crate) fn typed_text_reaches_another_tab(server: Server, browser: &Browser) {
    let [sender, other] = [(), ()].map(|()| browser.open(&server.url("websocket.html")));
    for page in [&sender, &other] {
        page.wait_until_open();
        assert_eq!(page.text("isWebSocketSupport"), "true");
    }
    sender.fill("inputMessage", TEXT);
    sender.click("#sendButton");
    other.wait_for_line(&[TEXT]);
    sender.wait_for_lines(2, &[TEXT]); // sent, and received

    // A socket takes any text, also none.
    sender.value("document.getElementById('inputMessage').value = ''");
    sender.click("#sendButton");
    other.fill("inputMessage", "and back");
    other.click("#sendButton");
    sender.wait_for_line(&["and back"]);
    sender.wait_for_lines(2, &[", 0 bytes"]);
    other.wait_for_lines(1, &[", 0 bytes"]);
}

/// What the page sends arrives at a client that is no browser, and the other way round.
pub(crate) fn every_kind_of_message(server: Server, browser: &Browser) {
    let mut client = Client::connect(&server);
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    page.fill("inputMessage", TEXT);
    for kind in ["string", "Blob", "ArrayBuffer", "Uint8Array"] {
        page.choose("sendAs", kind);
        page.click("#sendButton");
        let want = if kind == "string" { Message::text(TEXT) } else { Message::binary(TEXT.as_bytes()) };
        assert_eq!(client.receive(), want, "sent as {kind}");
    }

    // A view of a part of its buffer: only that part may leave. The order of the three is kept, although a
    // Blob has to be read first.
    let url = server.url("").replace("http:", "ws:");
    page.value(&format!(
        "new Promise((resolve, reject) => {{
            const socket = new WebSocket('{url}');
            socket.onerror = () => reject(new Error('no connection'));
            socket.onopen = () => {{
                socket.send(new Blob([new Uint8Array(100000).fill(7)]));
                socket.send(new Uint16Array([0, 0x0201, 0x0403, 0]).subarray(1, 3));
                socket.send('last');
                resolve();
            }};
        }})"
    ));
    assert!(client.receive() == Message::binary(vec![7; 100_000]), "a Blob of 100,000 bytes");
    assert_eq!(client.receive(), Message::binary(vec![1, 2, 3, 4]), "a part of a buffer");
    assert_eq!(client.receive(), Message::text("last"));

    for (kind, bytes, hex) in [
        ("blob", [0x00, 0xfe, 0xdc], "00 fe dc"),
        ("arraybuffer", [0x01, 0xfe, 0xdc], "01 fe dc"),
        ("blob", [0x02, 0xfe, 0xdc], "02 fe dc"),
    ] {
        page.choose("binaryType", kind);
        client.send(bytes.to_vec());
        page.wait_for_line(&[if kind == "blob" { "Blob" } else { "ArrayBuffer" }, "3 bytes", hex]);
    }
    client.send(format!("text: {TEXT}"));
    page.wait_for_line(&[&format!("text: {TEXT}")]);

    // What is long comes compressed, and goes so: the client beside it has not agreed to that.
    let agreed = page.text("extensions");
    assert_eq!(agreed.starts_with("permessage-deflate"), cfg!(feature = "deflate"), "{agreed}");
    let long = "{\"row\":1,\"unit\":\"°C\"} ".repeat(500) + "end";
    page.choose("sendAs", "string");
    page.fill("inputMessage", &long);
    let mut fresh = Client::connect(&server);
    page.click("#sendButton");
    assert!(fresh.receive() == Message::text(long.as_str()), "it comes as it was");
    fresh.send(format!("what came: {long}"));
    page.wait_for_line(&["what came: {"]);
}

/// Codes and reasons go out and come back; what the API forbids throws, and changes nothing.
pub(crate) fn close_codes_and_reasons(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();

    // The longest reason that fits has 123 bytes: one more is refused.
    let too_long = "é".repeat(62);
    for (code, reason, exception, count) in [
        ("1001", "", "InvalidAccessError", 1),
        ("5000", "", "InvalidAccessError", 2),
        ("words", "", "InvalidAccessError", 3),
        ("3001", &*too_long, "SyntaxError", 1),
    ] {
        fill_close(&page, code, reason);
        page.click("#closeButton");
        page.wait_for_lines(count, &[exception]);
    }
    // Still open, and still working: it hears itself.
    page.wait_until_open();
    page.fill("inputMessage", TEXT);
    page.click("#sendButton");
    page.wait_for_lines(2, &[TEXT]);

    for code in ["3001", "4999", "1000"] {
        fill_close(&page, code, "");
        page.click("#closeButton");
        page.wait_for_line(&[code, "wasClean true"]);
        page.wait_for_state(3, "CLOSED");
        page.click("#connectButton");
        page.wait_until_open();
    }
    // Without a code there is none on the wire, and so none comes back.
    page.value("document.getElementById('closeCode').value = ''");
    page.click("#closeButton");
    page.wait_for_line(&["1005", "wasClean true"]);
    page.wait_for_state(3, "CLOSED");

    for (id, wrong) in [("url", "ws://["), ("protocols", "not a token")] {
        let right = page.value(&format!("document.getElementById('{id}').value"));
        page.fill(id, wrong);
        page.click("#connectButton");
        page.wait_for_line(&["SyntaxError", wrong]);
        page.value(&format!("document.getElementById('{id}').value = {right}"));
    }
    for reason in ["enough for today, 再见", &format!("{}!", &too_long[..122])] {
        close_elsewhere(&page, reason);
    }
}

/// Connects to a server of another make, which says what came, and closes with a reason.
#[track_caller]
fn close_elsewhere(page: &Page<'_>, reason: &str) {
    let other = OtherServer::start();
    page.fill("url", &other.url());
    page.click("#connectButton");
    page.wait_until_open();
    fill_close(page, "3002", reason);
    page.click("#closeButton");
    page.wait_for_line(&["3002", "wasClean true", reason]);
    page.wait_for_state(3, "CLOSED");
    assert_eq!(other.close_frame(), Some((3002, reason.to_owned())));
}

fn fill_close(page: &Page<'_>, code: &str, reason: &str) {
    page.fill("closeCode", code);
    if reason.is_empty() {
        page.value("document.getElementById('closeReason').value = ''");
    } else {
        page.fill("closeReason", reason);
    }
}

/// Notices reach the user's page; both pages come back by themselves to a server that was stopped and starts again.
pub(crate) fn notices_and_a_restart(server: Server, browser: &Browser) {
    let sender = browser.open(&server.url("broadcast.html"));
    let user = browser.open(&server.url("websocket.html"));
    for page in [&sender, &user] {
        page.wait_until_open();
    }
    let notice = "Dinner is ready.\n晚饭好了。";
    send_notice(&sender, notice);
    user.wait_for_line(&[notice]);

    let port = server.port();
    server.stop();
    for page in [&sender, &user] {
        page.wait_for_line(&["1001", "wasClean true"]);
    }
    user.wait_for_state(3, "CLOSED");

    let _server = crate::start_on(port);
    for page in [&sender, &user] {
        page.wait_until_open();
    }
    send_notice(&sender, "Back again.");
    user.wait_for_line(&["Back again."]);
}

/// Sends a notice, which then has left its field and comes back.
fn send_notice(page: &Page<'_>, notice: &str) {
    page.fill("inputMessage", notice);
    page.click("#sendButton");
    page.wait_for_lines(2, &[notice]);
    assert_eq!(page.value("document.getElementById('inputMessage').value"), "");
}

/// Nothing that a peer sends becomes an element or a script, wherever it is shown.
pub(crate) fn markup_is_text(server: Server, browser: &Browser) {
    const MARKUP: &str = "<img src=x onerror=\"window.isHurt = 1\"><script>window.isHurt = 1</script>&lt;";
    let pages = ["websocket.html", "broadcast.html"].map(|name| browser.open(&server.url(name)));
    let [user, sender] = &pages;
    for page in &pages {
        page.wait_until_open();
    }
    Client::connect(&server).send(MARKUP);
    for page in &pages {
        page.wait_for_line(&[MARKUP]);
    }
    sender.fill("inputMessage", MARKUP);
    sender.click("#sendButton");
    sender.wait_for_lines(3, &[MARKUP]); // two received, one sent
    user.wait_for_lines(2, &[MARKUP]);
    fill_close(user, "1000", "");
    user.click("#closeButton");
    user.wait_for_state(3, "CLOSED");
    close_elsewhere(user, MARKUP);
    for page in &pages {
        let elements = page.value("document.querySelectorAll('img, #log script').length");
        assert_eq!(elements, 0, "elements that a message made");
        assert_eq!(page.value("window.isHurt === undefined"), true, "a message ran as a script");
        assert!(!page.requests().iter().any(|url| url.ends_with("/x")), "the picture was asked for");
    }
}
