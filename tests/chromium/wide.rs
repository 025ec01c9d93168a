//! What holds for every page: no complaints, old browsers, light and dark, small windows, the keyboard, and a bounded
//! log.

use crate::browser::Browser;
use crate::other::Client;
use crate::outside::process::DEADLINE;
use crate::outside::program::comes_true;
use crate::outside::server::Server;
use crate::page::{Key, Page, literal};
use serde_json::json;

pub(crate) const PAGES: [&str; 3] = ["index.html", "websocket.html", "broadcast.html"];

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
        if name == "websocket.html" {
            page.wait_until("document.getElementById('inspector').dataset.state === 'watching'");
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

/// Browsers from before WebSocket get a sentence in the user's language, and a page that does nothing else.
pub(crate) fn without_websocket(server: Server, browser: &Browser) {
    for (languages, sentence) in [("en-US", "has no WebSocket"), ("zh-CN", "不支持 WebSocket")] {
        let page = browser.blank();
        page.set_languages(languages);
        page.run_first("delete window.WebSocket");
        for name in PAGES {
            page.open(&server.url(name));
            wait_for_alert(&page, sentence);
            assert!(!page.requests().iter().any(|url| url.starts_with("ws")));
        }
        // The switch counts here as well.
        page.click("#language");
        page.reload();
        wait_for_alert(&page, if languages == "en-US" { "不支持 WebSocket" } else { "has no WebSocket" });
        page.value("localStorage.clear()");
        page.open(&server.url("websocket.html"));
        assert_eq!(page.text("isWebSocketSupport"), "false");
        // Nor do the controls throw.
        for id in ["connectButton", "sendButton", "closeButton"] {
            page.click(&format!("#{id}"));
        }
        page.wait_until("document.querySelectorAll('#log > *').length > 0");
        assert_eq!(page.complaints(), [""; 0]);
    }
}

/// Nor do those stay without a word that know WebSocket, but not the language of the scripts, or did not get them.
pub(crate) fn without_modules(server: Server, browser: &Browser) {
    for (languages, sentence) in [("en-US", "did not run"), ("zh-CN", "没有运行")] {
        let page = browser.blank();
        page.set_languages(languages);
        page.call("Network.setBlockedURLs", json!({ "urls": ["*/websocket.js", "*/broadcast.js"] }));
        for name in &PAGES[1..] {
            page.open(&server.url(name));
            wait_for_alert(&page, sentence);
        }
    }
    // The oldest ones with WebSocket know no modules, and ignore them without a word of their own.
    let page = browser.blank();
    page.run_first("delete HTMLScriptElement.prototype.noModule");
    page.open(&server.url("websocket.html"));
    wait_for_alert(&page, "too old");
    assert_eq!(page.text("isWebSocketSupport"), "true");
}

#[track_caller]
fn wait_for_alert(page: &Page<'_>, words: &str) {
    page.wait_until(&format!(
        "document.querySelector('main [role=alert]').innerText.includes({})",
        literal(words)
    ));
}

/// Light is light and dark is dark, on each page, for what is read as well as behind it.
pub(crate) fn light_and_dark(server: Server, browser: &Browser) {
    // How bright a colour is, from 0 to 1.
    const BRIGHTNESS: &str = "(element, name) => {
        const context = new OffscreenCanvas(1, 1).getContext('2d');
        context.fillStyle = getComputedStyle(element)[name];
        context.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
        return alpha < 255 ? null : (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
    }";
    for name in PAGES {
        let page = browser.open(&server.url(name));
        for (scheme, is_dark) in [("light", false), ("dark", true), ("light", false)] {
            page.set_scheme(scheme);
            let brightness = |element: &str, what: &str| {
                let value = page.value(&format!("({BRIGHTNESS})({element}, '{what}')"));
                value.as_f64().unwrap_or_else(|| panic!("{name}: {element} has no {what} of its own"))
            };
            let behind = [brightness("document.body", "backgroundColor")];
            let read = ["h1", "main p"]
                .map(|selector| brightness(&format!("document.querySelector('{selector}')"), "color"));
            let (dark, light) = if is_dark { (&behind[..], &read[..]) } else { (&read[..], &behind[..]) };
            assert!(dark.iter().all(|value| *value < 0.4), "{name}, {scheme}: {dark:?} is not dark");
            assert!(light.iter().all(|value| *value > 0.6), "{name}, {scheme}: {light:?} is not light");
            // What the browser draws by itself, such as scroll bars and fields, follows.
            let fields = page.value("getComputedStyle(document.documentElement).colorScheme");
            assert_eq!(fields, "light dark", "{name}");
        }
    }
}

/// In the narrowest window nothing has to be scrolled sideways, and no mouse is needed.
pub(crate) fn keyboard_and_narrow(server: Server, browser: &Browser) {
    for name in PAGES {
        let page = browser.blank();
        page.resize(360, 640, 1.0);
        page.open(&server.url(name));
        if name != "index.html" {
            page.wait_until_open();
            page.tab_to("inputMessage");
            let text = "nowhere_to_break_".repeat(25);
            page.fill("inputMessage", &text);
            page.press(if name == "broadcast.html" { Key::ControlEnter } else { Key::Enter });
            page.wait_for_lines(2, &[&text]);
            page.fill("inputMessage", "by button");
            page.tab_to("sendButton");
            page.press(Key::Enter);
            page.wait_for_lines(2, &["by button"]);
        }
        page.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
        for language in ["zh-CN", "en"] {
            page.switch_to(language);
            assert_eq!(page.value(TOO_WIDE), json!([]), "{name} is too wide, {language}");
        }
        assert_is_reached(&page);
    }
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    page.tab_to("closeButton");
    page.press(Key::Enter);
    page.wait_for_state(3, "CLOSED");
    page.tab_to("connectButton");
    page.press(Key::Enter);
    page.wait_until_open();
    for id in ["url", "protocols", "binaryType", "sendAs", "closeCode", "closeReason", "language"] {
        page.tab_to(id);
    }
}

/// What sticks out of the window, and what has to be scrolled sideways inside of it. A field may.
const TOO_WIDE: &str =
    "[...document.querySelectorAll('html, body, body :not(input, textarea, select, option)')]
    .filter((element) => element.getBoundingClientRect().right > 361
        || (element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1))
    .map((element) => element.outerHTML.slice(0, 200))";

/// Looks whether the Tab key leads to everything that a mouse can use, and whether one sees where. Links into the page
/// itself are left out: they may come and go, and where they lead to, the Tab key leads as well.
#[track_caller]
fn assert_is_reached(page: &Page<'_>) {
    page.value(
        "(() => {
            document.activeElement.blur();
            window.wanted = new Set([...document.querySelectorAll(
                'a:not([href^=\"#\"]), button, input, select, textarea, summary, [tabindex]:not([tabindex=\"-1\"])')]
                .filter((element) => element.checkVisibility({ visibilityProperty: true }) && element.tabIndex >= 0
                    && !element.disabled));
            window.unseen = [];
        })()",
    );
    // What the Tab key skips, the arrow keys reach, in a group that says what it is. (The rows of the diagram's table do
    // what its fields do.)
    let skipped = page.value(
        "[...document.querySelectorAll('button, input, select, textarea, summary, [tabindex]')]
            .filter((element) => element.tabIndex < 0 && !element.closest('#diagram table')
                && !element.parentElement.closest('[role]')?.querySelector('[tabindex=\"0\"]'))
            .map((element) => element.outerHTML)",
    );
    assert_eq!(skipped, json!([]), "no key leads to these");
    let count = page.value("window.wanted.size").as_u64().expect("it is a number");
    assert!(count > 3, "{count} elements to be reached");
    for _ in 0..count + 10 {
        page.press(Key::Tab);
        page.value(
            "(() => {
                const element = document.activeElement;
                if (element === document.body) return;
                window.wanted.delete(element);
                const { outlineStyle, outlineWidth } = getComputedStyle(element);
                if (outlineStyle === 'none' || parseFloat(outlineWidth) < 1) window.unseen.push(element.outerHTML);
            })()",
        );
    }
    // What shows where the keyboard is may be made anew on the way.
    let left = page.value(
        "[...window.wanted].filter((element) => element.isConnected).map((element) => element.outerHTML)",
    );
    assert_eq!(left, json!([]), "the Tab key does not lead to these");
    assert_eq!(page.value("window.unseen"), json!([]), "one does not see that these have the keyboard");
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
