//! Connections that are lost, and pages that come back by themselves: when they try again, and when they do not.

use crate::browser::Browser;
use crate::other::Client;
use crate::outside::process::DEADLINE;
use crate::outside::program::comes_true;
use crate::outside::server::Server;
use crate::page::Page;

/// Both pages find back to a server that was killed and started again, say that they try, and live on.
pub(crate) fn killed_and_restarted(server: Server, browser: &Browser) {
    let pages = ["websocket.html", "broadcast.html"].map(|name| browser.open(&server.url(name)));
    for page in &pages {
        page.wait_until_open();
        assert!(retry_text(page).is_none(), "there is nothing to try yet");
    }
    let port = server.port();
    drop(server); // killed: it says nothing more
    for page in &pages {
        page.wait_for_some_line(&["1006", "wasClean false"]);
        page.wait_for_state(3, "CLOSED");
        wait_for_retry(page, "next attempt");
        page.switch_to("zh-CN");
        wait_for_retry(page, "尝试");
        page.switch_to("en");
        wait_for_attempts(page, 2);
    }
    let server = crate::start_on(port);
    for page in &pages {
        page.wait_until_open();
        assert_eq!(retry_text(page), None, "it is open again");
    }
    let mut client = Client::connect(&server);
    client.send("We are back.");
    for page in &pages {
        page.wait_for_line(&["We are back."]);
        page.fill("inputMessage", "So are we.");
        page.click("#sendButton");
        page.wait_for_line(&["sent", "So are we."]);
        page.wait_for_some_line(&["received", "So are we."]);
    }
}

/// Who has closed is not connected again, nor is a tab that nobody sees: until it is shown, and then at once.
pub(crate) fn only_when_wanted_and_seen(server: Server, browser: &Browser) {
    let names = ["websocket.html", "broadcast.html"];
    let hidden = names.map(|name| open(&server, browser, name));
    let [closed, seen] = [(); 2].map(|()| open(&server, browser, "websocket.html"));
    closed.click("#closeButton");
    closed.wait_for_line(&["1000", "wasClean true"]);
    for page in &hidden {
        page.hide();
    }
    let port = server.port();
    drop(server);
    // The waits are of 1 to 2 and of 2 to 4 seconds: when one page has tried twice, each would have once at least.
    wait_for_attempts(&seen, 3);
    for (page, what) in [(&hidden[0], names[0]), (&hidden[1], names[1]), (&closed, "the one that was closed")]
    {
        page.wait_until("document.getElementById('readyState').textContent.startsWith('3')");
        assert_eq!(attempts(page), 1, "{what} has tried to connect");
    }
    assert_eq!(retry_text(&closed), None);

    let server = crate::start_on(port);
    for page in &hidden {
        assert_eq!(attempts(page), 1, "nobody sees it still");
        page.show();
        page.wait_until_open();
        assert_eq!(page.value("window.triesWhenShown"), true, "it waited although it was shown");
    }
    Client::connect(&server).send("Who is there?");
    for page in &hidden {
        page.wait_for_line(&["Who is there?"]);
    }
    assert_eq!(attempts(&closed), 1, "the user has closed it");
    closed.click("#connectButton");
    closed.wait_until_open();
}

/// A tab without a network tries in vain, and comes back when it is given back.
pub(crate) fn offline(server: Server, browser: &Browser) {
    let pages = ["websocket.html", "broadcast.html"].map(|name| open(&server, browser, name));
    let port = server.port();
    for page in &pages {
        page.set_offline(true);
    }
    drop(server);
    let server = crate::start_on(port); // it is there, but not for them
    for page in &pages {
        page.wait_for_state(3, "CLOSED");
        wait_for_attempts(page, 2);
        page.wait_for_some_line(&["1006"]);
        wait_for_retry(page, "next attempt");
    }
    for page in &pages {
        page.set_offline(false);
        page.wait_until_open();
        assert_eq!(page.value("window.triesWhenOnline"), true, "it waited although it had a network");
    }
    Client::connect(&server).send("There you are.");
    for page in &pages {
        page.wait_for_line(&["There you are."]);
    }
}

/// What the server answers is shown and is the end: the same again would have the same answer.
pub(crate) fn too_big(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    page.fill("inputMessage", &"x".repeat(2000));
    page.click("#sendButton");
    page.wait_for_line(&["1009", "wasClean true", "too big"]);
    page.wait_for_state(3, "CLOSED");
    assert_eq!(retry_text(&page), None);
    page.click("#connectButton");
    page.wait_until_open();
}

/// A page that is connected, and watched.
#[track_caller]
fn open<'b>(server: &Server, browser: &'b Browser, name: &str) -> Page<'b> {
    let page = browser.blank();
    page.run_first(WATCH);
    page.open(&server.url(name));
    page.wait_until_open();
    page
}

/// Notes whether somebody connects as soon as the tab is shown, or has a network again: before the next task, not after
/// a timer.
const WATCH: &str = "(() => {
    let made = 0;
    window.WebSocket = class extends WebSocket {
        constructor(...all) {
            super(...all);
            made += 1;
        }
    };
    document.addEventListener('visibilitychange', () => {
        const before = made;
        if (!document.hidden) setTimeout(() => { window.triesWhenShown = made > before; });
    });
    addEventListener('online', () => {
        const before = made;
        setTimeout(() => { window.triesWhenOnline = made > before; });
    });
})()";

/// How often a page has tried to connect. What its inspector opens is not counted.
fn attempts(page: &Page<'_>) -> usize {
    page.value("null"); // with its answer come the events before it
    let requests = page.requests();
    requests.iter().filter(|url| url.starts_with("ws") && !url.contains("/inspect")).count()
}

#[track_caller]
fn wait_for_attempts(page: &Page<'_>, count: usize) {
    let came = comes_true(DEADLINE, || attempts(page) >= count);
    assert!(came, "{} attempts, not {count}", attempts(page));
}

/// What the page says about its next attempt, if it shows anything.
fn retry_text(page: &Page<'_>) -> Option<String> {
    let text = page.value(
        "(() => {
            const note = document.getElementById('retry');
            return note.hidden ? null : note.innerText;
        })()",
    );
    text.as_str().map(str::to_owned)
}

#[track_caller]
fn wait_for_retry(page: &Page<'_>, words: &str) {
    let came = comes_true(DEADLINE, || retry_text(page).is_some_and(|text| text.contains(words)));
    assert!(came, "it does not say {words:?}, but {:?}", retry_text(page));
}
