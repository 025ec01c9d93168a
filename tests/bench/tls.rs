//! `wss://`: every scenario, and servers whose TLS is not as it should be, each failure by its name.

use crate::certificates::{Authority, Flaw, Identity};
use crate::outside::program::comes_true;
use crate::peer::{Corruption, Fault, Peer, Role, tls};
use crate::run::{DEADLINE, Outcome, Report, Running, at_once, bench, bench_command};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A peer with the right certificate, and the option that trusts it.
#[track_caller]
fn peer(role: Role, fault: Fault) -> (Peer, String, Authority) {
    let authority = Authority::new();
    let peer = Peer::start_with_tls(role, fault, both(authority.identity(Flaw::None)));
    (peer, authority.option(), authority)
}

#[track_caller]
fn both(identity: Identity) -> Arc<ServerConfig> {
    tls::config(identity, &[&TLS13, &TLS12])
}

fn url(peer: &Peer) -> String {
    format!("wss://localhost:{}/", peer.address().port())
}

/// All of 5 connections fail for one cause, and a note says these words.
#[track_caller]
fn assert_all_fail(url: &str, options: &str, cause: &str, words: &str) -> Outcome {
    let outcome = bench(url, &format!("-c 5 -r 100 -d 300ms {options}"));
    let report = outcome.report(1);
    report.assert_causes(&[(cause, 5)]);
    report.assert_counts(&[("connections.opened", 0), ("connections.failed", 5), ("bytes.received", 0)]);
    report.assert_note(words);
    outcome
}

/// A port that does with each connection what it is told, in a thread for each, as long as the process lives.
#[track_caller]
fn port(each: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let each = each.clone();
            thread::spawn(move || each(stream));
        }
    });
    port
}

/// Reads until its client is gone.
fn wait_for_the_end(mut stream: impl Read) {
    while stream.read(&mut [0; 1024]).is_ok_and(|bytes| bytes > 0) {}
}

#[test]
fn every_scenario() {
    let (broadcast, trust, _authority) = peer(Role::Broadcast, Fault::None);
    for options in [
        "--scenario broadcast -c 20 -s 3 -r 300",
        "--scenario broadcast -c 20 -s 3 -w 4",
        "-c 10 -r 100 -m 100k",
        "-c 5 -w 2 --binary -m 1k",
        "-c 3 -r 10 --match contains",
    ] {
        let report = bench(&url(&broadcast), &format!("{options} -d 500ms {trust}")).report(0);
        let connections = report.count("connections.opened");
        report.assert_clean(connections, connections, 64);
    }
    let options = format!("--scenario slow --slow 3 -c 5 -r 100 -m 4k -d 500ms {trust}");
    bench(&url(&broadcast), &options).report(0).assert_clean(8, 5, 4096);
    for scenario in ["connect", "idle"] {
        let options = format!("--scenario {scenario} -c 10 -d 500ms {trust}");
        let report = bench(&url(&broadcast), &options).report(0);
        report.assert_causes(&[]);
        assert!(report.count("connections.opened") >= 10, "{report}");
    }
    assert_eq!(broadcast.seen().violations(), Vec::<String>::new());
    let (echo, trust, _authority) = peer(Role::Echo, Fault::None);
    for pace in ["-r 300", "-w 8"] {
        let options = format!("--scenario echo -c 10 -s 10 -d 500ms {pace} {trust}");
        bench(&url(&echo), &options).report(0).assert_clean(10, 1, 64);
    }
}

/// Bytes are those of the WebSocket, as they are without TLS.
#[test]
fn bytes_are_those_within() {
    let (secure, trust, _authority) = peer(Role::Broadcast, Fault::None);
    let plain = Peer::start(Role::Broadcast, Fault::None);
    let options = "-c 3 -r 50 -d 400ms -H X-Filler:a";
    let [secure, plain] = [(url(&secure), trust), (plain.url("/"), String::new())]
        .map(|(url, trust)| bench(&url, &format!("{options} {trust}")).report(0));
    let each = |report: &Report| (report.count("bytes.received"), report.count("messages.sent"));
    assert_eq!(each(&secure), each(&plain));
    // Their hosts differ, `localhost` and `127.0.0.1`, in each of three requests.
    assert_eq!(secure.count("bytes.sent"), plain.count("bytes.sent"));
}

