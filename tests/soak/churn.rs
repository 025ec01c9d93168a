//! Those who come, do something, and vanish: each thread does one after the other of what clients do wrong, and some of
//! what they do right. None of it may fail the test; what it does to the others would.

use crate::course::{Course, Phase, Random};
use crate::peer::{BINARY, Frame, PING, TEXT, handshake, header};
use crate::support::DEADLINE;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::thread::Scope;
use std::time::Duration;

const THREADS: usize = 3;
/// Receivers that never read, of each thread, at a time.
const DEAF_MAX: usize = 6;
const PAGE: &str = "GET /websocket.html HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Starts them.
pub(crate) fn start<'s, 'e: 's>(scope: &'s Scope<'s, 'e>, course: &'e Course) {
    for thread in 0..THREADS {
        course.join();
        scope.spawn(move || {
            let _guard = course.end_on_panic();
            churn(course, Random(0x2545_F491_4F6C_DD1D ^ (thread as u64 + 1)));
        });
    }
}

fn churn(course: &Course, mut random: Random) {
    let mut deaf = Vec::new();
    loop {
        match course.phase() {
            Phase::Run => {}
            Phase::Rest => {
                deaf.clear();
                course.rest();
                continue;
            }
            Phase::End => return,
        }
        // Refused only when the system's queue is full: another time.
        let Ok(stream) = TcpStream::connect_timeout(&course.address, DEADLINE) else { continue };
        course.connections.fetch_add(1, Ordering::Relaxed);
        stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout can be set");
        stream.set_write_timeout(Some(Duration::from_millis(200))).expect("a timeout can be set");
        if random.below(4) == 0 {
            // What it leaves unread or unsent is a reset.
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("it can be set");
        }
        match random.below(12) {
            0 => {
                deaf.push(stream);
                let _ = open(deaf.last().expect("it was pushed"));
                if deaf.len() > DEAF_MAX {
                    deaf.remove(random.below(DEAF_MAX));
                }
            }
            // The server ends connections for what is said there: whatever comes of it is right.
            other => drop(act(other, &stream, &mut random)),
        }
    }
}

fn act(choice: usize, mut stream: &TcpStream, random: &mut Random) -> std::io::Result<()> {
    match choice {
        1 => Ok(()),
        2 => stream.write_all(&PAGE.as_bytes()[..random.below(PAGE.len())]),
        3 => {
            stream.write_all(PAGE.as_bytes())?;
            read_some(stream, 1 << 20)
        }
        4 => {
            stream.write_all(PAGE.repeat(20).as_bytes())?;
            read_some(stream, random.below(100_000))
        }
        5 => {
            stream.write_all(handshake("/", "").as_bytes())?;
            stream.shutdown(Shutdown::Both)
        }
        6 => {
            open(stream)?;
            let letter = [b'a' + random.below(26) as u8];
            stream.write_all(&Frame::new(TEXT, letter.repeat(random.below(20_000))).masked())?;
            read_some(stream, random.below(60_000))
        }
        7 => {
            open(stream)?;
            let begun = [header(true, BINARY, 200_000), vec![7; random.below(150_000)]].concat();
            stream.write_all(&begun)
        }
        8 => {
            open(stream)?;
            stream.write_all(&Frame::new(PING, "flood").masked().repeat(random.below(5_000)))
        }
        9 => {
            open(stream)?;
            let wire = Frame::begun(TEXT, "xxxx").masked();
            stream.write_all(&wire[..random.below(wire.len())])
        }
        10 => {
            let garbage: Vec<u8> = (0..random.below(3_000)).map(|_| random.below(256) as u8).collect();
            if random.below(2) == 0 {
                open(stream)?;
            }
            stream.write_all(&garbage)?;
            read_some(stream, 10_000)
        }
        _ => {
            open(stream)?;
            stream.write_all(&Frame::close(1000 + random.below(20) as u16, "bye").masked())?;
            read_some(stream, 1 << 20)
        }
    }
}

fn open(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(handshake("/", "").as_bytes())?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(())
}

/// Reads so much, or to the end, or until nothing comes for a moment.
fn read_some(mut stream: &TcpStream, mut most: usize) -> std::io::Result<()> {
    let mut piece = [0; 4096];
    while most > 0 {
        let read = stream.read(&mut piece)?;
        if read == 0 {
            break;
        }
        most = most.saturating_sub(read);
    }
    Ok(())
}
