//! A tab: what its user does in it, what is shown, and what it complains about.

use crate::connection::Connection;
use crate::outside::process::DEADLINE;
use crate::outside::program::comes_true;
use serde_json::{Value, json};

/// See the module.
pub(crate) struct Page<'b> {
    connection: &'b Connection,
    session: String,
}

impl<'b> Page<'b> {
    #[track_caller]
    pub(crate) fn new(connection: &'b Connection, session: &str) -> Self {
        let page = Self { connection, session: session.to_owned() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        // Every tab believes that it has the keyboard: the user of one would see it in front.
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
        page
    }

    #[track_caller]
    pub(crate) fn call(&self, method: &str, parameters: Value) -> Value {
        self.connection.call(Some(&self.session), method, parameters)
    }

    /// Goes to an address, and waits until everything of it is there.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        let outcome = self.call("Page.navigate", json!({ "url": url }));
        assert!(outcome["errorText"].is_null(), "{url}: {outcome}");
        self.wait_for_address(url);
    }

    #[track_caller]
    pub(crate) fn wait_for_address(&self, url: &str) {
        self.wait_until(&format!("location.href === {} && document.readyState === 'complete'", literal(url)));
    }

    /// The value of an expression, or of the promise that it gives.
    #[track_caller]
    pub(crate) fn value(&self, expression: &str) -> Value {
        self.evaluate(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait_until(&self, expression: &str) {
        // While one page makes room for the next there may be nothing that could evaluate it.
        let is_true = comes_true(DEADLINE, || self.evaluate(expression).is_ok_and(|value| value == true));
        assert!(is_true, "not within {DEADLINE:?}: {expression}\n{}", self.describe());
    }

    fn evaluate(&self, expression: &str) -> Result<Value, Value> {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut outcome = self.connection.try_call(Some(&self.session), "Runtime.evaluate", parameters)?;
        if outcome["exceptionDetails"].is_null() {
            Ok(outcome["result"]["value"].take())
        } else {
            Err(outcome["exceptionDetails"].take())
        }
    }

    // What the user does

    /// Clicks into the middle of an element, which must not be covered by another one.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{
                const element = document.querySelector({});
                element.scrollIntoView({{ block: 'center' }});
                const box = element.getBoundingClientRect();
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                return element.contains(document.elementFromPoint(x, y)) ? {{ x, y }} : null;
            }})()",
            literal(selector)
        ));
        assert!(!place.is_null(), "{selector} is covered or outside of the window");
        for kind in ["mousePressed", "mouseReleased"] {
            let mut event = place.clone();
            event["type"] = kind.into();
            event["button"] = "left".into();
            event["clickCount"] = 1.into();
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Types over what is in a field.
    #[track_caller]
    pub(crate) fn fill(&self, id: &str, text: &str) {
        self.value(&format!("{0}.focus(), {0}.select()", element(id)));
        self.call("Input.insertText", json!({ "text": text }));
        assert_eq!(self.value(&format!("{}.value", element(id))), text, "#{id} takes what is typed");
    }

    /// Picks an option. Its list is drawn by the system, so what it would do is done for it.
    #[track_caller]
    pub(crate) fn choose(&self, id: &str, option: &str) {
        let script = format!(
            "{0}.value = {1}, {0}.dispatchEvent(new Event('change', {{ bubbles: true }})), {0}.value",
            element(id),
            literal(option)
        );
        assert_eq!(self.value(&script), option, "#{id} has this option");
    }

    /// Presses a key that types nothing, and lets it go.
    #[track_caller]
    pub(crate) fn press(&self, key: Key) {
        let (name, code, text, modifiers) = match key {
            Key::Tab => ("Tab", 9, "", 0),
            Key::Enter => ("Enter", 13, "\r", 0),
            Key::ControlEnter => ("Enter", 13, "", 2),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({
                "type": kind, "key": name, "code": name, "text": text, "windowsVirtualKeyCode": code,
                "modifiers": modifiers,
            });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Presses the Tab key until an element has the focus.
    #[track_caller]
    pub(crate) fn tab_to(&self, id: &str) {
        let mut seen = Vec::new();
        while seen.len() < 200 {
            self.press(Key::Tab);
            let focused = self.value("document.activeElement.id");
            if focused == id {
                return;
            }
            seen.push(focused);
        }
        panic!("the Tab key does not lead to #{id}, but to {seen:?}");
    }

    /// Loads it again.
    #[track_caller]
    pub(crate) fn reload(&self) {
        self.value("window.isFromBefore = true");
        self.call("Page.reload", json!({}));
        self.wait_until("!window.isFromBefore && document.readyState === 'complete'");
    }

    // What is shown

    #[track_caller]
    pub(crate) fn text(&self, id: &str) -> String {
        self.value(&format!("{}.textContent", element(id))).as_str().unwrap_or_default().to_owned()
    }

    /// The lines of the log.
    #[track_caller]
    pub(crate) fn log(&self) -> Vec<String> {
        let lines = self.value("[...document.querySelectorAll('#log > *')].map((line) => line.textContent)");
        lines.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Waits until this many lines of the log hold all of these words.
    #[track_caller]
    pub(crate) fn wait_for_lines(&self, count: usize, words: &[&str]) {
        let mut found = 0;
        let came = comes_true(DEADLINE, || {
            let lines = self.log();
            found = lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).count();
            found >= count
        });
        assert!(came && found == count, "{found} lines, not {count}, with {words:?}\n{}", self.describe());
    }

    /// Waits until a line of the log holds all of these words, or more lines do.
    #[track_caller]
    pub(crate) fn wait_for_some_line(&self, words: &[&str]) {
        let came = comes_true(DEADLINE, || {
            self.log().iter().any(|line| words.iter().all(|word| line.contains(word)))
        });
        assert!(came, "no line with {words:?}\n{}", self.describe());
    }

    #[track_caller]
    pub(crate) fn wait_for_line(&self, words: &[&str]) {
        self.wait_for_lines(1, words);
    }

    /// Waits until `#readyState` shows a state, by number and by name.
    #[track_caller]
    pub(crate) fn wait_for_state(&self, number: u8, name: &str) {
        let mut text = String::new();
        let came = comes_true(DEADLINE, || {
            text = self.text("readyState");
            text.split_whitespace().eq([&*number.to_string(), name])
        });
        assert!(came, "#readyState shows {text:?}, not {number} {name}\n{}", self.describe());
    }

    #[track_caller]
    pub(crate) fn wait_until_open(&self) {
        self.wait_for_state(1, "OPEN");
    }

    /// What is in the window, as base64 of a PNG.
    #[track_caller]
    pub(crate) fn picture(&self) -> String {
        let picture = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        picture["data"].as_str().expect("a picture has data").to_owned()
    }

    // What it did so far

    /// Exceptions that nobody caught, and what the console shows as an error or a warning.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.connection.events(&self.session, |method, parameters| {
            let is_complaint = match method {
                "Runtime.exceptionThrown" => true,
                "Runtime.consoleAPICalled" => is_bad(&parameters["type"]),
                "Log.entryAdded" => is_bad(&parameters["entry"]["level"]),
                _ => false,
            };
            is_complaint.then(|| parameters.to_string())
        })
    }

    /// The addresses that it asked for, sockets among them.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.connection.events(&self.session, |method, parameters| match method {
            "Network.requestWillBeSent" => parameters["request"]["url"].as_str().map(str::to_owned),
            "Network.webSocketCreated" => parameters["url"].as_str().map(str::to_owned),
            _ => None,
        })
    }

    /// What a trial makes of the browser's events for it so far.
    pub(crate) fn events<T>(&self, pick: impl Fn(&str, &Value) -> Option<T>) -> Vec<T> {
        self.connection.events(&self.session, pick)
    }

    /// For the message of a failure.
    fn describe(&self) -> String {
        let page = self.evaluate("`${location.href}\n${document.body.innerText}`");
        let page = page.unwrap_or_else(|error| error);
        let page = page.as_str().map_or_else(|| page.to_string(), str::to_owned);
        format!("--- the page\n{page}\n--- its complaints\n{}\n---", self.complaints().join("\n"))
    }
}

/// A key of [`Page::press`].
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Tab,
    Enter,
    ControlEnter,
}

/// Whether a console shows this level in colour.
fn is_bad(level: &Value) -> bool {
    ["error", "warning", "assert"].iter().any(|bad| level == bad)
}

/// A text as JavaScript has it.
pub(crate) fn literal(text: &str) -> String {
    json!(text).to_string()
}

/// The expression for an element.
fn element(id: &str) -> String {
    format!("document.getElementById({})", literal(id))
}