#[test]
fn until_p95_and_the_servers_process() {
    let (peer, trust, _authority) = peer(
        Role::Broadcast,
        Fault::SlowBeyond { connections: 8, for_: std::time::Duration::from_millis(150) },
    );
    let options =
        format!("-c 5 --step 5 -r 20 -d 500ms --until-p95 100 --pid {} {trust}", std::process::id());
    let report = bench(&url(&peer), &options).report(0);
    assert_eq!(report.count("search.held"), 5, "{report}");
    assert!(cfg!(not(target_os = "linux")) || report.count("server.rss_bytes") > 0, "{report}");
}

/// What is found without TLS is found with it.
#[test]
fn faults_above_tls() {
    let rows: [(Fault, &str, &str); 9] = [
        (Fault::DropEvery(10), "deliveries.lost", ""),
        (Fault::CorruptEvery(10, Corruption::Filler), "deliveries.corrupt", ""),
        (Fault::MaskedFrames, "connections.lost", "protocol error"),
        (Fault::CloseOneIn(1, 1013), "connections.lost", "closed 1013"),
        (Fault::ResetOneIn(1), "connections.lost", "reset"),
        // With a close_notify before the end.
        (Fault::HangUpOneIn(1), "connections.lost", "closed 1006"),
        (Fault::RefuseBeyond(0, 503), "connections.failed", "HTTP 503"),
        (Fault::NeverAnswer, "connections.failed", "timed out"),
        (Fault::WrongAccept, "connections.failed", "bad handshake"),
    ];
    at_once(&rows, |&(fault, count, cause)| {
        let (peer, trust, _authority) = peer(Role::Broadcast, fault);
        let options = format!("-c 5 -r 200 -d 500ms --timeout 500ms {trust}");
        let report = bench(&url(&peer), &options).report(1);
        if cause.is_empty() {
            report.assert_causes(&[]);
            let seen = peer.seen();
            assert_eq!(report.count(count), seen.dropped.get() + seen.corrupted.get(), "{fault:?}: {report}");
        } else {
            report.assert_causes(&[(cause, 5)]);
            report.assert_counts(&[(count, 5)]);
        }
    });
    at_once(&[Fault::Fragmented, Fault::OneByteWrites, Fault::PingFlood], |&fault| {
        let (peer, trust, _authority) = peer(Role::Broadcast, fault);
        let report = bench(&url(&peer), &format!("-c 3 -r 20 -d 500ms {trust}")).report(0);
        report.assert_clean(3, 3, 64);
    });
}

#[test]
fn certificates_that_are_not_trusted() {
    let name = "certificate not trusted";
    let rows = [
        (Flaw::OtherName, "it is for other names than that in the URL; connect by one of them"),
        (Flaw::Expired, "it has expired; renew it"),
        (Flaw::NotYetValid, "it is not valid yet; set the clocks right"),
        (Flaw::OfCa, "it is that of a CA, as `openssl req -x509` makes it"),
        (Flaw::ForClients, "it is for other things than servers"),
    ];
    at_once(&rows, |&(flaw, words)| {
        let authority = Authority::new();
        let peer = Peer::start_with_tls(Role::Broadcast, Fault::None, both(authority.identity(flaw)));
        let by_address = format!("wss://{}/", peer.address());
        for url in [&*url(&peer), &*by_address] {
            let outcome = assert_all_fail(url, &authority.option(), name, words);
            assert!(outcome.output.contains("or accept any with --insecure"), "{outcome}");
            bench(url, "-c 3 -r 50 -d 300ms --insecure").report(0).assert_clean(3, 3, 64);
        }
    });
    // The authority of another.
    let (peer, _, _authority) = peer(Role::Broadcast, Fault::None);
    let words =
        "nobody who is trusted has signed it; name its CA with --ca FILE, or accept any with --insecure";
    assert_all_fail(&url(&peer), &Authority::new().option(), name, words);
}

