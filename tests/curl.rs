//! curl as a client of the pages: what it is told by headers it acts on, and says when they do not fit what follows.
//!
//! Each trial has a server and a folder of its own. Without curl the trials show as ignored, and with
//! `FANFARE_REQUIRE_ALL=1` as failed; `FANFARE_CURL` names another one.

mod outside;

use libtest_mimic::{Arguments, Trial};
use outside::environment::{here, variable};
use outside::process::{DEADLINE, Process};
use outside::program::comes_true;
use outside::server::Server;
use outside::trial::{Tool, trial};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use tungstenite::{Message, WebSocket};

/// What a trial is given: curl, and a folder for what it brings.
type Run = fn(&Curl, &Path);

const TRIALS: [(&str, Run); 6] = [
    ("ranges_are_what_was_asked_for", ranges),
    ("compressed_pages_are_the_pages", compressed),
    ("what_is_known_is_not_sent_again", conditions),
    ("a_redirect_leads_to_the_folder", redirect),
    ("what_curl_makes_of_a_path_stays_inside", paths),
    ("a_download_goes_on_while_500_clients_get_broadcasts", resume),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let curl = Curl::find();
    let trials: Vec<Trial> = TRIALS
        .into_iter()
        .map(|(name, run)| {
            trial(name, "curl", curl.clone(), move |curl| {
                let folder = tempfile::tempdir()?;
                run(&curl, folder.path());
                Ok(())
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

#[derive(Clone, Debug)]
struct Curl(OsString);

impl Curl {
    fn find() -> Tool<Self> {
        let curl = Self(variable("FANFARE_CURL").unwrap_or_else(|| "curl".into()));
        let runs =
            Command::new(&curl.0).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        match runs {
            Ok(status) if status.success() => Ok(curl),
            Ok(_) | Err(_) => Err(format!("{} does not run", curl.0.to_string_lossy())),
        }
    }

    /// Past the deadline it gives up by itself. Proxies of the environment are no business of these trials.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        let limit = (3 * DEADLINE).as_secs().to_string();
        command.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", &limit]);
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// What it writes to standard output.
    #[track_caller]
    fn output(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(arguments).output().expect("curl runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}, {said}", output.status);
        output.stdout
    }

    /// What `--write-out` makes of its answer, which is dropped.
    #[track_caller]
    fn tells(&self, variables: &str, arguments: &[&str]) -> String {
        let sink = if cfg!(windows) { "NUL" } else { "/dev/null" };
        let all = [&["--output", sink, "--write-out", variables], arguments].concat();
        String::from_utf8(self.output(&all)).expect("text")
    }
}

fn serve(folder: &Path) -> Server {
    Server::start(&["--www", folder.to_str().expect("a name in UTF-8")])
}

/// A folder inside the trial's own, with these files.
fn pages(folder: &Path, files: &[(&str, &[u8])]) -> Server {
    fs::create_dir(folder.join("www")).expect("a folder can be made");
    for (name, content) in files {
        let file = folder.join("www").join(name);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(file, content).expect("a file can be written");
    }
    serve(&folder.join("www"))
}

fn ranges(curl: &Curl, folder: &Path) {
    let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let server = pages(folder, &[("a.bin", &content)]);
    let url = server.url("a.bin");
    for (range, want) in [
        ("0-0", &content[..1]),
        ("10-99", &content[10..100]),
        ("299000-", &content[299_000..]),
        ("-1000", &content[299_000..]),
        ("65535-200000", &content[65_535..=200_000]),
        // Several at once: the whole.
        ("0-1,5-6", &content[..]),
    ] {
        assert!(curl.output(&["--range", range, &url]) == want, "{range}");
    }
    assert_eq!(curl.tells("%{http_code} %{size_download}", &["--range", "10-99", &url]), "206 90");
    assert_eq!(curl.tells("%{http_code}", &["--range", "300000-", &url]), "416");
    assert_eq!(curl.tells("%{http_code}", &["--range", "0-9", "--head", &url]), "200");
}

fn compressed(curl: &Curl, _: &Path) {
    let server = Server::start(&[]);
    for name in ["index.html", "websocket.html", "style.css", "socket.js"] {
        let want = fs::read(here("www").join(name)).expect("a page of ours");
        let url = server.url(name);
        assert!(curl.output(&["--compressed", &url]) == want, "{name}");
        assert!(curl.output(&[&url]) == want, "{name} as it is");
        let size = curl.tells("%{size_download}", &["--header", "Accept-Encoding: gzip", &url]);
        assert!(size.parse().is_ok_and(|size: usize| size < want.len()), "{name}: {size} bytes came");
    }
}

fn conditions(curl: &Curl, folder: &Path) {
    let server = pages(folder, &[("a.txt", b"content")]);
    let url = server.url("a.txt");
    let (copy, tag) = (folder.join("copy"), folder.join("tag"));
    let [copy, tag] = [&copy, &tag].map(|path| path.to_str().expect("a name in UTF-8"));
    curl.output(&["--remote-time", "--etag-save", tag, "--output", copy, &url]);
    // Changed since the copy was: no. By its tag: it is the same.
    assert_eq!(curl.tells("%{http_code} %{size_download}", &["--time-cond", copy, &url]), "304 0");
    assert_eq!(curl.tells("%{http_code}", &["--etag-compare", tag, &url]), "304");
    assert_eq!(curl.tells("%{http_code}", &["--time-cond", "1 Jan 1990", &url]), "200");
    // Changed before that: no.
    assert_eq!(curl.tells("%{http_code}", &["--time-cond", "-1 Jan 1990", &url]), "412");
    fs::write(folder.join("www/a.txt"), b"changed").expect("it is ours");
    assert_eq!(curl.tells("%{http_code}", &["--etag-compare", tag, &url]), "200");
}

fn redirect(curl: &Curl, folder: &Path) {
    let server = pages(folder, &[("sub/index.html", b"the folder"), ("evil.example/index.html", b"here")]);
    assert_eq!(curl.output(&["--location", &server.url("sub?x=1")]), b"the folder");
    let told = curl.tells("%{url_effective}", &["--location", &server.url("sub?x=1")]);
    assert_eq!(told, server.url("sub/?x=1"));
    assert_eq!(curl.output(&["--location", &server.url("/evil.example")]), b"here", "it is no other host");
}

fn paths(curl: &Curl, folder: &Path) {
    fs::write(folder.join("secret"), "secret").expect("a file can be written");
    let server = pages(folder, &[("sub/a.txt", b"content"), (".hidden", b"secret")]);
    for path in ["../secret", "sub/../../secret", "%2e%2e/secret", "..%2fsecret", ".hidden", "sub/../.hidden"]
    {
        let arguments = ["--path-as-is", "--globoff", &server.url(path)];
        assert_eq!(curl.tells("%{http_code}", &arguments), "404", "{path}");
        assert!(!String::from_utf8_lossy(&curl.output(&arguments)).contains("secret"), "{path}");
    }
    assert_eq!(curl.output(&[&server.url("sub/../sub/./a.txt")]), b"content", "curl cleans it itself");
}

const DOWNLOAD_BYTES: usize = 200 << 20;
const CLIENTS: usize = 500;
const MESSAGES: usize = 40;

/// Begun, broken off and gone on with, at a pace that lets broadcasts come between its pieces.
fn resume(curl: &Curl, folder: &Path) {
    let server = pages(folder, &[]);
    write_download(&folder.join("www/large.bin"));
    let (url, copy) = (server.url("large.bin"), folder.join("copy"));
    let name = copy.to_str().expect("a name in UTF-8");
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| connect(server.port())).collect();
    let mut sender = connect(server.port());
    let mut sent = 0;
    let mut publish = |times: usize| {
        for _ in 0..times {
            sender.send(Message::text(sent.to_string())).expect("it takes a message");
            sent += 1;
        }
    };

    let pace = ["--limit-rate", "100M"];
    let begun = Process::start(curl.command(&[&pace[..], &["--output", name, &url]].concat()));
    let length = || fs::metadata(&copy).map_or(0, |copy| copy.len() as usize);
    let is_under_way = comes_true(DEADLINE, || {
        publish(1);
        length() > DOWNLOAD_BYTES / 10
    });
    drop(begun); // it is killed
    let before = length();
    assert!(is_under_way && before < DOWNLOAD_BYTES, "{before} bytes came of the first part");

    let mut rest =
        Process::start(curl.command(&[&pace[..], &["--continue-at", "-", "--output", name, &url]].concat()));
    let is_whole = comes_true(3 * DEADLINE, || {
        publish(1);
        rest.has_ended()
    });
    assert!(is_whole && rest.end(DEADLINE).is_some_and(|status| status.success()), "{}", rest.errors());
    assert!(
        fs::read(&copy).expect("it is ours") == fs::read(folder.join("www/large.bin")).expect("it is ours")
    );

    publish(MESSAGES);
    for client in &mut clients {
        for number in 0..sent {
            let message = client.read().expect("every message comes");
            assert_eq!(message, Message::text(number.to_string()), "in order");
        }
    }
}

/// No piece of it is like another.
fn write_download(path: &Path) {
    let mut file = File::create(path).expect("a file can be made");
    for block in 0..DOWNLOAD_BYTES / 4096 {
        let numbers: Vec<u8> =
            (0..1024_u32).flat_map(|at| (block as u32 * 1024 + at).to_le_bytes()).collect();
        file.write_all(&numbers).expect("it takes them");
    }
}

fn connect(port: u16) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it accepts");
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket takes one");
    let (client, _) = tungstenite::client(format!("ws://localhost:{port}/"), stream).expect("a handshake");
    client
}
