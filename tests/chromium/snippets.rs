//! The code that is shown beside each control: it does what the control does.

use crate::browser::Browser;
use crate::outside::server::Server;
use crate::page::{Page, literal};
use serde_json::{Value, json};

/// What would end a string, a script or a line, if somebody let it.
const TEXT: &str = "\"'`${1}\\ </script> 世界🎺\u{2028}";

/// Runs a piece of code with a socket that keeps what it is told, and gives that.
const RUN: &str = "async (code) => {
    const calls = [];
    const plain = async (value) => {
        if (value instanceof Blob) return { Blob: [...new Uint8Array(await value.arrayBuffer())] };
        if (value instanceof ArrayBuffer) return { ArrayBuffer: [...new Uint8Array(value)] };
        return ArrayBuffer.isView(value) ? { [value.constructor.name]: [...value] } : value;
    };
    const socket = new Proxy({}, {
        get: (_, name) => (...all) => { calls.push([name, ...all]); },
        set: (_, name, value) => { calls.push([name, typeof value === 'function' ? '' : value]); return true; },
    });
    class Socket { constructor(...all) { calls.push(['new', ...all]); return socket; } }
    const log = (...all) => { calls.push(['log', ...all]); };
    new Function('socket', 'WebSocket', 'log', code.replace('const socket =', 'socket ='))(socket, Socket, log);
    return Promise.all(calls.map((call) => Promise.all(call.map(plain))));
}";

pub(crate) fn run(server: Server, browser: &Browser) {
    let page = browser.open(&server.url("websocket.html"));
    page.wait_until_open();
    page.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })");

    let bytes = json!(TEXT.as_bytes());
    page.fill("inputMessage", TEXT);
    for (kind, want) in [
        ("string", json!(TEXT)),
        ("Blob", json!({ "Blob": bytes })),
        ("ArrayBuffer", json!({ "ArrayBuffer": bytes })),
        ("Uint8Array", json!({ "Uint8Array": bytes })),
    ] {
        page.choose("sendAs", kind);
        assert_eq!(outcome(&page, "#sendCode"), json!([["send", want]]), "{kind}");
    }

    for (code, reason, want) in [
        ("3001", TEXT, json!(["close", 3001, TEXT])),
        ("1000", "", json!(["close", 1000])),
        ("", "", json!(["close"])),
    ] {
        set(&page, "closeCode", code);
        set(&page, "closeReason", reason);
        assert_eq!(outcome(&page, "[data-live=close]"), json!([want]));
    }

    for (protocols, want) in [
        ("", json!(["new", "ws://[\"/?a=`"])),
        ("chat", json!(["new", "ws://[\"/?a=`", ["chat"]])),
        ("b\"a, c", json!(["new", "ws://[\"/?a=`", ["b\"a", "c"]])),
    ] {
        set(&page, "url", "ws://[\"/?a=`");
        set(&page, "protocols", protocols);
        let calls = outcome(&page, "[data-live=connect]");
        assert_eq!(calls[0], want);
        for (call, name) in
            calls.as_array().into_iter().flatten().skip(1).zip(["open", "message", "error", "close"])
        {
            assert_eq!(call[0], format!("on{name}"));
        }
    }

    for kind in ["arraybuffer", "blob"] {
        page.choose("binaryType", kind);
        assert_eq!(outcome(&page, "[data-live=binaryType]")[0], json!(["binaryType", kind]));
    }
    // Whatever language the rest is in, all of it is code.
    for language in ["zh-CN", "en"] {
        page.switch_to(language);
        let wrong = page.value(
            "[...document.querySelectorAll('details.code pre')].map((pre) => pre.textContent).filter((code) => {
                try { new Function(code.replace(/^import .*$/gm, '')); return false; } catch { return true; }
            })",
        );
        assert_eq!(wrong, json!([]), "{language}");
    }
    assert!(page.value("document.querySelectorAll('details.code pre').length").as_u64() >= Some(6));
    assert_eq!(page.complaints(), [""; 0]);
}

/// What the code does that an element is in, or is.
#[track_caller]
fn outcome(page: &Page<'_>, selector: &str) -> Value {
    let code = page.value(&format!("document.querySelector('{selector}').closest('pre').textContent"));
    page.value(&format!("({RUN})({})", literal(code.as_str().expect("there is code"))))
}

/// Types into a field, or empties it.
#[track_caller]
fn set(page: &Page<'_>, id: &str, text: &str) {
    page.value(&format!("document.getElementById('{id}').select()"));
    page.value(&format!("document.getElementById('{id}').focus()"));
    if text.is_empty() {
        page.value("document.execCommand('delete')");
    } else {
        page.fill(id, text);
    }
}

/// The tutorial's table of browsers, as it is there, and what is to be said about it.
pub(crate) fn browsers(server: Server, browser: &Browser) {
    const TABLE: [[&str; 2]; 12] = [
        ["Chrome", "31+"],
        ["IE", "10+ (limited)"],
        ["Firefox", "30+"],
        ["Chrome for Android", "39+"],
        ["iOS Safari", "6+"],
        ["Android Browser", "4.4+"],
        ["UC Browser for Android", "9.9+"],
        ["Opera Mini", "none"],
        ["Safari", "5.1+"],
        ["Opera", "24+"],
        ["IE Mobile", "10+ (limited)"],
        ["Firefox for Android", "33+"],
    ];
    let page = browser.open(&server.url("websocket.html"));
    let table = page.value(
        "[...document.querySelectorAll('table')].map((table) => [...table.tBodies[0].rows]
            .map((row) => [...row.cells].map((cell) => cell.textContent.trim())))
            .find((rows) => rows.flat().includes('Opera Mini'))",
    );
    assert_eq!(table, json!(TABLE));
    let text = page.value("document.querySelector('main').textContent");
    assert!(
        text.as_str().is_some_and(|text| text.contains("Every current browser has")),
        "it is an old table"
    );
}
