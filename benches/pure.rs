//! The pure code at work, without a socket: `cargo bench`, or `cargo bench -- unmask` for one of them. What
//! `instructions/` counts, this times.

#[path = "instructions/src/inputs.rs"]
mod inputs;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fanfare::http::request;
use fanfare::websocket::frame::Header;
use fanfare::websocket::{handshake, mask};
use inputs::{Frames, Room};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn header(c: &mut Criterion) {
    let mut group = c.benchmark_group("header");
    for (name, length) in [("7 bits", 64), ("16 bits", 1024), ("64 bits", 1024 * 1024)] {
        let header = inputs::header(length);
        let wire = header.write();
        group.bench_function(format!("parse/{name}"), |b| b.iter(|| Header::parse(black_box(&wire))));
        group.bench_function(format!("write/{name}"), |b| b.iter(|| black_box(&header).write()));
    }
}

fn unmask(c: &mut Criterion) {
    let mut group = c.benchmark_group("unmask");
    for length in [16, 1024, 64 * 1024, 1024 * 1024] {
        let mut payload = vec![7; length];
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(length.to_string(), |b| {
            b.iter(|| mask::apply(black_box(&mut payload), inputs::KEY, 0));
        });
    }
}

fn text(c: &mut Criterion) {
    let mut group = c.benchmark_group("utf8");
    for (name, text) in [("ascii", inputs::ascii()), ("cjk", inputs::cjk())] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        for (way, piece_bytes) in [("whole", usize::MAX), ("in pieces", inputs::PIECE_BYTES)] {
            group.bench_function(format!("{name} {way}"), |b| {
                b.iter(|| inputs::check(black_box(&text), piece_bytes));
            });
        }
    }
}

/// A read of masked messages becomes events.
fn decode(c: &mut Criterion) {
    let wire = inputs::read();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(inputs::MESSAGES as u64));
    group.bench_function("100 messages of 64 bytes", |b| {
        b.iter_batched_ref(|| wire.clone(), |read| inputs::decode(read), BatchSize::SmallInput);
    });
}

fn append(c: &mut Criterion) {
    let mut group = c.benchmark_group("append");
    for length in [64, 1024, 1024 * 1024] {
        let mut frames = Frames::new(length);
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(length.to_string(), |b| {
            b.iter(|| {
                frames.append();
                frames.release();
            });
        });
    }
}

fn gather(c: &mut Criterion) {
    let mut group = c.benchmark_group("gather");
    for (count, length) in [(1, inputs::MESSAGE_BYTES), (32, inputs::MESSAGE_BYTES), (1, 1024 * 1024)] {
        let mut room = Room::new(1, length);
        room.publish(count);
        group.bench_function(format!("{count} of {length} bytes"), |b| {
            b.iter(|| black_box(&room).gather(room.seats[0]));
        });
    }
}

/// The same time, whoever listens. Only publishing is timed; what takes it off the backlog again is not.
fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish");
    for subscribers in [1, 1000, 19_000] {
        let mut room = Room::new(subscribers, inputs::MESSAGE_BYTES);
        group.bench_function(format!("to {subscribers}"), |b| {
            b.iter_custom(|iterations| {
                let (mut left, mut spent) = (iterations as usize, Duration::ZERO);
                while left > 0 {
                    let count = left.min(inputs::MESSAGES);
                    let start = Instant::now();
                    room.publish(count);
                    spent += start.elapsed();
                    room.flush();
                    left -= count;
                }
                spent
            });
        });
    }
}

/// To a thousand subscribers, all but the system calls; what was published together shares a write.
fn fan_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan-out");
    let all = || Room::new(1000, inputs::MESSAGE_BYTES);
    let others = || Room::without_own(1000, inputs::MESSAGE_BYTES);
    for (to, count, mut room) in [("1000", 1, all()), ("1000", 32, all()), ("999 others", 1, others())] {
        group.throughput(Throughput::Elements(1000 * count as u64));
        group.bench_function(format!("{count} of 64 bytes to {to}"), |b| {
            b.iter(|| {
                room.publish(count);
                room.flush();
            });
        });
    }
}

fn opening(c: &mut Criterion) {
    c.bench_function("request/parse", |b| {
        b.iter(|| request::parse(black_box(inputs::REQUEST)).map(|parsed| parsed.is_some()));
    });
    c.bench_function("accept key", |b| b.iter(|| handshake::accept_key(black_box(inputs::CHALLENGE))));
}

criterion_group!(benches, header, unmask, text, decode, append, gather, publish, fan_out, opening);
criterion_main!(benches);
