//! Not checks: pictures of the pages, for the README and for who changes them.

use crate::browser::Browser;
use crate::outside::server::Server;
use crate::page::Page;
use crate::wide::PAGES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::path::Path;
use std::{env, fs};

/// The variable that names the file for [`of_the_readme`].
pub(crate) const PICTURE: &str = "FANFARE_PICTURE";
/// The variable that names the folder for [`of_all`].
pub(crate) const PICTURES: &str = "FANFARE_PICTURES";

/// The inspector of the user's page with a frame that the browser has sent, as the README shows it.
pub(crate) fn of_the_readme(server: Server, browser: &Browser) {
    let path = env::var_os(PICTURE).expect("the trial exists only with it");
    let page = browser.blank();
    page.resize(1500, 1000, 0.8); // 1200 by 800 in the file
    page.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
    page.open(&server.url("websocket.html"));
    page.wait_until_open();
    page.fill("inputMessage", "Hello");
    page.click("#sendButton");
    page.wait_for_lines(2, &["Hello"]);
    page.wait_until("document.querySelectorAll('#frames [role=option]').length >= 2");
    page.click("#pingMe");
    page.wait_until("document.querySelectorAll('#frames [role=option]').length >= 4");
    page.click("#frames li:nth-child(2)"); // behind that of the connection
    page.click("#diagram tr[data-field=key]");
    page.wait_until("document.getElementById('payload').textContent.includes('Hello')");
    page.value("document.activeElement.blur(), scrollTo(0, document.body.scrollHeight - innerHeight - 45)");
    write(path.as_ref(), &page.picture());
}

/// Each page whole, wide and narrow, light and dark, in both languages.
pub(crate) fn of_all(server: Server, browser: &Browser) {
    let folder = env::var_os(PICTURES).expect("the trial exists only with it");
    fs::create_dir_all(&folder).expect("the folder can be made");
    for name in PAGES {
        for (size, width, height) in [("wide", 1280, 900), ("phone", 360, 740)] {
            let page = browser.blank();
            page.resize(width, height, 1.0);
            page.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
            page.open(&server.url(name));
            if name != "index.html" {
                page.wait_until_open();
                page.fill("inputMessage", "Hello, 世界");
                page.click("#sendButton");
                page.wait_for_lines(2, &["Hello"]);
            }
            for language in ["zh-CN", "en"] {
                page.switch_to(language);
                for scheme in ["light", "dark"] {
                    page.set_scheme(scheme);
                    page.value("document.activeElement.blur(), scrollTo(0, 0)");
                    let stem = name.trim_end_matches(".html");
                    let file = format!("{stem}-{size}-{language}-{scheme}.png");
                    write(&Path::new(&folder).join(file), &whole(&page, width, height));
                }
            }
        }
    }
}

/// All of a page, however long it is: in a window as high as that, since what is out of sight may not be drawn.
#[track_caller]
fn whole(page: &Page<'_>, width: u32, height: u32) -> String {
    page.resize(width, height, 1.0);
    let whole = page.value("document.documentElement.scrollHeight").as_u64().expect("it is a number");
    page.resize(width, u32::try_from(whole).expect("no page is so long"), 1.0);
    page.value("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
    page.picture()
}

#[track_caller]
fn write(path: &Path, picture: &str) {
    let picture = STANDARD.decode(picture).expect("it is base64");
    fs::write(path, picture).expect("the picture can be written");
}
