//! One connection with both ends in hand: what is kept when there is no room, and what is said when there is again.

use super::*;
use crate::limits::{LOAN_FREE_BYTES, TLS_PLAINTEXT_BYTES_MAX};
use crate::transport::Got;
use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring::cipher_suite::TLS13_AES_256_GCM_SHA384;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{
    ClientConnection, ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig, StreamOwned,
};
use std::io::{IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

type Client = StreamOwned<ClientConnection, TcpStream>;

/// Both ends, the handshake behind them.
fn pair(budget: &Budget) -> (Tls, Client) {
    let provider = || Arc::new(default_provider());
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate").der().clone();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let settings = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let settings = settings.expect("versions").with_no_client_auth().with_single_cert(vec![certificate], key);
    let session = UnbufferedServerConnection::new(Arc::new(settings.expect("they fit"))).expect("it begins");

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let socket = TcpStream::connect(listener.local_addr().expect("it has one")).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let (below, _) = listener.accept().expect("somebody came");
    below.set_nonblocking(true).expect("it can be");
    let below = Transport::tcp(mio::net::TcpStream::from_std(below));
    let mut tls = Tls::new(session, below, Rc::new(RefCell::new(Scratch::new())), budget);

    let mut settings = trusting::settings(&TLS13);
    settings.enable_secret_extraction = true;
    let name = ServerName::try_from("localhost").expect("a name");
    let session = ClientConnection::new(Arc::new(settings), name).expect("it begins");
    let mut client = StreamOwned::new(session, socket);
    while client.conn.is_handshaking() || tls.session.is_handshaking() {
        while client.conn.wants_write() {
            client.conn.write_tls(&mut client.sock).expect("sent");
        }
        read(&mut tls);
        tls.write(&[]).expect("sent");
        if client.conn.is_handshaking() && client.conn.wants_read() {
            client.conn.read_tls(&mut client.sock).expect("an answer");
            client.conn.process_new_packets().expect("it is right");
        }
    }
    assert!(tls.take_news().is_secured);
    (tls, client)
}

/// All that comes of a read; nothing when there is nothing.
fn read(tls: &mut Tls) -> Vec<u8> {
    let mut into = vec![0; READ_BYTES_MAX];
    match tls.read(&mut into) {
        Ok(Got::Bytes { count, .. }) => into[..count].to_vec(),
        Ok(other) => panic!("{other:?}"),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Vec::new(),
        Err(error) => panic!("{error}"),
    }
}

fn numbers(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 1000) as u8).collect()
}

/// Writes until the socket is full; says how much that was.
fn fill(tls: &mut Tls, bytes: &[u8]) -> usize {
    let mut taken = 0;
    loop {
        let wrote = tls.write(&[IoSlice::new(&bytes[taken..])]).expect("it is there");
        taken += wrote.taken;
        if wrote.is_full {
            return taken;
        }
    }
}

#[test]
fn records_that_found_no_room_do_not_keep_others_from_being_written() {
    let (mut tls, mut client) = pair(&Budget::new(1 << 20));
    let said = numbers(150_000);
    // Short records, of which several are left when there is no room for a long one.
    said.chunks(1000).for_each(|piece| client.write_all(piece).expect("the system takes it"));
    let mut heard = Vec::new();
    while !tls.holds_records {
        heard.extend(read(&mut tls));
    }
    assert!(heard.len() < said.len() && tls.kept_bytes() > 0);
    let wrote = tls.write(&[IoSlice::new(b"hel"), IoSlice::new(b"lo")]).expect("it is there");
    assert_eq!((wrote.taken, wrote.is_full), (5, false));
    let mut answer = [0; 5];
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"hello");
    while heard.len() < said.len() {
        heard.extend(read(&mut tls));
    }
    assert!(heard == said && tls.kept_bytes() == 0 && !tls.holds_records);
}

#[test]
fn what_waits_is_one_record_and_within_the_budget() {
    for (limit, most) in [(1 << 20, 70_000), (2 << 10, 2 << 10), (10, LOAN_FREE_BYTES)] {
        let budget = Budget::new(limit);
        let (mut tls, mut client) = pair(&budget);
        let said = numbers(20_000_000);
        let taken = fill(&mut tls, &said);
        assert!(tls.kept_bytes() <= most && tls.unsent.bytes.len() <= tls.unsent.loan.bytes(), "{limit}");
        assert!(budget.lent() <= limit, "{} lent of {limit}", budget.lent());
        assert!(tls.was_full && tls.may_take() <= TLS_PLAINTEXT_BYTES_MAX, "the next is smaller");
        // Nothing of what was taken is lost, and the farewell comes behind it.
        assert!(tls.shutdown(), "the socket is full");
        let mut heard = vec![0; taken];
        let mut at = 0;
        while at < taken {
            at += client.read(&mut heard[at..]).expect("all of it");
            tls.write(&[]).expect("it is there");
        }
        assert!(heard == said[..taken], "{limit}");
        while tls.send_unsent().is_ok_and(|is_empty| !is_empty) {}
        assert!(!tls.fin_due);
        assert_eq!((tls.kept_bytes(), budget.lent()), (0, 0));
        drop((tls, client));
    }
}

