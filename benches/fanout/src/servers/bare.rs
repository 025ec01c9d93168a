//! The bare loop: what a single thread can do at best on this kernel. epoll, and one `send` of the ready-made frame
//! for each socket, to all that are open, with every message that came in one turn in the same `send`.
//!
//! It checks nothing and bounds nothing: no UTF-8, no origin, no timeout, no limit on a message, a request or
//! what a receiver may fall behind. Any of that costs something; it is what fanfare is measured against. A
//! Close is answered with the end of the connection. The system call is part of the loop, without a function around
//! it: where processors mistrust returns behind a system call, one of them would cost a fifth of a delivery.
//!
//! It sends to all before it looks for more. With many senders that is not the best there is: who looks in between
//! has more messages in a write.

use super::handshake;
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::collections::VecDeque;
use std::mem;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

const LISTENER: u64 = u64::MAX;
const SCRATCH_BYTES: usize = 64 * 1024;
const EVENTS: usize = 1024;
/// Registered once: what becomes ready is told once, and nothing is registered anew.
const INTEREST: epoll::EventFlags = epoll::EventFlags::IN
    .union(epoll::EventFlags::OUT)
    .union(epoll::EventFlags::RDHUP)
    .union(epoll::EventFlags::ET);

struct Connection {
    socket: OwnedFd,
    is_open: bool,
    /// The beginning of a request or of a frame.
    partial: Vec<u8>,
    /// Absent where the socket takes everything, which is nearly always.
    pending: Option<Box<Pending>>,
}

/// What a socket did not take yet.
struct Pending {
    /// How much of the first it has.
    taken: usize,
    turns: VecDeque<Rc<[u8]>>,
}

/// Serves on a port of the loopback until it is killed.
pub fn serve(port: u16) -> rustix::io::Result<()> {
    let listener = listen(port)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
    let mut bare = Bare {
        poll,
        listener,
        connections: Vec::new(),
        free: Vec::new(),
        scratch: vec![0; SCRATCH_BYTES],
        output: Vec::new(),
    };
    println!("ready");
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        events.clear();
        match epoll::wait(&bare.poll, spare_capacity(&mut events), None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        for event in &events {
            match event.data.u64() {
                LISTENER => bare.accept()?,
                key => bare.hear(key as usize, event.flags),
            }
        }
        bare.send_to_all();
    }
}

fn listen(port: u16) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let listener = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&listener, true)?;
    net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    net::listen(&listener, 4096)?;
    Ok(listener)
}

struct Bare {
    poll: OwnedFd,
    listener: OwnedFd,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    scratch: Vec<u8>,
    /// The frames of this turn.
    output: Vec<u8>,
}

