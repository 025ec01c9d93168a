//! The frame inspector: what it shows of the page's own connection, against what others know of that. What it works out
//! and draws is looked at in `wire.rs`.

use crate::browser::Browser;
use crate::other::Client;
use crate::outside::process::DEADLINE;
use crate::outside::program::comes_true;
use crate::outside::server::Server;
use crate::page::{Page, literal};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpStream};
use tungstenite::handshake::derive_accept_key;

const MARKUP: &str = "<img src=x onerror=\"window.isHurt = 1\"><b>bold</b>";

/// Both halves of the handshake as the browser knows them, and the answer worked out as another library does.
pub(crate) fn handshake(server: Server, browser: &Browser) {
    let page = open(&server, browser);
    page.wait_until("document.querySelector('#handshake .verdict.equal') !== null");
    let texts =
        page.value("[...document.querySelectorAll('#handshake .wire')].map((wire) => wire.textContent)");
    let [request, response] =
        [0, 1].map(|half| texts[half].as_str().expect("both halves are shown").to_owned());
    for (shown, name, first) in [
        (&request, "Network.webSocketWillSendHandshakeRequest", "GET /?trace="),
        (&response, "Network.webSocketHandshakeResponseReceived", "HTTP/1.1 101 "),
    ] {
        assert!(shown.starts_with(first), "{shown}");
        // Of two connections, the viewer's and the page's, one has these headers.
        let known = page.events(|method, parameters| {
            let half = if parameters["response"].is_null() { "request" } else { "response" };
            (method == name).then(|| parameters[half]["headers"].clone())
        });
        let is_shown = |headers: &Value| {
            let headers = headers.as_object().into_iter().flatten();
            headers.into_iter().all(|(name, value)| {
                let line = format!("{name}: {}", value.as_str().unwrap_or_default()).to_lowercase();
                shown.lines().any(|shown| shown.to_lowercase() == line)
            })
        };
        assert_eq!(known.iter().filter(|headers| is_shown(headers)).count(), 1, "{shown}\n{known:?}");
    }
    let key = header(&request, "Sec-WebSocket-Key");
    assert_eq!(header(&response, "Sec-WebSocket-Accept"), derive_accept_key(key.as_bytes()));
    let steps = page.value("document.querySelector('#handshake .steps').textContent");
    let steps = steps.as_str().expect("there are steps");
    for part in [key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", &derive_accept_key(key.as_bytes())] {
        assert!(steps.contains(part), "{part} in {steps}");
    }
}

/// The value of a header.
#[track_caller]
fn header<'t>(text: &'t str, name: &str) -> &'t str {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_else(|| panic!("{name} in {text}"))
}

/// What is sent, compressed or not, shows as a frame that says it; a ping brings a pong that has the same in it.
pub(crate) fn messages_and_pings(server: Server, browser: &Browser) {
    let page = open(&server, browser);
    page.fill("inputMessage", "Hello");
    page.click("#sendButton");
    for (way, is_masked) in [("to the server", true), ("to the page", false)] {
        pick(&page, &[way, "text", "Hello"]);
        page.wait_until(
            "document.querySelector('#payload .content:last-child samp')?.textContent === 'Hello'",
        );
        assert_eq!(shown_value(&page, "opcode"), "0x1");
        assert_eq!(shown_value(&page, "mask"), if is_masked { "1" } else { "0" });
    }
    page.click("#pingMe");
    for (way, opcode, value) in [("to the page", "ping", "0x9"), ("to the server", "pong", "0xa")] {
        pick(&page, &[way, opcode, "7 bytes", "fanfare"]);
        assert_eq!(shown_value(&page, "opcode"), value);
        let text = page.value("document.querySelector('#payload .content samp').textContent");
        assert_eq!(text, "fanfare", "what is in the {opcode}");
    }
    // Each byte of a masked frame, worked out.
    let bytes = page.value(
        "[...document.querySelectorAll('#payload tbody tr')].flatMap((row) => {
            const texts = (selector) => [...row.querySelectorAll(selector)].map((cell) => parseInt(cell.textContent, 16));
            const [masked, key, unmasked] = ['.masked', '.of-key', '.unmasked'].map(texts);
            return masked.map((byte, i) => (byte ^ key[i]) === unmasked[i] ? unmasked[i] : -1);
        })",
    );
    assert_eq!(bytes, json!(b"fanfare"), "masked ⊕ key");

    // Pointing at a field is enough, and only as long as one does.
    let opcode = page.value("document.querySelector('#diagram h4').textContent");
    for (selector, want) in
        [("#diagram button[data-field=fin]", json!("FIN bit 0")), ("#frameHeading", opcode)]
    {
        point_at(&page, selector);
        page.wait_until(&format!("document.querySelector('#diagram h4').textContent === {want}"));
    }

    page.fill("inputMessage", "as bytes");
    page.choose("sendAs", "Uint8Array");
    page.click("#sendButton");
    pick(&page, &["to the server", "binary"]);
    assert_eq!(shown_value(&page, "opcode"), "0x2");
    assert_eq!(page.complaints(), [""; 0]);
}

