//! Files with certificates: read, read again, refused.

use super::*;
use crate::program::program;
use crate::support::finish;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use std::fs;
use std::path::{Path, PathBuf};

/// A certificate and its key, in files.
struct Files {
    certificate: CertificateDer<'static>,
    chain: PathBuf,
    key: PathBuf,
}

impl Files {
    fn write(folder: &Path, name: &str) -> Self {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").der().clone();
        let files = Self {
            chain: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
            certificate,
        };
        fs::write(&files.chain, pem("CERTIFICATE", &files.certificate)).expect("it is ours");
        fs::write(&files.key, pem("PRIVATE KEY", &key.serialize_der())).expect("it is ours");
        files
    }

    fn options(&self) -> [&str; 4] {
        ["--tls-cert", text(&self.chain), "--tls-key", text(&self.key)]
    }

    /// Takes the place of another.
    fn replace(&self, other: &Self) {
        fs::copy(&self.chain, &other.chain).expect("it is ours");
        fs::copy(&self.key, &other.key).expect("it is ours");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name in UTF-8")
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let body: Vec<_> = BASE64_STANDARD.encode(der).into_bytes();
    let lines: Vec<_> = body.chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Whether a client that trusts this certificate alone gets a page.
fn is_served_with(server: &Server, files: &Files) -> bool {
    let mut stream = secure(server.address(), settings_that_trust(&files.certificate));
    let asked = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").and_then(|()| {
        let mut response = String::new();
        stream.read_to_string(&mut response).map(|_| response)
    });
    asked.is_ok_and(|response| response.starts_with("HTTP/1.1 200"))
}

#[test]
fn a_reload_takes_new_files_and_keeps_old_connections() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let [old, new] = ["old", "new"].map(|name| Files::write(folder.path(), name));
    let server = Server::start(&old.options());
    let mut client = websocket(secure(server.address(), settings_that_trust(&old.certificate)), "/echo");
    let old_certificate = Files::write(folder.path(), "copy");
    old.replace(&old_certificate);
    assert!(is_served_with(&server, &old) && !is_served_with(&server, &new));
    new.replace(&old);
    assert!(is_served_with(&server, &old), "until it is told");
    server.signal("HUP");
    server.wait_for_log("asked to reload: the certificate is that of");
    assert!(is_served_with(&server, &new) && !is_served_with(&server, &old));
    client.send("still there".into()).expect("sent");
    assert_eq!(client.read().expect("an echo"), "still there".into());

    for (broken, cause) in [
        (&b"not a certificate"[..], "there is no certificate in it, in PEM"),
        (b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n", "it is not in base64"),
    ] {
        fs::write(&old.chain, broken).expect("it is ours");
        server.signal("HUP");
        server.wait_for_log(cause);
        assert!(is_served_with(&server, &new), "{cause}");
    }
    let last = server.log().lines().filter(|line| line.contains("asked to reload")).count();
    assert_eq!(last, 3, "a line for each:\n{}", server.log());
    assert!(server.log().contains("; the certificate stays as it was"));
    client.send("even now".into()).expect("sent");
    assert_eq!(client.read().expect("an echo"), "even now".into());
}

#[test]
fn a_fingerprint_tells_self_signed_certificates_apart() {
    let server = start(&[]);
    let mut stream = secure_to(&server);
    page(&mut stream, "/");
    let certificate = &stream.conn.peer_certificates().expect("it has one")[0];
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().expect("of TLS 1.3");
    let hash = suite.common.hash_provider.hash(certificate);
    let bytes: Vec<_> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    server.wait_for_log(&bytes.join(":"));
    // It is what a client that is told to can verify.
    let trusting = settings_that_trust(&certificate.clone().into_owned());
    assert!(page(&mut secure(server.address(), trusting), "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn what_cannot_be_used_is_said_in_a_line() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let [one, other] = ["one", "other"].map(|name| Files::write(folder.path(), name));
    let (chain, key) = (text(&one.chain), text(&one.key));
    let (missing, encrypted) = (folder.path().join("missing"), folder.path().join("encrypted"));
    fs::write(&encrypted, pem("ENCRYPTED PRIVATE KEY", b"secret")).expect("it is ours");
    let [older, strange, junk] = ["older", "strange", "junk"].map(|name| folder.path().join(name));
    let headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n";
    let lines = format!("-----BEGIN EC PRIVATE KEY-----\n{headers}AAAA\n-----END EC PRIVATE KEY-----\n");
    fs::write(&older, lines).expect("it is ours");
    fs::write(&strange, pem("PRIVATE KEY", b"of a kind that nobody knows")).expect("it is ours");
    let whole = fs::read_to_string(&one.chain).expect("it is ours");
    fs::write(&junk, whole + &pem("CERTIFICATE", b"junk")).expect("it is ours");
    let rows: [(&[&str], i32, &str); 13] = [
        (&["--tls-cert", text(&missing), "--tls-key", key], 1, "missing\" for TLS: No such file"),
        (&["--tls-cert", chain, "--tls-key", text(&missing)], 1, "missing\" for TLS: No such file"),
        (&["--tls-cert", chain, "--tls-key", text(folder.path())], 1, "it is no regular file"),
        (&["--tls-cert", key, "--tls-key", key], 1, "there is no certificate in it"),
        (&["--tls-cert", chain, "--tls-key", chain], 1, "there is no private key in it"),
        (&["--tls-cert", chain, "--tls-key", text(&encrypted)], 1, "the key in it has a password"),
        (&["--tls-cert", chain, "--tls-key", text(&older)], 1, "the key in it has a password"),
        (
            &["--tls-cert", chain, "--tls-key", text(&strange)],
            1,
            "strange\" for TLS: a key is taken on P-256",
        ),
        (&["--tls-cert", text(&junk), "--tls-key", key], 1, "junk\" for TLS: certificate 2 in it is none"),
        (
            &["--tls-cert", chain, "--tls-key", text(&other.key)],
            1,
            "the key does not belong to the certificate; see --tls-cert and --tls-key",
        ),
        (&["--tls-cert", chain], 2, "--tls-cert needs --tls-key beside it"),
        (&["--tls-cert", chain, "--tls-key", key, "--tls-self-signed"], 2, "leave --tls-self-signed out"),
        (&["--listen", "tls:127.0.0.1:0"], 2, "add --tls-cert and --tls-key, or --tls-self-signed"),
    ];
    for (options, code, cause) in rows {
        let mut command = program();
        command.args(options);
        if !options.contains(&"--listen") {
            command.args(["--port", "0"]);
        }
        let finished = finish(command);
        assert_eq!(finished.code, Some(code), "{options:?}: {}", finished.errors);
        assert!(finished.errors.contains(cause), "{options:?}: {}", finished.errors);
        assert_eq!(finished.errors.lines().count(), 1, "{}", finished.errors);
    }
}