impl Bare {
    fn accept(&mut self) -> rustix::io::Result<()> {
        loop {
            let socket = match net::accept_with(&self.listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)
            {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::CONNABORTED | Errno::INTR) => continue,
                Err(error) => return Err(error),
            };
            sockopt::set_tcp_nodelay(&socket, true)?;
            let key = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            epoll::add(&self.poll, &socket, epoll::EventData::new_u64(key as u64), INTEREST)?;
            let connection = Connection { socket, is_open: false, partial: Vec::new(), pending: None };
            self.connections[key] = Some(connection);
        }
    }

    fn hear(&mut self, key: usize, flags: epoll::EventFlags) {
        let Some(connection) = &mut self.connections[key] else { return };
        let mut is_over = flags.intersects(epoll::EventFlags::ERR | epoll::EventFlags::HUP);
        if flags.contains(epoll::EventFlags::OUT) && connection.pending.is_some() {
            is_over |= !connection.send_pending();
        }
        while flags.contains(epoll::EventFlags::IN) && !is_over {
            match net::recv(&connection.socket, &mut self.scratch[..], RecvFlags::empty()) {
                Ok((0, _)) => is_over = true,
                Ok((read, _)) => {
                    is_over = !connection.take_in(&mut self.scratch[..read], &mut self.output);
                    // Drained: the read that would only say so is spared, unless an end hides behind it.
                    if read < SCRATCH_BYTES && !flags.contains(epoll::EventFlags::RDHUP) {
                        break;
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(_) => is_over = true,
            }
        }
        if is_over {
            self.connections[key] = None;
            self.free.push(key);
        }
    }

    fn send_to_all(&mut self) {
        if self.output.is_empty() {
            return;
        }
        // Made only when somebody needs it: who did not take all.
        let mut shared = None;
        for key in 0..self.connections.len() {
            let Some(connection) = &mut self.connections[key] else { continue };
            if connection.is_open && !connection.send(&self.output, &mut shared) {
                self.connections[key] = None;
                self.free.push(key);
            }
        }
        self.output.clear();
    }
}

impl Connection {
    /// Takes what was read; `false`: it is over.
    fn take_in(&mut self, read: &mut [u8], output: &mut Vec<u8>) -> bool {
        let mut kept = mem::take(&mut self.partial);
        if kept.is_empty() {
            let Some(left) = self.take_frames(read, output) else { return false };
            self.partial.extend_from_slice(&read[read.len() - left..]);
        } else {
            kept.extend_from_slice(read);
            let Some(left) = self.take_frames(&mut kept, output) else { return false };
            if left > 0 {
                kept.drain(..kept.len() - left);
                self.partial = kept;
            }
        }
        true
    }

    /// Answers the handshake, relays the frames, and says how many bytes are left that are not complete; `None`:
    /// it is over.
    fn take_frames(&mut self, mut input: &mut [u8], output: &mut Vec<u8>) -> Option<usize> {
        if !self.is_open {
            let Some((response, used)) = handshake::answer(input) else { return Some(input.len()) };
            net::send(&self.socket, &response, SendFlags::NOSIGNAL).ok()?;
            self.is_open = true;
            input = &mut input[used..];
        }
        while let Some(length) = frame_length(input) {
            let (frame, rest) = input.split_at_mut(length);
            if !relay(frame, output) {
                return None;
            }
            input = rest;
        }
        Some(input.len())
    }

    /// Sends the frames of this turn; `false`: it is over.
    fn send(&mut self, output: &[u8], shared: &mut Option<Rc<[u8]>>) -> bool {
        let mut taken = 0;
        if self.pending.is_none() {
            taken = match net::send(&self.socket, output, SendFlags::NOSIGNAL) {
                Ok(taken) if taken == output.len() => return true,
                Ok(taken) => taken,
                Err(Errno::AGAIN) => 0,
                Err(_) => return false,
            };
        }
        let shared = shared.get_or_insert_with(|| output.into());
        let pending = self.pending.get_or_insert_with(|| Box::new(Pending { taken, turns: VecDeque::new() }));
        pending.turns.push_back(Rc::clone(shared));
        true
    }

    /// Sends what is left of earlier turns, as far as the socket takes it; `false`: it is over.
    fn send_pending(&mut self) -> bool {
        let Some(pending) = &mut self.pending else { return true };
        while let Some(first) = pending.turns.front() {
            match net::send(&self.socket, &first[pending.taken..], SendFlags::NOSIGNAL) {
                Ok(taken) if pending.taken + taken == first.len() => {
                    pending.turns.pop_front();
                    pending.taken = 0;
                }
                Ok(taken) => pending.taken += taken,
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
        self.pending = None;
        true
    }
}

/// Bytes of the first frame, header included, when all of it is there.
fn frame_length(input: &[u8]) -> Option<usize> {
    let &[_, second, ..] = input else { return None };
    let (header, payload): (usize, usize) = match second & 0x7f {
        126 => (8, u16::from_be_bytes(input.get(2..4)?.try_into().ok()?) as usize),
        127 => (14, u64::from_be_bytes(input.get(2..10)?.try_into().ok()?) as usize),
        length => (6, length as usize),
    };
    let length = header.saturating_add(payload);
    (input.len() >= length).then_some(length)
}

/// Puts a masked frame behind the output as an unmasked one. `false`: it is a Close.
fn relay(frame: &mut [u8], output: &mut Vec<u8>) -> bool {
    let opcode = frame[0] & 0x0f;
    if opcode == 8 {
        return false;
    }
    if opcode > 2 {
        return true; // pings are not sent by who measures here
    }
    let header = match frame[1] & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    frame[1] &= 0x7f;
    let (head, masked) = frame.split_at_mut(header);
    let (key, payload) = masked.split_at_mut(4);
    let word = u32::from_ne_bytes([key[0], key[1], key[2], key[3]]);
    let word = u64::from(word) << 32 | u64::from(word);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    output.extend_from_slice(head);
    output.extend_from_slice(payload);
    true
}
