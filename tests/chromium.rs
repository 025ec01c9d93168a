//! The pages in a real browser, against the real program.
//!
//! Each trial has a server and a Chromium of its own, and drives the pages as their user does: it types,
//! clicks and reads what is shown. It counts on the elements that the pages promise, and on the names that
//! the WebSocket API has in every language. Where something has to happen first, it is waited for, with a
//! deadline; nothing waits for a time to pass.
//!
//! Chromium is looked for in `PATH`; `FANFARE_CHROMIUM` names another one. Without any, the trials show as
//! ignored, and with `FANFARE_REQUIRE_ALL=1` as failed; so do those that look with axe-core or acorn, without what
//! `tests/pages/install.sh` installs. `FANFARE_PAGES=www` takes the pages from a folder, which are then looked at
//! without being built in. `FANFARE_PICTURE=docs/pages.png` takes the picture that the README shows,
//! `FANFARE_PICTURES=target/pages` one of each page in every size, language and scheme.

#[path = "chromium/accessible.rs"]
mod accessible;
#[path = "chromium/browser.rs"]
mod browser;
#[path = "chromium/connection.rs"]
mod connection;
#[path = "chromium/controls.rs"]
mod controls;
#[path = "chromium/flood.rs"]
mod flood;
#[path = "chromium/inspector.rs"]
mod inspector;
#[path = "chromium/languages.rs"]
mod languages;
#[path = "chromium/other.rs"]
mod other;
mod outside;
#[path = "chromium/page.rs"]
mod page;
#[path = "chromium/pictures.rs"]
mod pictures;
#[path = "chromium/reconnect.rs"]
mod reconnect;
#[path = "chromium/scripts.rs"]
mod scripts;
#[path = "chromium/snippets.rs"]
mod snippets;
#[path = "chromium/sources.rs"]
mod sources;
#[path = "chromium/states.rs"]
mod states;
#[path = "chromium/surroundings.rs"]
mod surroundings;
#[path = "chromium/trials.rs"]
mod trials;
#[path = "chromium/wide.rs"]
mod wide;
#[path = "chromium/wire.rs"]
mod wire;

use browser::Browser;
use libtest_mimic::{Arguments, Trial};
use outside::environment::variable;
use outside::server::Server;
use outside::trial::{Tool, trial};
use scripts::Script;
use std::path::PathBuf;
use std::process::ExitCode;

/// What a trial is given: a server of its own, and a browser without pages.
type Run = fn(Server, &Browser);
/// The same with the source of a script.
type RunWith = fn(Server, &Browser, &str);

/// A folder of pages, as who changes them serves it.
const FOLDER: &[&str] = &["--www", concat!(env!("CARGO_MANIFEST_DIR"), "/www")];
/// Names a folder whose pages all trials are to look at, in place of those in the program.
const FOLDER_VARIABLE: &str = "FANFARE_PAGES";

