//! The pages in a real browser, against the real program.
//!
//! Each trial has a server and a Chromium of its own, and drives the pages as their user does: it types,
//! clicks and reads what is shown. It counts on the elements that the pages promise, and on the names that
//! the WebSocket API has in every language. Where something has to happen first, it is waited for, with a
//! deadline; nothing waits for a time to pass.
//!
//! Chromium is looked for in `PATH`; `FANFARE_CHROMIUM` names another one. Without any, the trials show as
//! ignored, and with `FANFARE_REQUIRE_ALL=1` as failed. `FANFARE_PICTURE=docs/pages.png` takes the picture
//! that the README shows.

#[path = "chromium/browser.rs"]
mod browser;
#[path = "chromium/connection.rs"]
mod connection;
#[path = "chromium/inspector.rs"]
mod inspector;
#[path = "chromium/other.rs"]
mod other;
mod outside;
#[path = "chromium/page.rs"]
mod page;
#[path = "chromium/trials.rs"]
mod trials;
#[path = "chromium/wide.rs"]
mod wide;

use browser::Browser;
use libtest_mimic::Arguments;
use outside::server::Server;
use outside::trial::trial;
use std::process::ExitCode;

/// What a trial is given: a server of its own, and a browser without pages.
type Run = fn(Server, &Browser);

/// A folder of pages, as who changes them serves it.
const FOLDER: &[&str] = &["--www", concat!(env!("CARGO_MANIFEST_DIR"), "/www")];

/// What a trial is called, the options of its server, and what it does.
const TRIALS: [(&str, &[&str], Run); 19] = [
    ("what_is_typed_shows_in_another_tab", &[], trials::typed_text_reaches_another_tab),
    ("every_kind_of_message_arrives_as_it_was_sent", &[], trials::every_kind_of_message),
    ("close_codes_and_reasons", &[], trials::close_codes_and_reasons),
    ("notices_and_a_server_that_starts_again", &[], trials::notices_and_a_restart),
    ("markup_is_shown_as_text", &[], trials::markup_is_text),
    ("no_page_complains_or_leaves_its_server", &[], wide::no_complaints),
    ("nor_does_one_of_a_folder", FOLDER, wide::no_complaints),
    ("nor_does_one_that_came_by_tls", &["--tls-self-signed"], wide::no_complaints),
    ("a_browser_without_websocket_is_told_so", &[], wide::without_websocket),
    ("everything_works_by_keyboard_in_360_pixels", &[], wide::keyboard_and_narrow),
    ("the_log_keeps_its_last_500_lines", &[], wide::log_is_bounded),
    ("inspector_works_the_accept_key_out", &[], inspector::accept_key),
    ("inspector_draws_the_bits_of_the_wire", &[], inspector::diagram),
    ("inspector_shows_the_handshake", &[], inspector::handshake),
    ("inspector_shows_messages_and_pings", &[], inspector::messages_and_pings),
    ("inspector_shows_a_close_and_hostile_text", &[], inspector::close_and_hostile_text),
    ("inspector_works_by_keyboard_in_360_pixels", &[], inspector::keyboard_and_narrow),
    ("inspector_keeps_200_rows", &[], inspector::list_is_bounded),
    ("inspector_says_why_it_shows_nothing", &[], inspector::not_available),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One trial starts its server on a port that was free a moment ago: nobody may take it in between.
    arguments.test_threads.get_or_insert(1);
    let mut rows = TRIALS.to_vec();
    if std::env::var_os(wide::PICTURE).is_some() {
        rows.push(("the_picture_of_the_readme", &[], wide::picture));
    }
    let chromium = browser::find();
    let trials = rows.into_iter().map(|(name, options, run)| {
        trial(name, "Chromium", chromium.clone(), move |chromium| {
            run(Server::start(options), &Browser::start(&chromium));
            Ok(())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
