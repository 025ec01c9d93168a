//! What the controls of both pages do: much to send, files, the log's own buttons, a rate.

use crate::browser::Browser;
use crate::other::Client;
use crate::outside::process::DEADLINE;
use crate::outside::program::comes_true;
use crate::outside::server::Server;
use crate::page::{Page, literal};
use serde_json::json;
use std::fs;
use tungstenite::Message;

/// 8 MB are sent at once: `bufferedAmount` is seen to rise, and to be nothing again; and they all arrive.
pub(crate) fn eight_megabytes(server: Server, browser: &Browser) {
    let mut client = Client::connect(&server);
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    page.value(
        "(() => {
            const shown = document.getElementById('bufferedAmount');
            window.amounts = [Number(shown.textContent)];
            const observer = new MutationObserver(() => window.amounts.push(Number(shown.textContent)));
            observer.observe(shown, { childList: true, characterData: true, subtree: true });
        })()",
    );
    assert_eq!(page.value("window.amounts"), json!([0]));
    page.click("#bulkButton");
    let mut bytes = 0;
    while bytes < 8 << 20 {
        bytes += client.receive().len();
    }
    assert_eq!(bytes, 8 << 20, "no more and no less arrives");
    page.wait_until("document.getElementById('bufferedAmount').textContent === '0'");
    page.wait_until("Math.max(...window.amounts) > 1000000 && window.amounts.at(-1) === 0");
    page.wait_for_line(&["sent", "128"]);
    page.wait_for_line(&["received", "128"]);
    // And a second time, the other way of receiving them.
    page.choose("binaryType", "arraybuffer");
    page.click("#bulkButton");
    page.wait_for_lines(2, &["received", "128"]);
}

/// A file is sent as a Blob, chosen or dropped; the page reads nothing of it before.
pub(crate) fn files(server: Server, browser: &Browser) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let page = browser.open(&server.url("websocket.html"));
    let mut client = Client::connect(&server);
    page.wait_until_open();
    page.click("#fileButton"); // nothing is chosen: nothing is sent
    for (name, bytes) in
        [("<b>markup</b>.bin", vec![0, 1, 2, 0xff]), ("nothing.txt", vec![]), ("large", vec![7; 500_000])]
    {
        let path = folder.path().join(name.replace('/', "∕"));
        fs::write(&path, &bytes).expect("a file can be written");
        let file = page.call("Runtime.evaluate", json!({ "expression": "document.getElementById('file')" }));
        let object = &file["result"]["objectId"];
        page.call("DOM.setFileInputFiles", json!({ "files": [path], "objectId": object }));
        let names = page.value("document.querySelectorAll('#sendSection b').length");
        assert_eq!(names, 0, "the name {name} has become an element");
        page.click("#fileButton");
        assert!(client.receive() == Message::binary(bytes.clone()), "{name}");
        page.wait_for_line(&["sent", &format!("{} bytes", bytes.len())]);
        page.wait_for_line(&["received", &format!("{} bytes", bytes.len())]);
    }

    let path = folder.path().join("dropped");
    fs::write(&path, "dropped").expect("a file can be written");
    drop_file(&page, "#sendSection", path.to_str().expect("its name is UTF-8"));
    page.wait_until("document.getElementById('file').files[0]?.name === 'dropped'");
    page.click("#fileButton");
    assert_eq!(client.receive(), Message::binary("dropped"));
    // One that misses its place does nothing: above all, it does not replace the page.
    fs::write(folder.path().join("missed"), "missed").expect("a file can be written");
    drop_file(&page, "h1", folder.path().join("missed").to_str().expect("its name is UTF-8"));
    page.click("#fileButton");
    assert_eq!(client.receive(), Message::binary("dropped"));
    page.wait_for_address(&server.url("websocket.html"));
}

#[track_caller]
fn drop_file(page: &Page<'_>, selector: &str, path: &str) {
    let place = page.value(&format!(
        "(() => {{
            const element = document.querySelector({});
            element.scrollIntoView({{ block: 'center' }});
            const {{ x, y }} = element.getBoundingClientRect();
            return {{ x: x + 5, y: y + 5 }};
        }})()",
        literal(selector)
    ));
    for kind in ["dragEnter", "dragOver", "drop"] {
        let data = json!({ "items": [], "files": [path], "dragOperationsMask": 1 });
        page.call(
            "Input.dispatchDragEvent",
            json!({ "type": kind, "x": place["x"], "y": place["y"], "data": data }),
        );
    }
}

