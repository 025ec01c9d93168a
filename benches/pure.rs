//! The pure code at work, without a socket: `cargo bench`, or `cargo bench -- unmask` for one of them.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fanfare::Config;
use fanfare::Message;
use fanfare::channel::Channel;
use fanfare::http::request;
use fanfare::outbox::Gather;
use fanfare::websocket::frame::{Header, Opcode};
use fanfare::websocket::message::Decoder;
use fanfare::websocket::{handshake, mask, utf8};
use std::hint::black_box;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn header(c: &mut Criterion) {
    let header = Header { fin: true, opcode: Opcode::Text, masking_key: Some(KEY), length: 1024 };
    let wire = header.write();
    c.bench_function("header/parse", |b| b.iter(|| Header::parse(black_box(&wire))));
    c.bench_function("header/write", |b| b.iter(|| black_box(&header).write()));
}

fn unmask(c: &mut Criterion) {
    let mut group = c.benchmark_group("unmask");
    for length in [16, 1024, 64 * 1024] {
        let mut payload = vec![7; length];
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(length.to_string(), |b| b.iter(|| mask::apply(black_box(&mut payload), KEY, 0)));
    }
}

fn text(c: &mut Criterion) {
    let mut group = c.benchmark_group("utf8");
    for (name, text) in [("ascii", "fanfare ".repeat(2048)), ("cjk", "世界你好".repeat(1365))] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| utf8::Checker::default().check(black_box(text.as_bytes()))));
    }
}

/// A read of masked messages becomes events.
fn decode(c: &mut Criterion) {
    let mut payload = vec![b'x'; 64];
    mask::apply(&mut payload, KEY, 0);
    let header = Header { fin: true, opcode: Opcode::Text, masking_key: Some(KEY), length: 64 };
    let wire = [&*header.write(), &payload].concat().repeat(100);
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(100));
    group.bench_function("100 messages of 64 bytes", |b| {
        b.iter_batched_ref(
            || wire.clone(),
            |read| {
                let (mut decoder, mut input, mut count) = (Decoder::default(), &mut read[..], 0);
                while let Ok(Some(event)) = decoder.decode(&mut input, 1024) {
                    black_box(event);
                    count += 1;
                }
                assert_eq!(count, 100);
            },
            criterion::BatchSize::SmallInput,
        );
    });
}

/// One message to a thousand subscribers, all but the system calls.
fn fan_out(c: &mut Criterion) {
    let mut channel = Channel::new(&Config::default());
    let seats: Vec<_> = (0..1000).map(|key| channel.subscribe(key)).collect();
    let message = Message::text("x".repeat(64));
    let mut group = c.benchmark_group("fan-out");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("64 bytes to 1000", |b| {
        b.iter(|| {
            channel.publish(Some(seats[0]), &message);
            while let Some(key) = channel.next_behind() {
                let seat = Some(seats[key as usize]);
                let mut gathered = Gather::new();
                channel.gather(seat, None, &mut gathered);
                let written = black_box(&gathered).bytes();
                channel.advance(seat, None, written);
            }
        });
    });
}

fn opening(c: &mut Criterion) {
    let wire = b"GET / HTTP/1.1\r\nHost: localhost:9999\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    c.bench_function("request/parse", |b| {
        b.iter(|| request::parse(black_box(wire)).map(|parsed| parsed.is_some()))
    });
    c.bench_function("accept key", |b| {
        b.iter(|| handshake::accept_key(black_box(b"dGhlIHNhbXBsZSBub25jZQ==")))
    });
}

criterion_group!(benches, header, unmask, text, decode, fan_out, opening);
criterion_main!(benches);