#[test]
fn the_end_is_said_behind_what_waits() {
    let (mut tls, mut client) = pair(&Budget::new(1 << 20));
    assert!(!tls.shutdown(), "nothing waits");
    assert_eq!(client.read(&mut [0]).expect("close_notify"), 0);
    assert_eq!(client.sock.read(&mut [0]).expect("and FIN"), 0);
}

/// A client that makes its records itself, with the keys of its connection.
struct Forger {
    socket: TcpStream,
    keys: Box<dyn MessageEncrypter>,
    sequence: u64,
}

impl Forger {
    fn new(client: Client) -> Self {
        let StreamOwned { conn, sock } = client;
        let secrets = conn.dangerous_extract_secrets().expect("it was allowed");
        let (sequence, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = secrets.tx else {
            panic!("the suite that comes first")
        };
        let suite = TLS13_AES_256_GCM_SHA384.tls13().expect("it is of TLS 1.3");
        Self { socket: sock, keys: suite.aead_alg.encrypter(key, iv), sequence }
    }

    /// A record of this content, as its number wants it.
    fn record(&mut self, typ: ContentType, payload: &[u8]) -> Vec<u8> {
        let payload = OutboundChunks::Single(payload);
        let message = OutboundPlainMessage { typ, version: ProtocolVersion::TLSv1_2, payload };
        let record = self.keys.encrypt(message, self.sequence).expect("it can be");
        self.sequence += 1;
        record.encode()
    }
}

/// Half a message of the handshake, and data in the middle of it: what came before is read, and then nothing may be
/// asked of rustls any more, which has lost what it would refer to.
#[test]
fn what_has_failed_is_neither_read_nor_written_any_more() {
    for half in [&b"\x18"[..], &[0x18, 0, 0]] {
        let (mut tls, client) = pair(&Budget::new(1 << 20));
        let mut forger = Forger::new(client);
        let mut wire = forger.record(ContentType::ApplicationData, b"before");
        wire.extend(forger.record(ContentType::Handshake, half));
        wire.extend(forger.record(ContentType::ApplicationData, b"inside"));
        forger.socket.write_all(&wire).expect("sent");
        let mut heard = Vec::new();
        while heard.is_empty() {
            heard = read(&mut tls);
        }
        assert_eq!(heard, b"before");
        let written = tls.write(&[IoSlice::new(b"an answer")]);
        assert_eq!(written.map_err(|error| error.kind()).err(), Some(io::ErrorKind::InvalidData));
        tls.say_farewell();
        assert!(tls.write(&[]).is_ok() && tls.kept_bytes() == 0);
    }
}

/// Behind our farewell everything is dropped as it comes, right or wrong, until the FIN.
#[test]
fn what_comes_behind_the_farewell_is_dropped() {
    let (mut tls, mut client) = pair(&Budget::new(1 << 20));
    assert!(!tls.shutdown());
    client.sock.write_all(&[b"\x17\x03\x03\0\x20", &[b'z'; 32][..]].concat()).expect("sent");
    client.sock.shutdown(std::net::Shutdown::Write).expect("it is connected");
    let mut into = vec![0; READ_BYTES_MAX];
    loop {
        match tls.read(&mut into) {
            Ok(Got::Bytes { count, .. }) => assert_eq!(count, 0),
            Ok(Got::End) => return,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
            other => panic!("{other:?}"),
        }
    }
}

/// What brings little is charged for what it takes.
#[test]
fn short_records_and_new_keys_have_their_price() {
    let (mut tls, mut client) = pair(&Budget::new(1 << 20));
    let mut cost = |said: &[&[u8]], with_keys: bool| {
        let mut left: usize = said.iter().map(|piece| piece.len()).sum();
        for piece in said {
            if with_keys {
                client.conn.refresh_traffic_keys().expect("it may");
            }
            client.write_all(piece).expect("sent");
        }
        let mut cost = 0;
        while left > 0 {
            left -= read(&mut tls).len();
            cost += tls.take_news().cost;
        }
        cost
    };
    let [long, short, keys] =
        [cost(&[&[7; 500][..]], false), cost(&[&[7][..]; 500], false), cost(&[&[7][..]; 500], true)];
    assert!(long < 10_000, "{long}");
    assert!(short > 100 * long && keys > short + 500 * 400, "{short} and {keys}");
}
