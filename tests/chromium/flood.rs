//! Ten thousand messages as fast as another client can send them, three times: the page goes on, and does not grow.

use crate::browser::Browser;
use crate::other::Client;
use crate::outside::server::Server;
use crate::page::Page;
use serde_json::json;
use std::thread;

const MESSAGES: usize = 10_000;
/// What a page may have grown by from the second ten thousand to the third: 70 bytes a message would be too much.
const GROWTH_BYTES_MAX: f64 = 7e5;
/// The same of its nodes. A line has half a dozen.
const GROWTH_NODES_MAX: f64 = 500.0;

/// Counts the messages that a page hears. What its inspector hears is not counted.
const HEAR: &str = "(() => {
    window.heard = 0;
    window.WebSocket = class extends WebSocket {
        constructor(...all) {
            super(...all);
            if (!this.url.includes('/inspect')) this.addEventListener('message', () => { window.heard += 1; });
        }
    };
})()";

/// Counts frames, and how often lines were put into the log.
const COUNT: &str = "(() => {
    window.frames_ = 0;
    window.batches = 0;
    const frame = () => { window.frames_ += 1; requestAnimationFrame(frame); };
    frame();
    const observer = new MutationObserver(() => { window.batches += 1; });
    observer.observe(document.getElementById('log'), { childList: true });
})()";

pub(crate) fn shown(server: Server, browser: &Browser) {
    flood(&server, browser, false);
}

pub(crate) fn hidden(server: Server, browser: &Browser) {
    flood(&server, browser, true);
}

/// A message as large as the server takes: the page shows its beginning and its size, and keeps no more of it.
pub(crate) fn large(server: Server, browser: &Browser) {
    let pages = ["websocket.html", "broadcast.html"].map(|name| browser.open(&server.url(name)));
    for page in &pages {
        page.wait_until_open();
        page.call("Performance.enable", json!({}));
    }
    let mut client = Client::connect(&server);
    let before = pages.each_ref().map(size);
    for number in 0..10 {
        // Letters that have three bytes each, and a cut that may fall into one.
        client.send(format!("{number:02}") + &"世".repeat(((1 << 20) - 2) / 3));
        client.send(vec![number; 1 << 20]);
        // Who does not take what is sent is given up one day.
        for _ in 0..2 {
            client.receive();
        }
    }
    for (page, [bytes, _]) in pages.iter().zip(before) {
        page.wait_for_lines(10, &["text, 1048574 bytes"]);
        page.wait_for_line(&["1048576 bytes", "09 09 09"]);
        let longest = page.value(
            "Math.max(...[...document.querySelectorAll('#log > *')].map((line) => line.textContent.length))",
        );
        assert!(longest.as_u64() < Some(10_000), "a line of {longest} letters");
        assert!(!page.log().concat().contains('\u{fffd}'), "a letter was cut in two");
        let grown = size(page)[0] - bytes;
        assert!(grown < 5e6, "{grown} bytes more, of 20 MB that came");
    }
    // Nor is one line higher than others together.
    client.send("\n".repeat(4096));
    for page in &pages {
        page.wait_for_line(&["text, 4096 bytes"]);
        let rows =
            page.value("document.querySelector('#log > :last-child .body').textContent.split('\\n').length");
        assert_eq!(rows, 100);
    }
}

fn flood(server: &Server, browser: &Browser, is_hidden: bool) {
    let names = ["websocket.html", "broadcast.html"];
    let pages = [(); 2].map(|()| browser.blank());
    for (page, name) in pages.iter().zip(names) {
        page.run_first(HEAR);
        page.open(&server.url(name));
        page.wait_until_open();
        page.value(COUNT);
        page.call("Network.disable", json!({})); // its events are not for ten thousand messages
        page.call("Performance.enable", json!({}));
        if is_hidden {
            page.hide();
        }
    }
    let mut before = None;
    for round in 1..=3 {
        let client = Client::connect(server);
        let sender = thread::spawn(move || send_all(client, round));
        let mut answers = 0;
        while !sender.is_finished() {
            for page in &pages {
                // A frame comes; who is hidden has none, and answers all the same.
                page.value(if is_hidden { "1" } else { "new Promise(requestAnimationFrame)" });
                answers += 1;
            }
        }
        sender.join().expect("the sender has not panicked");
        assert!(answers > 0);
        for page in &pages {
            page.wait_until(&format!("window.heard === {}", MESSAGES * round));
            if !is_hidden {
                assert_ends_with(page, &text(round, MESSAGES - 1));
            }
        }
        let now = pages.each_ref().map(size);
        // What is made once, such as compiled code, is made in the first round.
        if let (3, Some(before)) = (round, &before) {
            assert_has_not_grown(before, &now);
        }
        before = Some(now);
    }
    if is_hidden {
        for page in &pages {
            page.show();
            assert_ends_with(page, &text(3, MESSAGES - 1));
        }
    }
    for (page, name) in pages.iter().zip(names) {
        let batches = page.value("window.batches").as_u64();
        let frames = page.value("window.frames_ + 1").as_u64();
        assert!(batches <= frames, "{batches:?} times lines were put into the log, in {frames:?} frames");
        // The user comes through.
        page.click("#language");
        page.click("#language");
        page.fill("inputMessage", name);
        page.click("#sendButton");
        page.wait_for_line(&["sent", name]);
        page.wait_for_line(&["received", name]);
    }
}

/// Sends as fast as it can, and hears it all.
fn send_all(mut client: Client, round: usize) {
    for number in 0..MESSAGES {
        client.send(text(round, number));
    }
    for _ in 0..MESSAGES {
        client.receive();
    }
}

/// All have the same length.
fn text(round: usize, number: usize) -> String {
    format!(
        "message {round}/{number:05}, and some more so that it is a line of a hundred letters, as lines are."
    )
}

/// Waits until the log shows the newest line, and looks whether it is full and no more than that.
#[track_caller]
fn assert_ends_with(page: &Page<'_>, last: &str) {
    page.wait_for_line(&[last]);
    let log = page.log();
    assert_eq!(log.len(), 500);
    assert!(log[499].contains(last), "the newest line: {}", log[499]);
}

/// Bytes of its JavaScript, and its nodes, without what is garbage.
#[track_caller]
fn size(page: &Page<'_>) -> [f64; 2] {
    page.call("HeapProfiler.collectGarbage", json!({}));
    let metrics = page.call("Performance.getMetrics", json!({}));
    ["JSHeapUsedSize", "Nodes"].map(|name| {
        let metric =
            metrics["metrics"].as_array().into_iter().flatten().find(|metric| metric["name"] == name);
        metric.and_then(|metric| metric["value"].as_f64()).expect("it is measured")
    })
}

#[track_caller]
fn assert_has_not_grown(before: &[[f64; 2]; 2], now: &[[f64; 2]; 2]) {
    for ([bytes_before, nodes_before], [bytes, nodes]) in before.iter().zip(now) {
        let grown = (bytes - bytes_before, nodes - nodes_before);
        assert!(grown.0 < GROWTH_BYTES_MAX, "{} bytes more, {bytes}", grown.0);
        assert!(grown.1 < GROWTH_NODES_MAX, "{} nodes more, {nodes}", grown.1);
    }
}