/// A certificate that has signed itself, in the file of `--ca` itself.
#[test]
fn the_certificate_of_a_ca_as_a_servers() {
    let authority = Authority::new();
    let identity = authority.identity(Flaw::OfCa);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let [file, _] = identity.write(folder.path());
    let peer = Peer::start_with_tls(Role::Broadcast, Fault::None, both(identity));
    let options = format!("--ca {}", file.display());
    assert_all_fail(&url(&peer), &options, "certificate not trusted", "sign another with it for the server");
}

#[test]
fn an_address_instead_of_a_name() {
    let (peer, trust, _authority) = peer(Role::Broadcast, Fault::None);
    let by_address = format!("wss://{}/", peer.address());
    bench(&by_address, &format!("-c 3 -r 50 -d 300ms {trust}")).report(0).assert_clean(3, 3, 64);
}

/// What the system trusts can be told to the library that looks for it.
#[cfg(target_os = "linux")]
#[test]
fn what_the_system_trusts() {
    let (peer, _, authority) = peer(Role::Broadcast, Fault::None);
    let options = "-c 3 -r 50 -d 300ms";
    let run = |file: &std::path::Path| {
        let mut command = bench_command(&url(&peer), options);
        command.env("SSL_CERT_FILE", file).env_remove("SSL_CERT_DIR");
        Running::start(command).finish()
    };
    run(&authority.file()).report(0).assert_clean(3, 3, 64);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let remedies = "name a CA with --ca FILE, or accept any certificate with --insecure";
    let no_trust = "the system has no certificates to check the server's by";
    run(&folder.path().join("missing")).assert_gives_up(1, &[no_trust, remedies]);
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").expect("it can be written");
    run(&empty).assert_gives_up(1, &[no_trust, remedies]);
}

#[test]
fn files_that_are_no_certificates() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let pem = |text: &str| format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    let long = "a".repeat(5 << 20);
    let rows = [
        ("empty", String::new(), "has no certificate in it"),
        (
            "other",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".into(),
            "has no certificate",
        ),
        ("not base64", pem("\u{1b}[31m"), "number 1, that cannot be read"),
        ("not a certificate", pem("AAAA"), "number 1, that cannot be read"),
        ("without an end", "-----BEGIN CERTIFICATE-----\nAAAA\n".into(), "number 1, that cannot be read"),
        ("long", long, "more than 4194304 bytes"),
    ];
    let run = |path: &std::path::Path| {
        let mut command = bench_command("wss://localhost:9/", "-c 1 -d 100ms --ca");
        command.arg(path);
        Running::start(command).finish()
    };
    for (name, text, words) in rows {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        run(&path).assert_gives_up(1, &[name, words, "give certificates in PEM with --ca"]);
    }
    run(&folder.path().join("missing")).assert_gives_up(1, &["cannot read", "missing", "with --ca"]);
    run(folder.path()).assert_gives_up(1, &["cannot read", "with --ca"]);
}

/// Either version alone, and the server's choice of a protocol (ALPN).
#[test]
fn versions() {
    for versions in [&[&TLS12][..], &[&TLS13]] {
        let authority = Authority::new();
        let config = tls::config(authority.identity(Flaw::None), versions);
        let peer = Peer::start_with_tls(Role::Broadcast, Fault::None, config);
        let options = format!("-c 5 -r 100 -d 300ms {}", authority.option());
        bench(&url(&peer), &options).report(0).assert_clean(5, 5, 64);
        bench(&url(&peer), "-c 2 -r 100 -d 300ms --insecure").report(0).assert_clean(2, 2, 64);
    }
}

