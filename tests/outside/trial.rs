//! A trial that needs a program from outside.
//!
//! Where the program is missing the trial shows as ignored, with the program's name; with
//! `FANFARE_REQUIRE_ALL=1` it shows as failed, and says what was looked for.

use super::environment::is_set;
use libtest_mimic::{Failed, Trial};

/// The program, or what was looked for and not found.
pub(crate) type Tool<T> = Result<T, String>;

/// Makes a trial of `run`. `needs` is what is printed beside the name of one that is ignored.
pub(crate) fn trial<T: Send + 'static>(
    name: &str,
    needs: &str,
    tool: Tool<T>,
    run: impl FnOnce(T) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let is_ignored = tool.is_err() && !is_set("FANFARE_REQUIRE_ALL", "1");
    let trial = Trial::test(name, move || run(tool?));
    if is_ignored { trial.with_kind(format!("needs {needs}")).with_ignored_flag(true) } else { trial }
}