/// A Close shows its code and its reason, which stays text; then the frames stay, until there is another connection.
pub(crate) fn close_and_hostile_text(server: Server, browser: &Browser) {
    let page = open(&server, browser);
    Client::connect(&server).send(MARKUP);
    page.wait_for_line(&[MARKUP]);
    pick(&page, &["to the page", "text"]);
    page.wait_until(&format!("document.getElementById('payload').innerText.includes({})", literal(MARKUP)));

    page.fill("closeCode", "3001");
    page.fill("closeReason", MARKUP);
    page.click("#closeButton");
    page.wait_for_state(3, "CLOSED");
    page.wait_until("document.getElementById('inspector').dataset.state === 'ended'");
    assert_eq!(page.value("document.getElementById('pingMe').disabled"), true);
    pick(&page, &["to the server", "close"]);
    assert_eq!(shown_value(&page, "opcode"), "0x8");
    let payload = page.value("document.getElementById('payload').innerText");
    let payload = payload.as_str().unwrap_or_default();
    assert!(payload.contains("3001") && payload.contains(MARKUP), "{payload}");
    pick(&page, &["to the page", "close"]);
    let made = page
        .value("document.querySelectorAll('#inspector :is(img, script), #inspector b:not(.bits b)').length");
    assert_eq!(made, 0, "elements that a peer made");
    assert_eq!(page.value("window.isHurt === undefined"), true);

    page.click("#connectButton");
    page.wait_until_open();
    wait_until_watched(&page);
    let rows = rows(&page);
    assert!(rows.len() == 1 && rows[0].contains("Connection 2"), "{rows:?}");
}

/// The list, the diagram and the bytes without a mouse, in the narrowest window.
pub(crate) fn keyboard_and_narrow(server: Server, browser: &Browser) {
    let page = browser.blank();
    page.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 360, "height": 640, "deviceScaleFactor": 1.0, "mobile": false }),
    );
    page.open(&server.url("websocket.html"));
    page.wait_until_open();
    wait_until_watched(&page);
    for text in ["one", "two", &"nowhere_to_break_".repeat(25)] {
        page.fill("inputMessage", text);
        page.click("#sendButton");
    }
    page.wait_until("document.querySelectorAll('#frames [role=option]').length === 7");
    assert_eq!(page.value("document.getElementById('follow').ariaPressed"), "true");
    assert_eq!(selected(&page), 6, "it follows");

    page.value("document.getElementById('frames').focus()");
    for (name, want) in [
        ("ArrowUp", 5),
        ("ArrowUp", 4),
        ("ArrowDown", 5),
        ("End", 6),
        ("ArrowDown", 6),
        ("Home", 0),
        ("ArrowDown", 1),
    ] {
        key(&page, name);
        assert_eq!(selected(&page), want, "behind {name}");
        let active = page.value(
            "document.getElementById(document.getElementById('frames')
            .getAttribute('aria-activedescendant')).getAttribute('aria-selected')",
        );
        assert_eq!(active, "true");
    }
    assert_eq!(page.value("document.getElementById('follow').ariaPressed"), "false", "the user has chosen");
    page.click("#sendButton");
    page.wait_until("document.querySelectorAll('#frames [role=option]').length === 9");
    assert_eq!(selected(&page), 1, "what was chosen stays");

    // From field to field.
    page.value("document.querySelector('#diagram [tabindex=\"0\"]').focus()");
    for (name, want) in
        [("Home", "FIN"), ("ArrowRight", "RSV1"), ("End", "Payload Data"), ("ArrowLeft", "Masking-key")]
    {
        key(&page, name);
        let shown = page.value("document.querySelector('#diagram h4').textContent");
        assert!(shown.as_str().is_some_and(|shown| shown.starts_with(want)), "behind {name}: {shown}");
        let stops = page.value("document.querySelectorAll('#diagram button[tabindex=\"0\"]').length");
        assert_eq!(stops, 1, "one Tab stop for all fields");
    }
    // And from byte to byte.
    page.value("document.querySelector('#payload [tabindex=\"0\"]').focus()");
    key(&page, "ArrowRight");
    let shown = page.value("document.querySelector('#payload .xor').textContent");
    assert!(shown.as_str().is_some_and(|shown| shown.contains("byte 1 mod 4")), "{shown}");

    // A tap on a row of the table does what one on the diagram does.
    page.click("#diagram tr[data-field='mask'] button");
    let shown = page.value("document.querySelector('#diagram h4').textContent");
    assert!(shown.as_str().is_some_and(|shown| shown.starts_with("MASK")), "{shown}");

    page.value(
        "document.querySelectorAll('#inspector details').forEach((details) => { details.open = true; })",
    );
    for row in 0..9 {
        page.value(&format!("document.querySelectorAll('#frames [role=option]')[{row}].click()"));
        let outside = page.value(
            "[...document.querySelectorAll('html, #inspector, #inspector *')]
                .filter((element) => element.getBoundingClientRect().right > 361
                    || (element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1))
                .map((element) => element.outerHTML)",
        );
        assert_eq!(outside, json!([]), "frame {row} is too wide");
    }
}

