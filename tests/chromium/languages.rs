//! English and 中文: both whole, the right one first, and the other one by the switch.

use crate::browser::Browser;
use crate::other::Client;
use crate::outside::server::Server;
use crate::page::{Page, literal};
use crate::wide::PAGES;
use serde_json::json;

const UNTRANSLATED: &str = include_str!("untranslated.js");
const UNPAIRED: &str = include_str!("unpaired.js");

/// Chinese letters in what is shown. The switch names the other language by its own name.
const CHINESE: &str = "[...document.querySelectorAll('title, body, body *')]
    .filter((element) => !element.closest('script, style, noscript, #language')
        && (element.localName === 'title' || element.checkVisibility()))
    .flatMap((element) => [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
        .map((node) => node.data).concat(element.ariaLabel ?? '', element.placeholder ?? ''))
    .filter((text) => /\\p{Script=Han}/u.test(text))";

/// Everything that is shown in 中文 is Chinese, whatever has happened; and nothing is, in English.
pub(crate) fn both_are_whole(server: Server, browser: &Browser) {
    let pages = PAGES.map(|name| browser.open(&server.url(name)));
    let [index, user, sender] = &pages;
    for page in &pages {
        assert_is_in_both(page);
    }
    for page in [user, sender] {
        page.wait_until_open();
    }
    // Lines of every kind, and what the pages say about what cannot be done.
    for kind in ["string", "Blob", "ArrayBuffer", "Uint8Array"] {
        user.choose("sendAs", kind);
        user.click("#sendButton");
    }
    user.fill("closeCode", "words");
    user.click("#closeButton");
    user.click("#connectButton"); // it is still open
    user.fill("closeCode", "1000");
    user.click("#closeButton");
    user.wait_for_state(3, "CLOSED");
    user.click("#closeButton"); // it is not open
    user.click("#sendButton"); // nor can it send
    user.fill("url", "ws://localhost:1/");
    user.click("#connectButton");
    user.wait_for_line(&["error"]);
    sender.fill("inputMessage", "1, 2, 3");
    sender.click("#sendButton");
    sender.wait_for_lines(2, &["1, 2, 3"]);
    for page in [user, sender] {
        assert_is_in_both(page);
    }
    drop(server);
    sender.wait_for_line(&["1006"]);
    assert_is_in_both(sender);
    // It can fail.
    index.switch_to("zh-CN");
    index.value("document.querySelector('main p').textContent = 'One says it'");
    assert_eq!(index.value(UNTRANSLATED), json!(["p.lead: One says it"]));
    index.switch_to("en");
    index.value("document.querySelector('main p').textContent = '众人听'");
    assert_eq!(index.value(CHINESE), json!(["众人听"]));
}

#[track_caller]
fn assert_is_in_both(page: &Page<'_>) {
    page.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
    let english = page.value("document.body.innerText");
    page.switch_to("zh-CN");
    assert_eq!(page.value(UNTRANSLATED), json!([]), "this is English still");
    assert_ne!(page.value("document.body.innerText"), english);
    page.switch_to("en");
    assert_eq!(page.value(CHINESE), json!([]), "this is Chinese still");
}

/// So is all that the inspector says: of each frame, and of each of its fields.
pub(crate) fn inspector_is_whole(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    page.wait_until("document.getElementById('inspector').dataset.state === 'watching'");
    page.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
    for (kind, text) in [("string", "Hello"), ("Blob", "a"), ("string", &*"long ".repeat(100))] {
        page.choose("sendAs", kind);
        page.fill("inputMessage", text);
        page.click("#sendButton");
    }
    page.wait_until("document.querySelectorAll('#frames [role=option]').length === 7");
    page.click("#pingMe");
    page.wait_until("document.querySelectorAll('#frames [role=option]').length === 9");
    assert_inspector_is_in_both(&page, 9);
    page.click("#closeButton");
    page.wait_until("document.getElementById('inspector').dataset.state === 'ended'");
    assert_inspector_is_in_both(&page, 12); // both Close frames, and the end of the connection

    // Where nothing can be seen: another host, no URL of a WebSocket, a server that is gone.
    for (url, state) in [(&*format!("ws://127.0.0.1:{}/", server.port()), "other"), ("ws://[", "invalid")] {
        let before = page.value("document.getElementById('url').value");
        page.fill("url", url);
        page.click("#connectButton");
        page.wait_until(&format!("document.getElementById('inspector').dataset.state === '{state}'"));
        assert_inspector_is_in_both(&page, 8);
        page.click("#closeButton");
        page.fill("url", before.as_str().expect("a field has text"));
    }
    drop(server);
    page.wait_for_state(3, "CLOSED");
    page.click("#connectButton");
    page.wait_until("document.getElementById('inspector').dataset.state === 'refused'");
    assert_is_in_both(&page);
}

/// Chooses every row of the inspector's list in turn, and every field of the frame that is then drawn.
#[track_caller]
fn assert_inspector_is_in_both(page: &Page<'_>, rows: usize) {
    for (language, wrong) in [("zh-CN", UNTRANSLATED), ("en", CHINESE)] {
        page.switch_to(language);
        for row in 1..=rows {
            page.value(&format!("document.querySelector('#frames [role=option]:nth-child({row})').click()"));
            assert_eq!(page.value(wrong), json!([]), "{language}, row {row}");
            let fields = page.value("document.querySelectorAll('#diagram tr[data-field] button').length");
            for field in 0..fields.as_u64().expect("it is a number") {
                let button = format!("document.querySelectorAll('#diagram tr[data-field] button')[{field}]");
                let is_shown = page.value(&format!("{button}.checkVisibility() && ({button}.click(), true)"));
                if is_shown == true {
                    assert_eq!(page.value(wrong), json!([]), "{language}, row {row}, field {field}");
                }
            }
        }
    }
}

/// Each English text of the HTML has its Chinese beside it: also of what is not shown yet.
pub(crate) fn html_has_both(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("index.html"));
    for name in PAGES {
        let html = page.value(&format!("fetch('{name}').then((response) => response.text())"));
        let html = html.as_str().expect("a page is text");
        assert_eq!(page.value(&format!("({UNPAIRED})({})", literal(html))), json!([]), "{name}");
    }
    for (html, count) in [
        ("<p>One says it</p>", 1),
        ("<p data-zh='一人说'>One says it</p>", 0),
        ("<p data-zh='one'>One says it</p>", 1),
        ("<p data-zh='一`人'>One <code>says</code></p>", 1),
        ("<p data-zh='一人说'>One <a href=x>says</a> it</p>", 1),
        ("<nav aria-label=Pages></nav>", 1),
        ("<input placeholder=words data-zh-placeholder=词语><b>WebSocket</b><code>send it</code>", 0),
    ] {
        let found = page.value(&format!("({UNPAIRED})({})", literal(html)));
        assert_eq!(found.as_array().map(Vec::len), Some(count), "{html}: {found}");
    }
}

