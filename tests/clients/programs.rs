//! The interpreters of other languages, each found together with the package that makes it a peer.
//!
//! What a variable names is taken, or nothing is. Otherwise what `install.sh` has installed comes first, then
//! what the machine has. One counts when it can load its package, in a version that is not too old.

use crate::outside::environment::{here, tools, variable};
use crate::outside::process::{DEADLINE, Process};
use crate::outside::trial::Tool;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

/// A Python of one's own choice.
const PYTHON: &str = "FANFARE_PYTHON";
/// A Node of one's own choice.
const NODE: &str = "FANFARE_NODE";
/// A folder of one's own choice where Node finds `ws`.
const NODE_MODULES: &str = "FANFARE_NODE_MODULES";

/// Version 15 is the first that can be told to use no proxy.
const LOADS_WEBSOCKETS: [&str; 2] =
    ["-c", "import sys, websockets; sys.exit(int(websockets.__version__.split('.')[0]) < 15)"];
/// Version 8 is the first that tells text from binary.
const LOADS_WS: [&str; 2] = [
    "-e",
    "const { version } = require(path.dirname(require.resolve('ws')) + '/package.json'); \
     process.exit(parseInt(version) < 8 ? 1 : 0)",
];

/// What runs the scripts of one language.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    program: PathBuf,
    /// Where Node looks for packages; `None` leaves it alone.
    modules: Option<PathBuf>,
}

impl Interpreter {
    /// With a script from the source.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = self.bare();
        command.arg(here(script));
        command
    }

    /// Whether it runs a line of its language to a good end.
    fn runs(&self, line: [&str; 2]) -> bool {
        let mut process = Process::try_start(self.bare().args(line)).ok();
        let status = process.as_mut().and_then(|process| process.end(DEADLINE));
        status.is_some_and(|status| status.success())
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.envs(self.modules.as_ref().map(|folder| ("NODE_PATH", folder)));
        command
    }
}

/// As it is started.
impl fmt::Display for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.modules {
            write!(f, "NODE_PATH={} ", folder.display())?;
        }
        self.program.display().fmt(f)
    }
}

/// A Python that has `websockets`.
pub(crate) fn python() -> Tool<Interpreter> {
    let programs = match variable(PYTHON) {
        Some(named) => vec![named.into()],
        None => vec![tools().join("clients/python/bin/python"), "python3".into()],
    };
    let python = |program| Interpreter { program, modules: None };
    find("Python websockets", "15", LOADS_WEBSOCKETS, programs.into_iter().map(python).collect())
}

/// A Node, and where it finds `ws`.
pub(crate) fn node() -> Tool<Interpreter> {
    let program: PathBuf = variable(NODE).unwrap_or_else(|| "node".into()).into();
    let folders = match variable(NODE_MODULES) {
        Some(named) => vec![Some(named.into())],
        None => vec![Some(tools().join("clients/node_modules")), None],
    };
    let node = |modules| Interpreter { program: program.clone(), modules };
    find("Node ws", "8", LOADS_WS, folders.into_iter().map(node).collect())
}

fn find(what: &str, version: &str, line: [&str; 2], all: Vec<Interpreter>) -> Tool<Interpreter> {
    let tried: Vec<_> = all.iter().map(Interpreter::to_string).collect();
    let found = all.into_iter().find(|one| one.runs(line));
    found.ok_or_else(|| {
        let tried = tried.join(", nor by ");
        let remedy = "tests/clients/install.sh installs it";
        format!("needs {what}, version {version} or later, which is not loaded by {tried}; {remedy}")
    })
}
