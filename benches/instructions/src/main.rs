//! The pure code, counted in instructions. `run.py` runs this, and compares with `baseline.txt`.
//!
//! What is counted is a benchmark's function, and not its `setup`. Inputs are [`kept`], since what is moved into the
//! function and dropped there would count as well. A group has the name of a room.

#![expect(
    non_snake_case,
    reason = "the inputs are named for those who read the table, units as they are written"
)]

mod inputs;

use fanfare::websocket::frame::{Encoded, Header};
use gungraun::{LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use inputs::{Frames, Room};
use std::hint::black_box;

/// Lives as long as the process, which is for one benchmark.
fn kept<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

fn wire(length: u64) -> &'static Encoded {
    kept(inputs::header(length).write())
}

#[library_benchmark(setup = wire)]
#[bench::_7_bits(64)]
#[bench::_16_bits(1024)]
#[bench::_64_bits(1024 * 1024)]
fn parse(wire: &[u8]) -> bool {
    black_box(Header::parse(wire)).is_ok()
}

fn header(length: u64) -> &'static Header {
    kept(inputs::header(length))
}

#[library_benchmark(setup = header)]
#[bench::_7_bits(64)]
#[bench::_16_bits(1024)]
#[bench::_64_bits(1024 * 1024)]
fn write(header: &Header) -> usize {
    black_box(header.write()).len()
}

library_benchmark_group!(name = frame, benchmarks = [parse, write]);

fn payload(length: usize) -> &'static mut [u8] {
    kept(vec![7; length])
}

#[library_benchmark(setup = payload)]
#[bench::_16_bytes(16)]
#[bench::_1_KiB(1024)]
#[bench::_64_KiB(64 * 1024)]
fn apply(payload: &mut [u8]) {
    fanfare::websocket::mask::apply(payload, inputs::KEY, 0);
}

library_benchmark_group!(name = mask, benchmarks = apply);

#[library_benchmark]
#[bench::ASCII_whole(kept(inputs::ascii()), usize::MAX)]
#[bench::ASCII_in_pieces(kept(inputs::ascii()), inputs::PIECE_BYTES)]
#[bench::CJK_whole(kept(inputs::cjk()), usize::MAX)]
#[bench::CJK_in_pieces(kept(inputs::cjk()), inputs::PIECE_BYTES)]
fn check(text: &str, piece_bytes: usize) {
    inputs::check(text, piece_bytes);
}

library_benchmark_group!(name = utf8, benchmarks = check);

#[library_benchmark]
#[bench::_100_of_64_bytes(kept(inputs::read()))]
fn decode(read: &mut [u8]) {
    inputs::decode(read);
}

library_benchmark_group!(name = message, benchmarks = decode);

fn frames(payload_bytes: usize) -> &'static mut Frames {
    kept(Frames::new(payload_bytes))
}

#[library_benchmark(setup = frames)]
#[bench::_64_bytes(64)]
#[bench::_1_KiB(1024)]
#[bench::_1_MiB(1024 * 1024)]
fn append(frames: &mut Frames) {
    frames.append();
}

library_benchmark_group!(name = backlog, benchmarks = append);

fn behind(messages: usize, message_bytes: usize) -> &'static Room {
    let mut room = Room::new(1, message_bytes);
    room.publish(messages);
    kept(room)
}

#[library_benchmark(setup = behind)]
#[bench::_1_frame(1, inputs::MESSAGE_BYTES)]
#[bench::_32_frames(32, inputs::MESSAGE_BYTES)]
#[bench::_1_MiB(1, 1024 * 1024)]
fn gather(room: &Room) -> usize {
    room.gather(room.seats[0])
}

library_benchmark_group!(name = outbox, benchmarks = gather);

fn room(subscribers: u32) -> &'static mut Room {
    kept(Room::new(subscribers, inputs::MESSAGE_BYTES))
}

#[library_benchmark(setup = room)]
#[bench::_1_subscriber(1)]
#[bench::_1000_subscribers(1000)]
#[bench::_19000_subscribers(19_000)]
fn publish(room: &mut Room) {
    room.publish(1);
}

fn room_without_own(subscribers: u32) -> &'static mut Room {
    kept(Room::without_own(subscribers, inputs::MESSAGE_BYTES))
}

#[library_benchmark]
#[bench::_1_message_to_1000(room(1000), 1)]
#[bench::_32_messages_to_1000(room(1000), 32)]
#[bench::_1_message_to_1000_without_own(room_without_own(1000), 1)]
fn fan_out(room: &mut Room, messages: usize) {
    room.publish(messages);
    room.flush();
}

library_benchmark_group!(name = channel, benchmarks = [publish, fan_out]);

/// The first request finds out what the processor can do; the next ones know.
fn request() -> &'static [u8] {
    black_box(fanfare::http::request::parse(inputs::REQUEST)).expect("a request as RFC 6455 has it");
    inputs::REQUEST
}

#[library_benchmark]
#[bench::of_a_browser(request())]
fn parse_request(wire: &[u8]) -> bool {
    black_box(fanfare::http::request::parse(wire)).is_ok()
}

library_benchmark_group!(name = http, benchmarks = parse_request);

#[library_benchmark]
#[bench::of_a_browser(inputs::CHALLENGE)]
fn accept_key(key: &[u8]) -> String {
    fanfare::websocket::handshake::accept_key(key)
}

library_benchmark_group!(name = handshake, benchmarks = accept_key);

/// glibc would copy more than 4 KiB with one instruction that repeats itself, which callgrind counts once a byte.
fn environment() -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    config.env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS");
    config
}

main!(
    config = environment(),
    library_benchmark_groups = [frame, mask, utf8, message, backlog, outbox, channel, http, handshake]
);
