//! The Autobahn|Testsuite against the real program: every case of it, and each one's outcome compared with the stored
//! table, `autobahn/expected.txt`.
//!
//! A trial is one of the suite's groups, with a server of its own. Of groups 12 and 13 (compression), which are
//! long, a sample is taken; `FANFARE_AUTOBAHN=all` runs every case.
//! `FANFARE_AUTOBAHN_UPDATE=1` writes what came into the table. What is a fault in any server fails all the same.
//!
//! The suite is looked for in `target/tools/autobahn`, where `autobahn/install.sh` puts it, or in
//! `FANFARE_TOOLS`; `FANFARE_AUTOBAHN_PYTHON` names an interpreter that has it. Without it the trials show as
//! ignored, and with `FANFARE_REQUIRE_ALL=1` as failed.

#[path = "autobahn/case.rs"]
mod case;
mod outside;
#[path = "autobahn/own.rs"]
mod own;
#[path = "autobahn/suite.rs"]
mod suite;
#[path = "autobahn/table.rs"]
mod table;

use libtest_mimic::{Arguments, Failed, Trial};
use outside::environment::is_set;
use outside::server::Server;
use outside::trial::trial;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use table::Table;

/// The groups of the suite. It has no 8 nor 11.
const GROUPS: [(u16, &str); 11] = [
    (1, "framing"),
    (2, "pings"),
    (3, "reserved_bits"),
    (4, "opcodes"),
    (5, "fragments"),
    (6, "utf8"),
    (7, "closing"),
    (9, "limits"),
    (10, "automatic_fragments"),
    (12, "compression"),
    (13, "compression_parameters"),
];

/// Groups of 18 cases each for many kinds, which differ in the size of the messages. Two of the 18 are the sample.
const SAMPLED: [u16; 2] = [12, 13];
const SAMPLE: [u16; 2] = [3, 11];

/// The longest message of the suite has 16 MiB.
const OPTIONS: [&str; 2] = ["--max-message", "32m"];

/// How long a group may take. It turns a hang into a failure, and says nothing about speed.
const LIMIT: Duration = Duration::from_secs(5 * 60);
/// The same for every case of a group that is sampled: hundreds, of up to a thousand messages of 128 KiB.
const LIMIT_ALL: Duration = Duration::from_secs(90 * 60);

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The suite counts seconds: who shares a processor with too many others is late.
    arguments.test_threads.get_or_insert(2);
    let python = suite::find();
    let mut trials: Vec<_> = GROUPS
        .into_iter()
        .map(|(group, name)| {
            trial(&format!("group_{group}_{name}"), "Autobahn", python.clone(), move |python| {
                run(&python, group)
            })
        })
        .collect();
    if !is_set("FANFARE_AUTOBAHN_UPDATE", "1") {
        trials.push(own_trial("the_table_is_in_order", || {
            own::table_is_in_order(&GROUPS.map(|(group, _)| group))
        }));
    }
    trials.push(own_trial("every_fault_is_seen", own::every_fault_is_seen));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn own_trial(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// Runs a group, or its sample, and compares it with the table.
fn run(python: &Path, group: u16) -> Result<(), Failed> {
    let is_sample = SAMPLED.contains(&group) && !is_set("FANFARE_AUTOBAHN", "all");
    let cases = if is_sample {
        SAMPLE.map(|last| format!("{group}.*.{last}")).to_vec()
    } else {
        vec![format!("{group}.*")]
    };
    let limit = if SAMPLED.contains(&group) && !is_sample { LIMIT_ALL } else { LIMIT };
    let server = Server::start(&OPTIONS);
    let run = suite::run(python, server.port(), &cases, limit);
    let whole = (!is_sample).then_some(group);
    let table =
        if is_set("FANFARE_AUTOBAHN_UPDATE", "1") { Table::update(whole, &run) } else { Table::load() };
    let complaints = table.complaints(whole, &run).join("\n");
    assert!(run.words.is_empty(), "\n{complaints}"); // and what the server said
    server.stop();
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(format!("{complaints}\n({} has the table)", table::PATH).into())
    }
}