/// Servers that say an alert: RFC 8446 §6 has its numbers.
#[test]
fn alerts() {
    let authority = Authority::new();
    let mut config = ServerConfig::clone(&both(authority.identity(Flaw::None)));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let peer = Peer::start_with_tls(Role::Broadcast, Fault::None, Arc::new(config));
    assert_all_fail(&url(&peer), &authority.option(), "TLS alert 120", "the server does not speak HTTP/1.1");
    for (alert, words) in [(40, "handshake failure"), (70, "neither TLS 1.2 nor 1.3"), (255, "see RFC 8446")]
    {
        let port = port(move |mut stream| {
            let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, alert]);
            wait_for_the_end(stream);
        });
        let url = format!("wss://localhost:{port}/");
        assert_all_fail(&url, "--insecure", &format!("TLS alert {alert}"), words);
    }
}

#[test]
fn ports_that_speak_something_else() {
    let rows: [&'static [u8]; 4] = [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        &[0xff; 3000],
        // A record of a version that never was.
        b"\x16\x09\x09\x00\x04aaaa",
    ];
    at_once(&rows, |&answer| {
        let port = port(move |mut stream| {
            let _ = stream.write_all(answer);
            wait_for_the_end(stream);
        });
        let url = format!("wss://localhost:{port}/");
        assert_all_fail(
            &url,
            "--insecure",
            "no TLS",
            "what answers on this port speaks something else; try ws://",
        );
    });
    // The server of these tests waits for the end of a head that never comes.
    let peer = Peer::start(Role::Broadcast, Fault::None);
    let words = "did not end its handshake in time; does this port speak TLS?";
    assert_all_fail(&url(&peer), "--insecure --timeout 500ms", "TLS timed out", words);
}

/// The other way round: `ws://` where TLS is spoken.
#[test]
fn without_tls_to_a_port_that_speaks_it() {
    let (peer, _, _authority) = peer(Role::Broadcast, Fault::None);
    let report = bench(&peer.url("/"), "-c 5 -r 100 -d 300ms").report(1);
    assert_eq!(report.count("connections.failed"), 5, "{report}");
}

#[test]
fn handshakes_that_break_off() {
    let authority = Authority::new();
    let config = both(authority.identity(Flaw::None));
    // Ends before a word, behind its greeting, or in the middle of it.
    let greeting = move |mut stream: TcpStream, most: usize| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).expect("the configuration is right");
        let mut greeting = Vec::new();
        while greeting.is_empty() {
            connection.read_tls(&mut stream).expect("the client is there");
            connection.process_new_packets().expect("the client speaks TLS");
            while connection.wants_write() {
                connection.write_tls(&mut greeting).expect("memory takes it");
            }
        }
        let _ = stream.write_all(&greeting[..most.min(greeting.len())]);
    };
    for most in [0, 3, 100] {
        let greeting = greeting.clone();
        let port = port(move |stream| greeting(stream, most));
        let url = format!("wss://localhost:{port}/");
        assert_all_fail(&url, "--insecure", "TLS cut", "ended the connection within the handshake");
    }
    let port = port(wait_for_the_end);
    let words = "did not end its handshake in time";
    let url = format!("wss://localhost:{port}/");
    assert_all_fail(&url, "--insecure --timeout 500ms", "TLS timed out", words);
}

/// A server that completes the WebSocket's handshake and then does something with each connection.
#[track_caller]
fn after_the_handshake(
    end: impl Fn(StreamOwned<ServerConnection, TcpStream>) + Clone + Send + 'static,
) -> (u16, Authority) {
    let authority = Authority::new();
    let config = both(authority.identity(Flaw::None));
    let port = port(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).expect("the configuration is right");
        let stream = StreamOwned::new(connection, stream);
        if let Ok(mut client) = tungstenite::accept(stream)
            && client.read().is_ok()
        {
            end(client.into_inner());
        }
    });
    (port, authority)
}