/// A log that is held loses nothing; one that is cleared is empty; one that is saved is a file of what it shows.
pub(crate) fn log_buttons(server: Server, browser: &Browser) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut client = Client::connect(&server);
    for name in ["websocket.html", "broadcast.html"] {
        let page = browser.open(&server.url(name));
        page.wait_until_open();
        let downloads = folder.path().join(name);
        let behavior = json!({ "behavior": "allow", "downloadPath": downloads });
        page.call("Browser.setDownloadBehavior", behavior);
        client.send("before, 之前");
        page.wait_for_line(&["before"]);

        page.click("#logSection .pause");
        for number in 0..20 {
            client.send(format!("meanwhile {number}."));
        }
        page.wait_until("document.querySelector('#logSection .pause').textContent.includes('20')");
        page.value("new Promise(requestAnimationFrame)");
        assert!(!page.log().iter().any(|line| line.contains("meanwhile")), "{:?}", page.log());
        page.click("#logSection .pause");
        page.wait_for_lines(20, &["meanwhile"]);
        page.wait_for_line(&["meanwhile 19."]);

        page.click("#logSection .save");
        let mut text = String::new();
        let saved = comes_true(DEADLINE, || {
            let files = fs::read_dir(&downloads).into_iter().flatten().flatten();
            let file =
                files.map(|file| file.path()).find(|path| path.extension().is_some_and(|end| end == "txt"));
            text = file.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
            text.contains("meanwhile 19.")
        });
        assert!(saved, "{name}: no file has the log: {text:?}");
        for words in ["before, 之前", "text, 13 bytes", "received", "meanwhile 0.", "open"] {
            assert!(text.contains(words), "{name}: {words:?} is not in {text}");
        }

        page.click("#logSection .clear");
        page.wait_until("document.getElementById('log').childElementCount === 0");
        client.send("after");
        page.wait_for_line(&["after"]);
        assert_eq!(page.log().len(), 1);
    }
}

/// At a rate notices come back, to this page and to others; they stop with it.
pub(crate) fn rate(server: Server, browser: &Browser) {
    let mut client = Client::connect(&server);
    let page = browser.open(&server.url("broadcast.html"));
    page.wait_until_open();
    for (steps, rate) in [(0, "1"), (300, "1000"), (200, "100")] {
        page.value(&format!(
            "(() => {{
                const slider = document.getElementById('rate');
                slider.value = {steps};
                slider.dispatchEvent(new Event('input', {{ bubbles: true }}));
            }})()"
        ));
        assert_eq!(page.text("rateText"), rate);
    }
    page.click("#rateButton");
    let first = client.receive();
    for _ in 0..150 {
        let next = client.receive();
        assert!(next.is_text() && next != first, "{next:?} is numbered");
    }
    page.wait_until("Number(document.getElementById('backCount').textContent) >= 150");
    page.wait_until("Number(document.getElementById('deliveredRate').textContent) > 0");
    let points = page.value("document.querySelector('#chart .delivered').getAttribute('points')");
    let points = points.as_str().unwrap_or_default().to_owned();
    let heights: Vec<&str> = points.split(' ').filter_map(|point| Some(point.split_once(',')?.1)).collect();
    assert!(
        heights.len() > 10 && heights.iter().any(|height| *height != heights[0]),
        "a flat line: {points}"
    );

    // Quicker than a timer of the page could be noticed: a second of nothing would be needed to see that none comes,
    // so the page is let send by hand twice, and nothing is between.
    page.click("#rateButton");
    page.fill("inputMessage", "the end");
    page.click("#sendButton");
    while client.receive() != Message::text("the end") {}
    for number in 0..5 {
        let text = format!("by hand, {number}");
        page.fill("inputMessage", &text);
        page.click("#sendButton");
        assert_eq!(client.receive(), Message::text(text), "what comes behind the end");
    }
    page.wait_until(
        "document.getElementById('sentCount').textContent === document.getElementById('backCount').textContent",
    );
}

/// Half a surrogate pair comes back as U+FFFD, so the notice itself never does; those behind it are seen all the same.
pub(crate) fn half_a_character(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("broadcast.html"));
    page.wait_until_open();
    page.value("void (document.getElementById('inputMessage').value = 'half \\ud83d')");
    page.click("#sendButton");
    page.fill("inputMessage", "whole");
    page.click("#sendButton");
    page.wait_until("document.getElementById('sentCount').textContent === '2'");
    page.wait_until("document.getElementById('backCount').textContent === '1'");
}

/// How many hear what is sent: it follows who comes and goes.
pub(crate) fn receivers(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("broadcast.html"));
    page.wait_until_open();
    let wait_for = |count: usize| {
        page.wait_until(&format!("document.getElementById('receivers').textContent.trim() === '{count}'"));
    };
    wait_for(1);
    let clients: Vec<_> = (0..3).map(|_| Client::connect(&server)).collect();
    wait_for(4);
    drop(clients);
    wait_for(1);
}
