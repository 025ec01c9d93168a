//! The stored table: what is expected of each case, compared with what came, and made anew.

use crate::case::{self, Case, Outcome};
use crate::outside::environment::here;
use crate::suite::Run;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};

pub(crate) const PATH: &str = "tests/autobahn/expected.txt";

/// Trials run beside each other, and may all write the one file.
static FILE: Mutex<()> = Mutex::new(());

/// How each case is expected to end, in order.
pub(crate) struct Table {
    pub(crate) rows: BTreeMap<Case, Outcome>,
}

impl Table {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self { rows: lines.map(case::read).collect::<Result<_, _>>()? })
    }

    /// The table of the source.
    #[track_caller]
    pub(crate) fn load() -> Self {
        let _alone = FILE.lock().unwrap_or_else(PoisonError::into_inner);
        Self::parse(&text()).unwrap_or_else(|error| panic!("{PATH}: {error}"))
    }

    /// The same, with what came in place of what was expected. Cases that did not run stay as they are; those
    /// that a group no longer has go, if all of it ran.
    #[track_caller]
    pub(crate) fn update(whole: Option<u16>, run: &Run) -> Self {
        let _alone = FILE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = Self::parse(&text()).unwrap_or_else(|error| panic!("{PATH}: {error}"));
        table.rows.retain(|case, _| !is_gone(case, whole, run));
        table.rows.extend(run.outcomes.clone());
        fs::write(here(PATH), table.print()).unwrap_or_else(|error| panic!("{PATH}: {error}"));
        table
    }

    /// Says what is wrong with a run, a line a case: what no server may do, whatever the table says, and what
    /// has changed. `whole` is the group that ran with all its cases, if it did.
    pub(crate) fn complaints(&self, whole: Option<u16>, run: &Run) -> Vec<String> {
        let mut lines = run.words.clone();
        if run.plan.is_empty() {
            lines.push("the suite has no such case".to_owned());
        }
        let missing: Vec<_> = run.plan.iter().filter(|case| !run.outcomes.contains_key(case)).collect();
        match missing[..] {
            [] => {}
            [case] => lines.push(format!("{case:<8}  did not end")),
            [case, ref more @ ..] => lines.push(format!("{case:<8}  did not end, and {} more", more.len())),
        }
        let ended = run.outcomes.iter();
        lines.extend(ended.filter_map(|(case, outcome)| self.complaint(case, outcome)));
        let gone = self.rows.keys().filter(|case| is_gone(case, whole, run));
        lines.extend(gone.map(|case| format!("{case:<8}  is in the table, and not in the suite")));
        lines
    }

    fn complaint(&self, case: &Case, outcome: &Outcome) -> Option<String> {
        let came = match outcome.fault() {
            Some(fault) => format!("{outcome}: {fault}"),
            None => outcome.to_string(),
        };
        match self.rows.get(case) {
            Some(expected) if expected == outcome => {
                outcome.fault().map(|_| format!("{case:<8}  is   {came}"))
            }
            Some(expected) => Some(format!("{case:<8}  was  {expected}\n{:<8}  is   {came}", "")),
            None => Some(format!("{case:<8}  new  {came}")),
        }
    }

    /// The file as it is to be.
    pub(crate) fn print(&self) -> String {
        let mut text = HEAD.to_owned();
        let mut last = None;
        for (case, outcome) in &self.rows {
            if last.replace(case.group()) != Some(case.group()) {
                text.push('\n');
            }
            text.push_str(&case::line(case, outcome));
            text.push('\n');
        }
        text
    }
}

/// Whether the suite has a case no longer.
fn is_gone(case: &Case, whole: Option<u16>, run: &Run) -> bool {
    whole == Some(case.group()) && !run.plan.is_empty() && !run.plan.contains(case)
}

/// The file as it is. One that is missing is empty.
pub(crate) fn text() -> String {
    fs::read_to_string(here(PATH)).unwrap_or_default()
}

const HEAD: &str = "\
# How fanfare does in the Autobahn|Testsuite, a line a case. tests/autobahn.rs compares every run with it.
#
# case           the number that the suite gives it
# answer         its verdict on the messages that came back: OK; INFORMATIONAL where nothing is prescribed;
#                UNIMPLEMENTED where the case needs an extension that fanfare does not have
# close          its verdict on the way the connection was closed
# code           the close code that fanfare sent, or none
# handshake      clean, if both sides sent a Close
# dropped        who dropped the connection then
#
# To make it anew: FANFARE_AUTOBAHN=all FANFARE_AUTOBAHN_UPDATE=1 cargo test --test autobahn

# case    answer         close          code  handshake  dropped
";
