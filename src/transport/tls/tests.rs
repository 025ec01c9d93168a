//! One connection with both ends in hand: what is kept when there is no room, and what is said when there is again.

use super::*;
use crate::limits::{LOAN_FREE_BYTES, TLS_PLAINTEXT_BYTES_MAX};
use crate::transport::Got;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig, SignatureScheme, StreamOwned,
};
use std::io::{IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
struct TakesAny;

impl ServerCertVerifier for TakesAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

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

    let settings = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let settings = settings.expect("versions").dangerous();
    let settings = settings.with_custom_certificate_verifier(Arc::new(TakesAny)).with_no_client_auth();
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
