//! Scripts of other projects that look at the pages: axe-core and acorn. Both run in the browser.
//!
//! `tests/pages/install.sh` installs them. They get into a page by its remote control, which the page's
//! Content-Security-Policy does not bind.

use crate::outside::environment::tools;
use crate::outside::trial::Tool;
use std::fs;

/// A script, by the name of its package.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Script {
    /// Looks at a page as it is shown: contrast, names, structure.
    Axe,
    /// Parses JavaScript of a given age.
    Acorn,
}

impl Script {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Axe => "axe-core",
            Self::Acorn => "acorn",
        }
    }

    /// Its source, with a value that the remote control can take.
    pub(crate) fn find(self) -> Tool<String> {
        let file = match self {
            Self::Axe => "axe-core/axe.min.js",
            Self::Acorn => "acorn/dist/acorn.js",
        };
        let path = tools().join("pages/node_modules").join(file);
        let source = fs::read_to_string(&path).map_err(|error| {
            let remedy = "tests/pages/install.sh installs it";
            format!("needs {}: {}: {error}; {remedy}", self.name(), path.display())
        })?;
        Ok(source + "\n;null")
    }
}