/// With a client's message come the end of TLS, the end of TCP without it, an alert, and nonsense.
#[test]
fn ends_in_the_middle() {
    type End = fn(StreamOwned<ServerConnection, TcpStream>);
    let rows: [(End, &str); 4] = [
        (
            |mut stream| {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                wait_for_the_end(stream.sock);
            },
            "closed 1006",
        ),
        (drop, "closed 1006"),
        (
            // A warning in TLS 1.3 is none any more: it is sealed like everything else, so this is garbage.
            |mut stream| {
                let _ = stream.sock.write_all(&[23, 3, 3, 0, 32]);
                let _ = stream.sock.write_all(&[7; 32]);
                wait_for_the_end(stream.sock);
            },
            "TLS error",
        ),
        (
            |mut stream| {
                let _ = stream.sock.write_all(b"HTTP/1.1 500 Oops\r\n\r\n");
                wait_for_the_end(stream.sock);
            },
            "TLS error",
        ),
    ];
    at_once(&rows, |&(end, cause)| {
        let (port, authority) = after_the_handshake(end);
        let url = format!("wss://localhost:{port}/");
        let options = format!("--scenario echo -c 1 -r 50 -d 300ms {}", authority.option());
        let report = bench(&url, &options).report(1);
        report.assert_causes(&[(cause, 1)]);
        report.assert_counts(&[("connections.opened", 1), ("connections.lost", 1)]);
    });
}

/// Whoever ends says so (RFC 8446 §6.1), so that nobody takes it for an attack.
#[test]
fn connections_end_with_close_notify() {
    let authority = Authority::new();
    let config = both(authority.identity(Flaw::None));
    let (said, ends) = std::sync::mpsc::channel();
    let port = port(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).expect("the configuration is right");
        let Ok(mut client) = tungstenite::accept(StreamOwned::new(connection, stream)) else { return };
        while client.read().is_ok() {}
        // Without one this is an error.
        let rest = client.get_mut().read(&mut [0; 16]);
        let _ = said.send(rest.map_err(|error| error.to_string()));
    });
    let options = format!("--scenario idle -c 3 -d 200ms {}", authority.option());
    bench(&format!("wss://localhost:{port}/"), &options).report(0);
    let ends: Vec<_> = (0..3).map(|_| ends.recv_timeout(DEADLINE).expect("each of them ends")).collect();
    assert_eq!(ends, vec![Ok(0); 3]);
}

/// Each message at either of 2 connections. Rates say little where most of it comes late.
#[track_caller]
fn assert_all_arrive(report: &Report) {
    report.assert_causes(&[]);
    let sent = report.count("messages.sent");
    assert!(sent > 0, "{report}");
    report.assert_counts(&[("deliveries.expected", 2 * sent), ("deliveries.received", 2 * sent)]);
}

/// A server that does not read stops its senders, and what waits is sent later.
#[test]
fn a_server_that_stalls() {
    let (every, for_) = (std::time::Duration::from_millis(400), std::time::Duration::from_millis(200));
    let (peer, trust, _authority) = peer(Role::Broadcast, Fault::Stall { every, for_ });
    let options = format!("-c 2 -r 100 -m 200k -d 1s {trust}");
    assert_all_arrive(&bench(&url(&peer), &options).report(0));
    let options = format!("-c 2 -w 16 -m 200k -d 1s {trust}");
    assert_all_arrive(&bench(&url(&peer), &options).report(0));
}

/// One message that is longer than any buffer on its way.
#[test]
fn a_long_message() {
    let (peer, trust, _authority) = peer(Role::Broadcast, Fault::None);
    let options = format!("-c 2 -w 1 -m 8m -d 300ms {trust}");
    assert_all_arrive(&bench(&url(&peer), &options).report(0));
    assert!(comes_true(DEADLINE, || peer.seen().closed_normally.get() == 2), "{:?}", peer.seen());
}