/// What a trial is called, the options of its server, and what it does.
const TRIALS: &[(&str, &[&str], Run)] = &[
    ("what_is_typed_shows_in_another_tab", &[], trials::typed_text_reaches_another_tab),
    ("every_kind_of_message_arrives_as_it_was_sent", &[], trials::every_kind_of_message),
    ("close_codes_and_reasons", &[], trials::close_codes_and_reasons),
    ("notices_and_a_server_that_starts_again", &[], trials::notices_and_a_restart),
    ("markup_is_shown_as_text", &[], trials::markup_is_text),
    ("no_page_complains_or_leaves_its_server", &[], wide::no_complaints),
    ("nor_does_one_of_a_folder", FOLDER, wide::no_complaints),
    ("nor_does_one_that_came_by_tls", &["--tls-self-signed"], wide::no_complaints),
    ("a_browser_without_websocket_is_told_so", &[], wide::without_websocket),
    ("one_without_the_scripts_as_well", &[], wide::without_modules),
    ("light_is_light_and_dark_is_dark", &[], wide::light_and_dark),
    ("everything_works_by_keyboard_in_360_pixels", &[], wide::keyboard_and_narrow),
    ("the_log_keeps_its_last_500_lines", &[], wide::log_is_bounded),
    ("both_languages_are_whole", &[], languages::both_are_whole),
    ("the_inspector_is_whole_in_both_languages", &[], languages::inspector_is_whole),
    ("the_html_has_both_languages", &[], languages::html_has_both),
    ("the_language_is_the_browsers_or_the_users_choice", &[], languages::choice),
    ("messages_are_not_translated", &[], languages::messages_are_not_translated),
    ("pages_come_back_to_a_server_that_was_killed", &[], reconnect::killed_and_restarted),
    ("only_who_is_wanted_and_seen_tries_again", &[], reconnect::only_when_wanted_and_seen),
    ("a_tab_without_network_comes_back", &[], reconnect::offline),
    ("what_is_too_big_is_the_end", &["--max-message", "1k"], reconnect::too_big),
    ("all_four_states_are_seen", &[], states::all_four),
    ("quick_clicks_make_one_connection", &[], states::quick_clicks),
    ("a_subprotocol_is_kept", states::OF_SUBPROTOCOLS, states::subprotocol),
    ("eight_megabytes_show_in_buffered_amount", &[], controls::eight_megabytes),
    ("files_are_sent_chosen_or_dropped", &[], controls::files),
    ("the_log_is_held_cleared_and_saved", &[], controls::log_buttons),
    ("notices_go_at_a_rate_and_stop", &[], controls::rate),
    ("notices_that_never_come_back_hide_no_others", &[], controls::half_a_character),
    ("receivers_are_counted", &[], controls::receivers),
    ("the_code_beside_a_control_does_what_it_does", &[], snippets::run),
    ("the_tutorials_table_of_browsers", &[], snippets::browsers),
    ("a_mebibyte_is_one_line", &[], flood::large),
    ("ten_thousand_messages_are_no_trouble", &[], flood::shown),
    ("nor_are_they_in_a_hidden_tab", &[], flood::hidden),
    ("inspector_works_the_accept_key_out", &[], wire::accept_key),
    ("inspector_draws_the_bits_of_the_wire", &[], wire::diagram),
    ("inspector_shows_the_handshake", &[], inspector::handshake),
    ("inspector_shows_messages_and_pings", &[], inspector::messages_and_pings),
    ("inspector_shows_a_close_and_hostile_text", &[], inspector::close_and_hostile_text),
    ("inspector_works_by_keyboard_in_360_pixels", &[], inspector::keyboard_and_narrow),
    ("inspector_keeps_200_rows", &[], inspector::list_is_bounded),
    ("inspector_bears_nonsense", &[], inspector::nonsense),
    ("inspector_says_why_it_shows_nothing", &[], inspector::not_available),
];

/// The same of those that need a script.
const SCRIPT_TRIALS: &[(&str, Script, RunWith)] = &[
    ("axe_finds_nothing_on_the_index", Script::Axe, accessible::index),
    ("axe_finds_nothing_on_the_users_page", Script::Axe, accessible::websocket),
    ("axe_finds_nothing_on_the_senders_page", Script::Axe, accessible::broadcast),
    ("axe_finds_nothing_without_websocket", Script::Axe, accessible::without_websocket),
    ("the_first_script_is_for_the_oldest_browser", Script::Acorn, sources::scripts),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One trial starts its server on a port that was free a moment ago: nobody may take it in between.
    arguments.test_threads.get_or_insert(1);
    let mut rows = TRIALS.to_vec();
    if variable(pictures::PICTURE).is_some() {
        rows.push(("the_picture_of_the_readme", &[], pictures::of_the_readme));
    }
    if variable(pictures::PICTURES).is_some() {
        rows.push(("pictures_of_all_pages", &[], pictures::of_all));
    }
    let chromium = browser::find();
    let mut trials: Vec<_> = rows.into_iter().map(|row| plain_trial(row, chromium.clone())).collect();
    trials.extend(SCRIPT_TRIALS.iter().map(|row| script_trial(*row, chromium.clone())));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn plain_trial((name, options, run): (&str, &'static [&str], Run), chromium: Tool<PathBuf>) -> Trial {
    trial(name, "Chromium", chromium, move |chromium| {
        let browser = Browser::start(&chromium);
        run(start(options), &browser);
        browser.assert_nothing_thrown();
        Ok(())
    })
}

fn script_trial((name, script, run): (&str, Script, RunWith), chromium: Tool<PathBuf>) -> Trial {
    let needs = if chromium.is_ok() { script.name() } else { "Chromium" };
    let both = chromium.and_then(|chromium| Ok((chromium, script.find()?)));
    trial(name, needs, both, move |(chromium, source)| {
        let browser = Browser::start(&chromium);
        run(start(&[]), &browser, &source);
        browser.assert_nothing_thrown();
        Ok(())
    })
}

fn start(options: &[&str]) -> Server {
    start_on_with(0, options)
}

/// The server again, where it was before.
fn start_on(port: u16) -> Server {
    start_on_with(port, &[])
}

fn start_on_with(port: u16, options: &[&str]) -> Server {
    match folder() {
        Some(folder) if !options.contains(&"--www") => {
            Server::start_on(port, &[options, &["--www", &folder]].concat())
        }
        _ => Server::start_on(port, options),
    }
}

/// The folder that the pages are taken from, if they are.
fn folder() -> Option<String> {
    variable(FOLDER_VARIABLE).map(|folder| folder.into_string().expect("its name is UTF-8"))
}
