//! The interpreters that run the clients, each found together with the package that makes it a client.
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

/// A program that runs scenarios.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    interpreter: PathBuf,
    /// Where Node looks for packages; `None` leaves it alone.
    modules: Option<PathBuf>,
    script: &'static str,
}

impl Client {
    /// Starts a scenario, with the server that has this port.
    #[track_caller]
    pub(crate) fn start(&self, scenario: &str, port: u16) -> Process {
        let script = here("tests/clients").join(self.script);
        let mut command = self.command();
        command.arg(script).arg(scenario).arg(format!("ws://localhost:{port}"));
        Process::start(command)
    }

    /// Whether it runs a line of its language to a good end.
    fn runs(&self, line: [&str; 2]) -> bool {
        let mut process = Process::try_start(self.command().args(line)).ok();
        let status = process.as_mut().and_then(|process| process.end(DEADLINE));
        status.is_some_and(|status| status.success())
    }

    /// It, without a script.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.envs(self.modules.as_ref().map(|folder| ("NODE_PATH", folder)));
        command
    }
}

/// As it is started.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(folder) = &self.modules {
            write!(f, "NODE_PATH={} ", folder.display())?;
        }
        self.interpreter.display().fmt(f)
    }
}

/// A Python that has `websockets`.
pub(crate) fn python() -> Tool<Client> {
    let interpreters = match variable(PYTHON) {
        Some(named) => vec![named.into()],
        None => vec![tools().join("clients/python/bin/python"), "python3".into()],
    };
    let client = |interpreter| Client { interpreter, modules: None, script: "websockets_client.py" };
    find("Python websockets", "15", LOADS_WEBSOCKETS, interpreters.into_iter().map(client).collect())
}

/// A Node, and where it finds `ws`.
pub(crate) fn node() -> Tool<Client> {
    let interpreter: PathBuf = variable(NODE).unwrap_or_else(|| "node".into()).into();
    let folders = match variable(NODE_MODULES) {
        Some(named) => vec![Some(named.into())],
        None => vec![Some(tools().join("clients/node_modules")), None],
    };
    let client = |modules| Client { interpreter: interpreter.clone(), modules, script: "ws_client.mjs" };
    find("Node ws", "8", LOADS_WS, folders.into_iter().map(client).collect())
}

fn find(what: &str, version: &str, line: [&str; 2], clients: Vec<Client>) -> Tool<Client> {
    let tried: Vec<_> = clients.iter().map(Client::to_string).collect();
    let found = clients.into_iter().find(|client| client.runs(line));
    found.ok_or_else(|| {
        let tried = tried.join(", nor by ");
        let remedy = "tests/clients/install.sh installs it";
        format!("needs {what}, version {version} or later, which is not loaded by {tried}; {remedy}")
    })
}
