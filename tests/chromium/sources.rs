//! The scripts as they are written, read by acorn: the first one for the oldest browser, the others as modules.

use crate::browser::Browser;
use crate::outside::environment::here;
use crate::outside::server::Server;
use crate::page::{Page, literal};
use crate::wide::PAGES;
use serde_json::{Value, json};

const CHECKS: &str = include_str!("sources.js");

/// The script that comes first and is no module: it is parsed by every browser, however old.
const FIRST: &str = "support.js";

pub(crate) fn scripts(server: Server, browser: &Browser, acorn: &str) {
    let page = browser.blank();
    page.open(&server.url("favicon.svg")); // of the same host, and without scripts
    page.value(acorn);
    page.value(&format!("{CHECKS};null"));
    assert_complains(&page);

    let folder = crate::folder().unwrap_or_else(|| here("www").display().to_string());
    let entries = std::fs::read_dir(folder).expect("there are pages");
    let names =
        entries.map(|entry| entry.expect("it can be listed").file_name().into_string().expect("UTF-8"));
    let scripts: Vec<_> = names.filter(|name| name.ends_with(".js")).collect();
    assert!(scripts.iter().any(|name| name == FIRST) && scripts.len() > 3, "{scripts:?}");
    for name in &scripts {
        let source = fetch(&page, name);
        let check = match name.as_str() {
            FIRST => "oldest",
            "language.js" => "moduleOfLanguages", // its switch names each language by its own name
            _ => "module",
        };
        assert_eq!(complaints(&page, check, &source), json!([]), "{name}");
    }

    // Nothing but the first script is given to browsers that know no modules.
    for name in PAGES {
        let html = fetch(&page, name);
        let tags: Vec<_> = html.split("<script").skip(1).filter_map(|tag| tag.split('>').next()).collect();
        let plain: Vec<_> = tags.iter().filter(|tag| !tag.contains("type=\"module\"")).collect();
        assert_eq!(plain, [&format!(" src=\"{FIRST}\"")], "{name}");
        assert_eq!(
            html.matches("<style").count() + html.matches(" style=").count(),
            0,
            "{name} has styles in it"
        );
    }
}

/// What the checks are for, they find.
#[track_caller]
fn assert_complains(page: &Page<'_>) {
    for (check, source, count) in [
        ("oldest", "var a = { b: 1 }; try { a.b(); } catch (error) { }", 0),
        ("oldest", "var f = () => 1;", 1),
        ("oldest", "const a = 1;", 1),
        ("oldest", "var a = `text`;", 1),
        ("oldest", "var a = { b: 1, };", 1),
        ("oldest", "promise.catch(f);", 1),
        ("oldest", "list.forEach(f);", 1),
        (
            "module",
            "import { say } from './language.js'; const f = async () => say('one', '一'); say(...both);",
            0,
        ),
        ("module", "say(', ', '，'); say(`no ${1}`, `第 ${1}`);", 0),
        ("module", "const = 1;", 1),
        ("module", "say('alone'); f(() => [{ a: say('one', '') }])", 2),
        ("module", "say('two', `two ${1}`); say('一', 'one')", 2),
    ] {
        let found = complaints(page, check, source);
        assert_eq!(found.as_array().map(Vec::len), Some(count), "{source}: {found}");
    }
}

#[track_caller]
fn complaints(page: &Page<'_>, check: &str, source: &str) -> Value {
    page.value(&format!("check.{check}({})", literal(source)))
}

#[track_caller]
fn fetch(page: &Page<'_>, name: &str) -> String {
    let text = page.value(&format!(
        "fetch('{name}').then((response) => response.ok ? response.text() : Promise.reject(response.status))"
    ));
    text.as_str().expect("a source is text").to_owned()
}
