//! What holds for every page: no complaints, old browsers, small windows, the keyboard, and a bounded log.

use crate::browser::Browser;
use crate::other::Client;
use crate::outside::process::DEADLINE;
use crate::outside::program::comes_true;
use crate::outside::server::Server;
use crate::page::{Key, Page};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const PAGES: [&str; 3] = ["index.html", "websocket.html", "broadcast.html"];

/// The variable that names the file for [`picture`].
pub(crate) const PICTURE: &str = "FANFARE_PICTURE";

/// No exception, no error in the console, no request to another host; and the index leads to both pages.
pub(crate) fn no_complaints(server: Server, browser: &Browser) {
    for name in PAGES {
        let page = browser.open(&server.url(name));
        if name != "index.html" {
            page.wait_until_open();
            page.fill("inputMessage", name);
            page.click("#sendButton");
            page.wait_for_lines(2, &[name]);
        }
        assert_is_quiet(&page, &server);
        assert_would_complain(&page);
    }
    let index = browser.open(&server.url(""));
    for name in &PAGES[1..] {
        index.click(&format!("main a[href='{name}']"));
        index.wait_for_address(&server.url(name));
        index.wait_until_open();
        index.open(&server.url(""));
    }
    assert_is_quiet(&index, &server);
}

#[track_caller]
fn assert_is_quiet(page: &Page<'_>, server: &Server) {
    assert_eq!(page.complaints(), [""; 0]);
    let host = format!("//localhost:{}/", server.port());
    let requests = page.requests();
    assert!(!requests.is_empty() && requests.iter().all(|url| url.contains(&host)), "{requests:?}");
}

/// Complaints do get here: without this, a page would be quiet that is not listened to.
#[track_caller]
fn assert_would_complain(page: &Page<'_>) {
    page.value("setTimeout(() => { throw new Error('thrown') }), console.error('printed')");
    page.value("fetch('missing.html').then((response) => response.status)");
    let came = comes_true(DEADLINE, || {
        page.value("null"); // with its answer come the events before it
        let complaints = page.complaints().join("");
        ["thrown", "printed", "missing.html"].iter().all(|sign| complaints.contains(sign))
    });
    assert!(came, "{:?}", page.complaints());
}

/// Browsers from before WebSocket get a sentence, and a page that does nothing else.
pub(crate) fn without_websocket(server: Server, browser: &Browser) {
    let page = browser.blank();
    page.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": "delete window.WebSocket" }));
    for name in &PAGES[1..] {
        page.open(&server.url(name));
        page.wait_until("document.querySelector('main [role=alert]').innerText.includes('WebSocket')");
        assert!(!page.requests().iter().any(|url| url.starts_with("ws")));
    }
    page.open(&server.url("websocket.html"));
    assert_eq!(page.text("isWebSocketSupport"), "false");
}

/// In the narrowest window nothing has to be scrolled sideways, and no mouse is needed.
pub(crate) fn keyboard_and_narrow(server: Server, browser: &Browser) {
    for name in PAGES {
        let page = browser.blank();
        resize(&page, 360, 640, 1.0);
        page.open(&server.url(name));
        if name != "index.html" {
            page.wait_until_open();
            tab_to(&page, "inputMessage");
            let text = "nowhere_to_break_".repeat(25);
            page.fill("inputMessage", &text);
            page.press(if name == "broadcast.html" { Key::ControlEnter } else { Key::Enter });
            page.wait_for_lines(2, &[&text]);
            page.fill("inputMessage", "by button");
            tab_to(&page, "sendButton");
            page.press(Key::Enter);
            page.wait_for_lines(2, &["by button"]);
        }
        // What sticks out of the window, and what has to be scrolled sideways inside of it. A field may.
        let outside = page.value(
            "[...document.querySelectorAll('html, body, body :not(input, textarea, select, option)')]
                .filter((element) => element.getBoundingClientRect().right > 361
                    || (element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1))
                .map((element) => element.outerHTML)",
        );
        assert_eq!(outside, json!([]), "{name} is too wide");
    }
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    tab_to(&page, "closeButton");
    page.press(Key::Enter);
    page.wait_for_state(3, "CLOSED");
    tab_to(&page, "connectButton");
    page.press(Key::Enter);
    page.wait_until_open();
    for id in ["url", "protocols", "binaryType", "sendAs", "closeCode", "closeReason"] {
        tab_to(&page, id);
    }
}

/// Presses the Tab key until an element has the focus.
#[track_caller]
fn tab_to(page: &Page<'_>, id: &str) {
    let mut seen = Vec::new();
    while seen.len() < 50 {
        page.press(Key::Tab);
        let focused = page.value("document.activeElement.id");
        if focused == id {
            return;
        }
        seen.push(focused);
    }
    panic!("the Tab key does not lead to #{id}, but to {seen:?}");
}

/// A page that is left open for days holds 500 lines, the newest ones.
pub(crate) fn log_is_bounded(server: Server, browser: &Browser) {
    let pages = PAGES[1..].iter().map(|name| browser.open(&server.url(name)));
    let pages: Vec<_> = pages.inspect(Page::wait_until_open).collect();
    let mut client = Client::connect(&server);
    for number in 0..600 {
        client.send(format!("message {number}."));
    }
    for page in &pages {
        page.wait_for_line(&["message 599."]);
        let log = page.log();
        assert_eq!(log.len(), 500);
        assert!(log[0].contains("message 100."), "the oldest line: {}", log[0]);
    }
}

/// Not a check: the picture of the user's page that the README shows.
pub(crate) fn picture(server: Server, browser: &Browser) {
    let path = std::env::var_os(PICTURE).expect("the trial exists only with it");
    let mut client = Client::connect(&server);
    let page = browser.blank();
    resize(&page, 1500, 1000, 0.8); // 1200 by 800 in the file
    page.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
    page.open(&server.url("websocket.html"));
    page.wait_until_open();
    let notices = browser.open(&server.url("broadcast.html"));
    notices.wait_until_open();

    page.fill("inputMessage", "Hello, everybody!");
    page.click("#sendButton");
    page.wait_for_lines(2, &["Hello, everybody!"]);
    notices.fill("inputMessage", "Dinner is ready.\nОбед готов. Das Essen ist fertig.");
    notices.click("#sendButton");
    page.wait_for_line(&["Dinner is ready."]);
    page.choose("binaryType", "arraybuffer");
    client.send(vec![0xf0, 0x9f, 0x8e, 0xba, 0x00, 0xff]);
    page.wait_for_line(&["f0 9f 8e ba 00 ff"]);
    page.fill("inputMessage", "as bytes");
    page.choose("sendAs", "Uint8Array");
    page.click("#sendButton");
    page.wait_for_lines(2, &["61 73 20 62 79 74 65 73"]);
    client.send("{\"temperature\": 21.5}");
    page.wait_for_line(&["21.5"]);
    page.wait_until("document.getElementById('bufferedAmount').textContent === '0'");
    page.value("document.activeElement.blur(), scrollTo(0, 0)");
    let picture = STANDARD.decode(page.picture()).expect("it is base64");
    std::fs::write(path, picture).expect("the picture can be written");
}

#[track_caller]
fn resize(page: &Page<'_>, width: u32, height: u32, scale: f64) -> Value {
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
    page.call("Emulation.setDeviceMetricsOverride", size)
}