/// The first choice is the browser's; the switch overrules it for all pages, and is remembered.
pub(crate) fn choice(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("index.html"));
    for (languages, want) in
        [("zh-CN", "zh-CN"), ("zh-TW,en", "zh-CN"), ("zh", "zh-CN"), ("en-US,zh", "en"), ("de-DE,fr", "en")]
    {
        page.set_languages(languages);
        page.value("localStorage.clear()");
        for name in PAGES {
            page.open(&server.url(name));
            assert_eq!(
                page.value("document.documentElement.lang"),
                want,
                "{name} for one who reads {languages}"
            );
        }
    }
    page.switch_to("zh-CN");
    page.reload();
    assert_eq!(page.value("document.documentElement.lang"), "zh-CN", "over a reload");
    for name in PAGES {
        page.open(&server.url(name));
        assert_eq!(page.value("document.documentElement.lang"), "zh-CN", "{name}");
        assert_eq!(page.value(UNTRANSLATED), json!([]), "{name} is English still");
    }
    page.switch_to("en");
    page.set_languages("zh-CN");
    page.reload();
    assert_eq!(page.value("document.documentElement.lang"), "en", "the choice counts, not the browser's");

    // Where nothing can be remembered, the switch works as long as the page is there.
    let page = browser.open(&server.url("index.html"));
    page.set_languages("zh-CN");
    page.run_first(
        "Object.defineProperty(window, 'localStorage', {
            get() { throw new DOMException('not for you', 'SecurityError'); },
        })",
    );
    page.open(&server.url("websocket.html"));
    page.wait_until_open();
    assert_eq!(page.value("document.documentElement.lang"), "zh-CN");
    page.switch_to("en");
    page.switch_to("zh-CN");
    assert_eq!(page.complaints(), [""; 0]);
}

/// What was in the log when the language was changed follows; what peers have sent stays as it is.
pub(crate) fn messages_are_not_translated(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    Client::connect(&server).send("Hello, 世界");
    page.wait_for_line(&["received", "text, 13 bytes", "Hello, 世界"]);
    let lines = page.log().len();
    page.switch_to("zh-CN");
    page.wait_for_line(&["13 字节", "Hello, 世界"]);
    Client::connect(&server).send("and again");
    page.wait_for_line(&["9 字节", "and again"]);
    assert_eq!(page.log().len(), lines + 1);
    page.switch_to("en");
    page.wait_for_line(&["received", "text, 9 bytes", "and again"]);
}
