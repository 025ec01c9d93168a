//! Everything that is measured: built, or found, or told to be missing.
//!
//! What is not ours is optional: a column is left out rather than the whole benchmark.

use crate::server::Kind;
use serde_json::Value;
use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// The version that the tests of the main program use.
const WS: &str = "ws@8.23.0";
/// Brings the source of uWebSockets.
const UWEBSOCKETS_CRATE: &str = "libuwebsockets-sys";

type Failure = Box<dyn Error>;

/// Where they are.
pub struct Programs {
    own: PathBuf,
    pub fanfare: PathBuf,
    uwebsockets: Option<PathBuf>,
    /// The `package.json` beside the folder in which `ws` is.
    ws: Option<PathBuf>,
    pub has_strace: bool,
}

impl Programs {
    /// Builds or finds all of them.
    pub fn prepare() -> Result<Self, Failure> {
        let own = env::current_exe()?;
        // Beside `release`, where cargo put us.
        let folder = own.ancestors().nth(2).ok_or("this program is in no target folder")?.join("fanout");
        fs::create_dir_all(&folder)?;
        let has_strace = has("strace");
        if !has_strace {
            eprintln!("strace is missing: calls are not counted");
        }
        Ok(Self {
            fanfare: build_fanfare()?,
            uwebsockets: found("uWebSockets", build_uwebsockets(&folder)),
            ws: found("Node's ws", install_ws(&folder)),
            own,
            has_strace,
        })
    }

    /// How a server is started; `None`: it is missing.
    pub fn serve(&self, kind: Kind, port: u16) -> Option<Vec<OsString>> {
        let port = port.to_string();
        let own =
            |name: &str| vec![self.own.clone().into(), "serve".into(), name.into(), port.clone().into()];
        Some(match kind {
            Kind::Bare => own("bare"),
            Kind::Tungstenite => own("tokio-tungstenite"),
            Kind::FastWebSockets => own("fastwebsockets"),
            Kind::Fanfare => {
                vec![self.fanfare.clone().into(), "--port".into(), port.into(), "--quiet".into()]
            }
            Kind::UWebSockets => vec![self.uwebsockets.clone()?.into(), port.into()],
            Kind::Ws => vec!["node".into(), here("node.mjs").into(), port.into(), self.ws.clone()?.into()],
        })
    }
}

/// What is missing is said, once.
fn found(name: &str, path: Result<PathBuf, Failure>) -> Option<PathBuf> {
    path.inspect_err(|error| eprintln!("{name} is left out: {error}")).ok()
}

/// A source of a server that is not in Rust.
fn here(name: &str) -> PathBuf {
    Path::new(HERE).join("src/servers").join(name)
}

fn has(program: &str) -> bool {
    let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Runs a command, and gives what it said.
fn say(command: &mut Command) -> Result<String, Failure> {
    let program = command.get_program().to_owned();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(format!("{}: {}", program.display(), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The program as it is published; cargo tells where it is.
fn build_fanfare() -> Result<PathBuf, Failure> {
    eprintln!("building fanfare");
    let manifest = Path::new(HERE).join("../../Cargo.toml");
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--locked",
        "--bin",
        "fanfare",
        "--message-format=json-render-diagnostics",
    ]);
    let said = say(build.arg("--manifest-path").arg(manifest))?;
    let executable = |line| {
        let artifact: Value = serde_json::from_str(line).ok()?;
        (artifact["target"]["name"] == "fanfare")
            .then(|| artifact["executable"].as_str().map(PathBuf::from))?
    };
    said.lines().find_map(executable).ok_or_else(|| "cargo does not say where fanfare is".into())
}

/// Compiles the server and the library under it, both optimized for the processor that Rust's default is for.
fn build_uwebsockets(folder: &Path) -> Result<PathBuf, Failure> {
    let source = uwebsockets_source()?;
    let release = source.parent().and_then(Path::file_name).ok_or("no name")?;
    let objects = folder.join(release);
    let program = objects.join("broadcast");
    let server = here("uwebsockets.cpp");
    // Of a newer release there is no such folder.
    if is_newer(&program, &server) {
        return Ok(program);
    }
    eprintln!("building uWebSockets");
    fs::create_dir_all(&objects)?;
    let include = format!("-I{}", source.join("uSockets/src").display());
    let mut c = Command::new("gcc");
    c.current_dir(&objects).args(["-O3", "-DLIBUS_NO_SSL", &include, "-c"]);
    say(c
        .args(files(&source.join("uSockets/src"), "c")?)
        .arg(source.join("uSockets/src/eventing/epoll_kqueue.c")))?;
    let mut cpp = Command::new("g++");
    cpp.args(["-O3", "-std=c++20", "-DUWS_NO_ZLIB", "-DLIBUS_NO_SSL", &include]);
    cpp.arg(format!("-I{}", source.join("src").display())).arg(server).args(files(&objects, "o")?);
    say(cpp.arg("-o").arg(&program))?;
    Ok(program)
}

/// Where cargo has unpacked it.
fn uwebsockets_source() -> Result<PathBuf, Failure> {
    let mut metadata = cargo();
    metadata.args(["metadata", "--format-version", "1", "--locked", "--all-features", "--manifest-path"]);
    let metadata: Value = serde_json::from_str(&say(metadata.arg(Path::new(HERE).join("Cargo.toml")))?)?;
    let packages = metadata["packages"].as_array().ok_or("cargo names no packages")?;
    let package = packages.iter().find(|package| package["name"] == UWEBSOCKETS_CRATE);
    let manifest =
        package.and_then(|package| package["manifest_path"].as_str()).ok_or("cargo does not have it")?;
    Ok(Path::new(manifest).with_file_name("uWebSockets"))
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|has| has == extension) {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    modified(one).zip(modified(other)).is_some_and(|(one, other)| one > other)
}

fn install_ws(folder: &Path) -> Result<PathBuf, Failure> {
    if !has("node") {
        return Err("node is missing".into());
    }
    let folder = folder.join("node");
    let manifest = folder.join("package.json");
    if folder.join("node_modules/ws").is_dir() {
        return Ok(manifest);
    }
    eprintln!("installing {WS}");
    fs::create_dir_all(&folder)?;
    fs::write(&manifest, "{\"private\": true}\n")?;
    say(Command::new("npm").current_dir(&folder).args([
        "install",
        "--no-audit",
        "--no-fund",
        "--silent",
        WS,
    ]))?;
    Ok(manifest)
}