/// Many frames are few rows; the newest are there.
pub(crate) fn list_is_bounded(server: Server, browser: &Browser) {
    let page = open(&server, browser);
    let mut client = Client::connect(&server);
    for number in 0..1000 {
        client.send(format!("message {number}."));
    }
    page.wait_until("document.querySelector('#frames li:last-child').textContent.includes('message 999.')");
    assert_eq!(page.value("document.querySelectorAll('#frames li').length"), 200);
    page.wait_until("document.querySelector('#payload samp')?.textContent === 'message 999.'");
}

/// What another server may answer where fanfare tells of frames: nothing is thrown, drawn for ever or taken for HTML.
pub(crate) fn nonsense(server: Server, browser: &Browser) {
    const KEPT: &str = "window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); \
        if (String(given[0]).includes('/inspect?')) window.viewer = this; } }";
    let page = browser.blank();
    page.run_first(KEPT);
    page.open(&server.url("websocket.html"));
    page.wait_until_open();
    wait_until_watched(&page);
    let frame = |wire: &str, length: Value| json!({ "kind": "frame", "wire": wire, "length": length });
    for record in [
        json!(null),
        json!([]),
        json!("text"),
        json!({ "kind": "handshake", "dir": "in", "text": "Sec-WebSocket-Key: \u{202e}\r\nSec-WebSocket-Key: " }),
        json!({ "kind": "handshake", "dir": "out" }),
        json!({ "kind": "dropped", "count": MARKUP }),
        json!({ "kind": "frame" }),
        json!({ "kind": "frame", "dir": "__proto__", "opcode": MARKUP, "rsv": "?", "wire": 7, "at_us": "now" }),
        frame("827f8000000000000000", json!(9.3e18)),
        frame("not hex", json!(MARKUP)),
        frame(&format!("827f0000000000100000{}", "ab".repeat(1 << 20)), json!(1 << 20)),
    ] {
        let text = literal(&record.to_string());
        page.value(&format!("viewer.dispatchEvent(new MessageEvent('message', {{ data: {text} }}))"));
    }
    page.value("viewer.dispatchEvent(new MessageEvent('message', { data: 'no JSON' }))");
    page.wait_until("document.querySelectorAll('#frames [role=option]').length === 7");
    for row in 1..=7 {
        page.click(&format!("#frames li:nth-child({row})"));
    }
    let bits = page.value("document.querySelectorAll('#diagram .bits b').length");
    assert_eq!(bits, 64 * 8, "of the last frame");
    assert_eq!(page.value("document.querySelector('#inspector :is(img, b:not(.bits b))')"), Value::Null);
    assert_eq!(page.value("window.isHurt"), Value::Null);
}

