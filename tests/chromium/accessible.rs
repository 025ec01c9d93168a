//! What axe-core finds on the pages: contrast, names, structure; light and dark, English and 中文, wide and narrow.

use crate::browser::Browser;
use crate::other::Client;
use crate::outside::server::Server;
use crate::page::{Page, literal};
use serde_json::Value;

/// Sets the rules to look by, and gives what they find: a line for each element that breaks one.
const LOOK: &str = "(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'];
    const outcome = await axe.run(document, { runOnly: { type: 'tag', values: tags } });
    const lines = outcome.violations.flatMap(({ id, nodes }) => nodes.map((node) =>
        `${id}: ${node.target.join(' ')}: ${node.failureSummary.replace(/\\s+/g, ' ')} ${node.html.slice(0, 160)}`));
    return { lines, passed: outcome.passes.map(({ id }) => id) };
})()";

/// The pages' index, and that what is wrong is found.
pub(crate) fn index(server: Server, browser: &Browser, axe: &str) {
    let page = browser.open(&server.url("index.html"));
    assert_is_accessible(&page, axe, "index.html", &SIZES);

    page.value(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button><h6 id=grey>grey</h6>')",
    );
    page.value("document.getElementById('grey').style.color = 'rgb(128 128 128 / 40%)'");
    let found = look(&page).0.join("\n");
    for rule in ["button-name", "heading-order", "color-contrast: #grey"] {
        assert!(found.contains(rule), "{rule} is not found among {found}");
    }
}

/// The user's page with a line of each kind in its log, everything opened that opens, and a frame in its inspector.
pub(crate) fn websocket(server: Server, browser: &Browser, axe: &str) {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    for kind in ["string", "Blob", "ArrayBuffer", "Uint8Array"] {
        page.choose("sendAs", kind);
        page.click("#sendButton");
    }
    page.wait_for_lines(2, &["text, 5 bytes"]);
    page.fill("closeCode", "5000");
    page.click("#closeButton");
    page.wait_for_line(&["InvalidAccessError"]);
    page.fill("closeCode", "3001");
    page.click("#closeButton");
    page.wait_for_line(&["3001", "wasClean true"]);
    let url = page.value("document.getElementById('url').value");
    page.fill("url", "ws://localhost:1/");
    page.click("#connectButton");
    page.wait_for_line(&["error"]);
    page.wait_for_state(3, "CLOSED");
    page.fill("url", url.as_str().expect("a field has text"));
    page.click("#connectButton");
    page.wait_until_open();
    page.choose("sendAs", "string");
    page.click("#sendButton");
    page.wait_for_lines(4, &["text, 5 bytes"]);
    page.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
    page.wait_until("document.getElementById('inspector').dataset.state === 'watching'");
    page.wait_until("document.querySelectorAll('#frames [role=option]').length >= 3"); // the connection, there, back
    page.click("#frames [role=option]:nth-child(2)");
    page.wait_until("document.querySelector('#diagram [data-field=key]') !== null");
    assert_is_accessible(&page, axe, "websocket.html", &SIZES);

    // The examples of the RFC have every field that there is.
    page.click("#closeButton");
    page.wait_for_state(3, "CLOSED");
    page.fill("url", &format!("ws://127.0.0.1:{}/", server.port()));
    page.click("#connectButton");
    page.wait_until("document.getElementById('inspector').dataset.state === 'other'");
    for example in ["16", "64"] {
        let row = if example == "16" { 7 } else { 8 };
        page.click(&format!("#frames [role=option]:nth-child({row})"));
        page.wait_until(&format!("document.querySelector('#diagram [data-field=length{example}]') !== null"));
        assert_is_accessible(&page, axe, "websocket.html with an example", &SIZES[..1]);
    }
}

/// The sender's page with notices, and then with a server that has gone.
pub(crate) fn broadcast(server: Server, browser: &Browser, axe: &str) {
    let page = browser.open(&server.url("broadcast.html"));
    page.wait_until_open();
    page.fill("inputMessage", "Dinner is ready.");
    page.click("#sendButton");
    page.wait_for_lines(2, &["Dinner is ready."]);
    Client::connect(&server).send(vec![1, 2, 3]);
    page.wait_for_line(&["3 bytes"]);
    assert_is_accessible(&page, axe, "broadcast.html", &SIZES);

    drop(server);
    page.wait_for_line(&["1006"]);
    assert_is_accessible(&page, axe, "broadcast.html without a server", &SIZES[..1]);
}

/// What a browser without WebSocket shows.
pub(crate) fn without_websocket(server: Server, browser: &Browser, axe: &str) {
    let page = browser.blank();
    page.run_first("delete window.WebSocket");
    page.open(&server.url("websocket.html"));
    page.wait_until("document.querySelector('main [role=alert]').innerText.includes('WebSocket')");
    assert_is_accessible(&page, axe, "websocket.html without WebSocket", &SIZES[..1]);
}

/// Width and height: a desktop's window, and a phone's.
const SIZES: [(u32, u32); 2] = [(1280, 900), (360, 640)];

#[track_caller]
fn assert_is_accessible(page: &Page<'_>, axe: &str, name: &str, sizes: &[(u32, u32)]) {
    page.value(axe);
    let mut found = Vec::new();
    for (width, height) in sizes {
        page.resize(*width, *height, 1.0);
        for language in ["zh-CN", "en"] {
            page.switch_to(language);
            for scheme in ["light", "dark"] {
                page.set_scheme(scheme);
                page.wait_until(&format!(
                    "matchMedia({}).matches",
                    literal(&format!("(prefers-color-scheme: {scheme})"))
                ));
                let (lines, passed) = look(page);
                assert!(
                    passed.iter().any(|rule| rule == "color-contrast"),
                    "no colour was looked at: {passed:?}"
                );
                found.extend(lines.into_iter().map(|line| format!("{width}, {language}, {scheme}: {line}")));
            }
        }
    }
    assert!(found.is_empty(), "{name}, {} complaints:\n{}", found.len(), found.join("\n"));
}

/// What breaks a rule, and the rules that something was held to and that held.
#[track_caller]
fn look(page: &Page<'_>) -> (Vec<String>, Vec<String>) {
    let outcome = page.value(LOOK);
    let strings = |value: &Value| {
        let lines = value.as_array().into_iter().flatten();
        lines.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    (strings(&outcome["lines"]), strings(&outcome["passed"]))
}
