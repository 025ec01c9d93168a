//! TLS as OpenSSL and curl see it: versions, suites, keys of every form, a reload, renegotiation, the end.
//!
//! Each trial has a server and a folder of its own. Without the programs the trials show as ignored, and with
//! `FANFARE_REQUIRE_ALL=1` as failed; `FANFARE_OPENSSL` and `FANFARE_CURL` name others.

mod outside;

use libtest_mimic::{Arguments, Trial};
use outside::environment::variable;
use outside::process::{DEADLINE, signal};
use outside::program::comes_true;
use outside::server::Server;
use outside::trial::{Tool, trial};
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

/// What a trial is given: the programs, and a folder for its files.
type Run = fn(&Tools, &Path);

const TRIALS: [(&str, Run); 8] = [
    ("both_versions_and_no_older_one", versions),
    ("no_weak_suite_is_taken", suites),
    ("curl_trusts_whom_it_is_told_to", curl),
    ("keys_of_every_form", keys),
    ("a_reload_changes_the_certificate", reload),
    ("renegotiation_is_refused", renegotiation),
    ("tickets_bring_somebody_back", tickets),
    ("the_end_is_said", close_notify),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tools = Tools::find();
    let trials: Vec<Trial> = TRIALS
        .into_iter()
        .map(|(name, run)| {
            trial(name, "openssl and curl", tools.clone(), move |tools| {
                let folder = tempfile::tempdir()?;
                run(&tools, folder.path());
                Ok(())
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

#[derive(Clone, Debug)]
struct Tools {
    openssl: OsString,
    curl: OsString,
}

/// What a program came to.
struct Said {
    succeeded: bool,
    /// Standard output and standard error.
    text: String,
}

impl Tools {
    fn find() -> Tool<Self> {
        let named = |name: &str, default: &str| variable(name).unwrap_or_else(|| default.into());
        let tools =
            Self { openssl: named("FANFARE_OPENSSL", "openssl"), curl: named("FANFARE_CURL", "curl") };
        for (program, asks) in [(&tools.openssl, "version"), (&tools.curl, "--version")] {
            let runs = Command::new(program).arg(asks).stdout(Stdio::null()).stderr(Stdio::null()).status();
            if !runs.is_ok_and(|status| status.success()) {
                return Err(format!("{} does not run", program.to_string_lossy()));
            }
        }
        Ok(tools)
    }

    #[track_caller]
    fn openssl(&self, arguments: &[&str], input: &str) -> Said {
        say(Command::new(&self.openssl).args(arguments), input)
    }

    /// What it makes of a connection on which nothing is said.
    #[track_caller]
    fn shake_hands(&self, server: &Server, arguments: &[&str]) -> Said {
        let place = format!("localhost:{}", server.port());
        self.openssl(&[&["s_client", "-connect", &place], arguments].concat(), "")
    }

    #[track_caller]
    fn curl(&self, arguments: &[&str]) -> Said {
        let limit = DEADLINE.as_secs().to_string();
        let mut command = Command::new(&self.curl);
        command.args(["--disable", "--silent", "--show-error", "--noproxy", "*", "--max-time", &limit]);
        say(command.args(arguments), "")
    }

    /// A key of some kind with its certificate, in a folder.
    #[track_caller]
    fn make(&self, folder: &Path, name: &str, kind: &[&str]) -> [String; 2] {
        let [chain, key] = ["pem", "key"].map(|end| path(&folder.join(format!("{name}.{end}"))));
        let fixed = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-batch"];
        let names = ["-addext", "subjectAltName=DNS:localhost", "-out", &chain, "-keyout", &key];
        let made = self.openssl(&[&fixed[..], &names, kind].concat(), "");
        assert!(made.succeeded, "{}", made.text);
        [chain, key]
    }
}

fn path(path: &Path) -> String {
    path.to_str().expect("a name in UTF-8").to_owned()
}

#[track_caller]
fn say(command: &mut Command, input: &str) -> Said {
    let mut child = start(command);
    let mut pipe = child.stdin.take().expect("it is piped");
    let _ = pipe.write_all(input.as_bytes()); // it may have ended
    drop(pipe);
    let output = child.wait_with_output().expect("it is our child");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Said { succeeded: output.status.success(), text: text.concat() }
}

#[track_caller]
fn start(command: &mut Command) -> Child {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    piped.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

const P256: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
const RSA: [&str; 2] = ["-newkey", "rsa:2048"];

#[track_caller]
fn serve([chain, key]: &[String; 2]) -> Server {
    Server::start(&["--tls-cert", chain, "--tls-key", key])
}

fn versions(tools: &Tools, _: &Path) {
    let server = Server::start(&["--tls-self-signed"]);
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let said = tools.shake_hands(&server, &[version, "-alpn", "h2,http/1.1"]);
        for want in [&format!("New, {name}, Cipher is"), "ALPN protocol: http/1.1", "Compression: NONE"] {
            // TLS 1.3 has no compression to speak of, and not every version of OpenSSL says so.
            let is_said = said.text.contains(want) || (want.starts_with("Comp") && name == "TLSv1.3");
            assert!(said.succeeded && is_said, "{name}: {want}\n{}", said.text);
        }
    }
    for version in ["-ssl3", "-tls1", "-tls1_1"] {
        let said = tools.shake_hands(&server, &[version, "-cipher", "ALL:@SECLEVEL=0"]);
        assert!(!said.succeeded && !said.text.contains("Cipher is TLS_"), "{version}: {}", said.text);
    }
    // Whoever asks for another protocol alone would only wait for it.
    let said = tools.shake_hands(&server, &["-alpn", "h2"]);
    assert!(!said.succeeded && said.text.contains("no application protocol"), "{}", said.text);
}

/// Every suite that OpenSSL knows, one by one, with certificates for both kinds of signature.
fn suites(tools: &Tools, folder: &Path) {
    let list = tools.openssl(&["ciphers", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], "");
    assert!(list.succeeded, "{}", list.text);
    let suites: Vec<_> = list.text.trim().split(':').filter(|suite| !suite.starts_with("TLS_")).collect();
    assert!(suites.len() > 50, "{suites:?}");
    let mut taken = Vec::new();
    for (kind, arguments) in [("ECDSA", &P256[..]), ("RSA", &RSA)] {
        let server = serve(&tools.make(folder, kind, arguments));
        for suite in &suites {
            let cipher = format!("{suite}:@SECLEVEL=0");
            let said = tools.shake_hands(&server, &["-tls1_2", "-cipher", &cipher]);
            if said.text.contains(&format!("Cipher is {suite}\n")) {
                taken.push(*suite);
            }
        }
    }
    let server = Server::start(&["--tls-self-signed"]);
    for (suite, is_taken) in [
        ("TLS_AES_128_GCM_SHA256", true),
        ("TLS_AES_256_GCM_SHA384", true),
        ("TLS_CHACHA20_POLY1305_SHA256", true),
        ("TLS_AES_128_CCM_SHA256", false),
        ("TLS_AES_128_CCM_8_SHA256", false),
    ] {
        let said = tools.shake_hands(&server, &["-tls1_3", "-ciphersuites", suite]);
        assert_eq!(said.text.contains(&format!("Cipher is {suite}\n")), is_taken, "{suite}: {}", said.text);
    }
    taken.sort_unstable();
    let want = [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ];
    assert_eq!(taken, want, "fresh keys for everybody, and a cipher that authenticates");
}

fn curl(tools: &Tools, folder: &Path) {
    // One that may sign others: what `openssl req` makes is trusted by being put into a list.
    let files = tools.make(folder, "own", &P256);
    let server = serve(&files);
    let url = server.url("websocket.html");
    assert!(url.starts_with("https://"));
    let stranger = tools.curl(&[&url]);
    assert!(!stranger.succeeded && stranger.text.contains("certificate"), "{}", stranger.text);
    for options in [&["--insecure"][..], &["--cacert", &files[0]], &["--insecure", "--tls-max", "1.2"]] {
        let said = tools.curl(&[options, &[&url]].concat());
        assert!(said.succeeded && said.text.ends_with("</html>\n"), "{options:?}: {}", said.text);
    }
    let plain = tools.curl(&[&url.replace("https:", "http:")]);
    assert!(plain.succeeded && plain.text.contains("this port speaks TLS"), "{}", plain.text);
    // And a whole file of some size, at a pace that fills sockets.
    let large: Vec<u8> = (0..3_000_000_u32).map(|at| (at * 31 + at / 999) as u8).collect();
    fs::create_dir(folder.join("www")).expect("it is ours");
    fs::write(folder.join("www/large.bin"), &large).expect("it is ours");
    let www = path(&folder.join("www"));
    let server = Server::start(&["--tls-self-signed", "--www", &www]);
    let copy = path(&folder.join("copy"));
    let said =
        tools.curl(&["--insecure", "--limit-rate", "10M", "--output", &copy, &server.url("large.bin")]);
    assert!(said.succeeded && fs::read(&copy).expect("it is ours") == large, "{}", said.text);
}

/// PKCS#8, SEC1 and PKCS#1, of every kind that browsers take.
fn keys(tools: &Tools, folder: &Path) {
    let p384 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"];
    let rows: [(&str, &[&str], &[&str], &str); 6] = [
        ("p256", &P256, &[], "BEGIN PRIVATE KEY"),
        ("p384", &p384, &[], "BEGIN PRIVATE KEY"),
        ("ed25519", &["-newkey", "ed25519"], &[], "BEGIN PRIVATE KEY"),
        ("rsa", &RSA, &[], "BEGIN PRIVATE KEY"),
        ("sec1", &P256, &["ec"], "BEGIN EC PRIVATE KEY"),
        ("pkcs1", &RSA, &["rsa", "-traditional"], "BEGIN RSA PRIVATE KEY"),
    ];
    for (name, kind, convert, label) in rows {
        let [chain, key] = tools.make(folder, name, kind);
        if !convert.is_empty() {
            let fresh = path(&folder.join("converted"));
            let converted = tools.openssl(&[convert, &["-in", &key, "-out", &fresh]].concat(), "");
            assert!(converted.succeeded, "{name}: {}", converted.text);
            fs::rename(fresh, &key).expect("it is ours");
        }
        assert!(fs::read_to_string(&key).expect("it is ours").contains(label), "{name}");
        let server = serve(&[chain.clone(), key]);
        let said = tools.curl(&["--cacert", &chain, &server.url("")]);
        assert!(said.succeeded && said.text.ends_with("</html>\n"), "{name}: {}", said.text);
    }
}

/// The fingerprint of what a server shows, as OpenSSL says it.
#[track_caller]
fn fingerprint(tools: &Tools, server: &Server) -> String {
    let shown = tools.shake_hands(server, &[]);
    let said = tools.openssl(&["x509", "-noout", "-fingerprint", "-sha256"], &shown.text);
    said.text
        .trim()
        .rsplit_once('=')
        .map(|(_, hash)| hash.to_owned())
        .unwrap_or_else(|| panic!("{}", said.text))
}

fn reload(tools: &Tools, folder: &Path) {
    let [old, new] = ["old", "new"].map(|name| tools.make(folder, name, &P256));
    let server = serve(&old);
    let before = fingerprint(tools, &server);
    assert!(server.log().contains(&before), "{before}");
    for (from, to) in new.iter().zip(&old) {
        fs::copy(from, to).expect("they are ours");
    }
    assert_eq!(fingerprint(tools, &server), before, "until it is told");
    signal(server.pid(), "HUP");
    assert!(comes_true(DEADLINE, || fingerprint(tools, &server) != before), "{}", server.log());
    let after = fingerprint(tools, &server);
    assert!(server.log().contains(&after), "{after}");
    fs::write(PathBuf::from(&old[1]), "no key").expect("it is ours");
    signal(server.pid(), "HUP");
    assert!(comes_true(DEADLINE, || server.log().contains("stays as it was")), "{}", server.log());
    assert_eq!(fingerprint(tools, &server), after);
}

/// `R` on a line of its own asks for new keys in the old way (TLS 1.2).
fn renegotiation(tools: &Tools, _: &Path) {
    let server = Server::start(&["--tls-self-signed"]);
    let place = format!("localhost:{}", server.port());
    let mut command = Command::new(&tools.openssl);
    command.args(["s_client", "-connect", &place, "-tls1_2"]);
    let mut child = start(&mut command);
    let mut input = child.stdin.take().expect("it is piped");
    let mut output = child.stdout.take().expect("it is piped");
    let mut heard = String::new();
    let mut piece = [0; 4096];
    while !heard.contains("Verify return code") {
        let read = output.read(&mut piece).expect("it speaks");
        assert!(read > 0, "{heard}");
        heard += &String::from_utf8_lossy(&piece[..read]);
    }
    input.write_all(b"R\n").expect("it listens");
    drop(output);
    let ended = comes_true(DEADLINE, || child.try_wait().expect("it is our child").is_some());
    if !ended {
        let _ = child.kill();
    }
    let mut errors = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut errors).expect("text");
    let _ = child.wait();
    assert!(ended && errors.contains("no renegotiation"), "it is told so, and gives up: {errors}");
    let said = tools.curl(&["--insecure", &server.url("")]);
    assert!(said.succeeded, "{}", said.text);
}

fn tickets(tools: &Tools, folder: &Path) {
    let server = Server::start(&["--tls-self-signed"]);
    let session = path(&folder.join("session"));
    for version in ["-tls1_2", "-tls1_3"] {
        // In TLS 1.3 tickets come behind the handshake: a request is answered behind them.
        let place = format!("localhost:{}", server.port());
        let request = "GET / HTTP/1.0\r\n\r\n";
        let arguments = ["s_client", "-connect", &place, version, "-ign_eof"];
        let first = tools.openssl(&[&arguments[..], &["-sess_out", &session]].concat(), request);
        assert!(first.text.contains("\nNew, ") && first.text.contains("HTTP/1.1 200"), "{}", first.text);
        let again = tools.openssl(&[&arguments[..], &["-sess_in", &session]].concat(), request);
        assert!(again.text.contains("\nReused, ") && again.text.contains("HTTP/1.1 200"), "{}", again.text);
    }
}

/// Without `close_notify` OpenSSL 3 says "unexpected eof".
fn close_notify(tools: &Tools, _: &Path) {
    let server = Server::start(&["--tls-self-signed"]);
    for version in ["-tls1_2", "-tls1_3"] {
        let place = format!("localhost:{}", server.port());
        let arguments = ["s_client", "-connect", &place, version, "-ign_eof", "-msg"];
        let said = tools.openssl(&arguments, "GET / HTTP/1.0\r\n\r\n");
        let is_told = said.text.contains("warning, close notify") || said.text.contains("close_notify");
        assert!(is_told && said.text.contains("</html>"), "{version}: {}", said.text);
        assert!(!said.text.contains("unexpected eof"), "{version}: {}", said.text);
    }
}