/// Where nothing can be seen, it says why, shows the RFC's examples, and the connection is made all the same.
pub(crate) fn not_available(server: Server, browser: &Browser) {
    let page = open(&server, browser);
    // Another host, as far as a page can tell.
    page.click("#closeButton");
    page.wait_for_state(3, "CLOSED");
    page.fill("url", &format!("ws://127.0.0.1:{}/", server.port()));
    page.click("#connectButton");
    page.wait_until("document.getElementById('inspector').dataset.state === 'other'");
    assert!(page.text("inspectorState").contains("another host"));
    assert_eq!(rows(&page).len(), 8, "the examples of the RFC");
    assert!(page.text("inspectorState").contains("examples of RFC 6455"));
    assert!(page.requests().iter().any(|url| *url == format!("ws://127.0.0.1:{}/", server.port())));

    // Sixteen others watch already.
    let viewers = (0..16).map(|number| {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).expect("the server accepts");
        let url = format!("ws://localhost:{}/inspect?trace=viewer_of_somebody_{number:02}", server.port());
        tungstenite::client(url, stream).expect("the handshake succeeds")
    });
    let viewers: Vec<_> = viewers.collect();
    let late = browser.open(&server.url("websocket.html"));
    late.wait_until_open();
    late.wait_until("document.getElementById('inspector').dataset.state === 'refused'");
    assert!(late.text("inspectorState").contains("fanfare --inspect"));
    assert!(late.text("inspectorState").contains("examples of RFC 6455"), "nothing was there before");
    assert!(
        late.text("handshakeBody").contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "the RFC's handshake, worked out"
    );
    assert_eq!(late.value("document.getElementById('pingMe').disabled"), true);
    drop(viewers);

    // No connection comes of what was prepared; and then one whose query is as it was typed, but for the trace.
    page.click("#closeButton");
    page.wait_for_state(3, "CLOSED");
    page.fill("url", &format!("ws://localhost:{}/?a=b%20c&d", server.port()));
    page.fill("protocols", "twice, twice");
    page.click("#connectButton");
    page.wait_for_line(&["SyntaxError"]);
    page.wait_until("document.getElementById('inspector').dataset.state === 'idle'");
    page.fill("protocols", "");
    page.click("#connectButton");
    page.wait_until_open();
    wait_until_watched(&page);
    assert!(page.text("socketUrl").contains("/?a=b%20c&d&trace="));
}

// What a trial does often

/// The user's page, connected and watched.
#[track_caller]
fn open<'b>(server: &Server, browser: &'b Browser) -> Page<'b> {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    wait_until_watched(&page);
    page
}

#[track_caller]
fn wait_until_watched(page: &Page<'_>) {
    page.wait_until("document.getElementById('inspector').dataset.state === 'watching'");
}

/// The rows of the list.
#[track_caller]
fn rows(page: &Page<'_>) -> Vec<String> {
    let rows =
        page.value("[...document.querySelectorAll('#frames [role=option]')].map((row) => row.textContent)");
    rows.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Waits for a row that holds all of these words, and clicks it.
#[track_caller]
fn pick(page: &Page<'_>, words: &[&str]) {
    let mut found = None;
    let came = comes_true(DEADLINE, || {
        found = rows(page).iter().rposition(|row| words.iter().all(|word| row.contains(word)));
        found.is_some()
    });
    assert!(came, "no row with {words:?} among {:#?}", rows(page));
    let number = found.expect("it came") + 1;
    page.click(&format!("#frames li:nth-child({number})"));
    page.wait_until(&format!(
        "document.querySelector('#frames li:nth-child({number})').getAttribute('aria-selected') === 'true'"
    ));
}

/// Which row is selected.
#[track_caller]
fn selected(page: &Page<'_>) -> Value {
    page.value("[...document.querySelectorAll('#frames [role=option]')].findIndex((row) => row.ariaSelected === 'true')")
}

/// What the table says of a field.
#[track_caller]
fn shown_value(page: &Page<'_>, field: &str) -> Value {
    page.value(&format!("document.querySelector('#diagram tr[data-field={field}] .value').textContent"))
}

/// Moves the mouse to an element.
#[track_caller]
fn point_at(page: &Page<'_>, selector: &str) {
    let place = page.value(&format!(
        "(() => {{
            const element = document.querySelector({});
            element.scrollIntoView({{ block: 'center' }});
            const {{ x, y, width, height }} = element.getBoundingClientRect();
            return {{ x: x + width / 2, y: y + height / 2 }};
        }})()",
        literal(selector)
    ));
    for step in [-2.0, 0.0] {
        let [x, y] = ["x", "y"].map(|axis| place[axis].as_f64().expect("it has a place") + step);
        page.call("Input.dispatchMouseEvent", json!({ "type": "mouseMoved", "x": x, "y": y }));
    }
}

/// Presses a key that moves something.
#[track_caller]
fn key(page: &Page<'_>, name: &str) {
    for kind in ["keyDown", "keyUp"] {
        page.call("Input.dispatchKeyEvent", json!({ "type": kind, "key": name, "code": name }));
    }
}
