//! Those who do it right: senders whose messages are numbered, and receivers that read everything and check it.

use crate::course::{Course, Phase, Random};
use crate::peer::{BINARY, Frame, PING, PONG, Peer, TEXT};
use crate::program::comes_true;
use crate::support::{DEADLINE, connect};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

pub(crate) const SENDERS: usize = 2;
const RECEIVERS: usize = 8;
/// Messages of a sender that the slowest receiver may not have yet: far less than the backlog holds.
const WINDOW: u32 = 12;
const PAYLOAD_MAX: usize = 40_000;
/// The number of the message behind the last one.
const LAST: u32 = u32::MAX;

/// Which messages a receiver has, of each sender.
type Progress = Arc<[AtomicU32; SENDERS]>;

/// The payload of a numbered message, which says what it is from its first to its last byte.
fn payload(sender: usize, number: u32, length: usize) -> Vec<u8> {
    let mut payload = vec![sender as u8];
    payload.extend(number.to_be_bytes());
    payload.extend((0..length).map(|at| (number as usize + at) as u8));
    payload
}

/// Starts them; gives the receivers.
pub(crate) fn start<'s, 'e: 's>(
    scope: &'s Scope<'s, 'e>,
    course: &'e Course,
) -> Vec<ScopedJoinHandle<'s, [u32; SENDERS]>> {
    let open = || {
        let mut peer = Peer::new(connect(course.address));
        peer.open("/");
        peer
    };
    // Nobody may be further behind than the window, the senders neither: they are receivers as well.
    let progress: Vec<Progress> = (0..RECEIVERS + SENDERS).map(|_| Progress::default()).collect();
    let receivers: Vec<_> = progress[..RECEIVERS]
        .iter()
        .map(|progress| {
            let (peer, progress) = (open(), Arc::clone(progress));
            scope.spawn(move || {
                let _guard = course.end_on_panic();
                receive(course, peer, &progress)
            })
        })
        .collect();
    for sender in 0..SENDERS {
        let (peer, progress) = (open(), progress.clone());
        course.join();
        scope.spawn(move || {
            let _guard = course.end_on_panic();
            send(course, peer, sender, &progress);
        });
    }
    receivers
}

/// Sends until the end; it reads along in a thread of its own, or it would be a receiver that never reads.
fn send(course: &Course, peer: Peer, sender: usize, progress: &[Progress]) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ sender as u64);
    let sending = Mutex::new(peer.stream().try_clone().expect("a socket can be shared"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = course.end_on_panic();
            // The same one that has read the handshake: what came right behind it, it has read as well.
            read_along(peer, &sending, &progress[RECEIVERS + sender]);
        });
        let mut number = 0;
        loop {
            match course.phase() {
                Phase::Run => {}
                Phase::Rest => {
                    course.rest();
                    continue;
                }
                Phase::End => break,
            }
            let length = random.below(PAYLOAD_MAX);
            say(&sending, &Frame::new(BINARY, payload(sender, number, length)));
            course.messages.fetch_add(1, Ordering::Relaxed);
            number += 1;
            wait_for_the_slowest(course, sender, number, progress);
        }
        say(&sending, &Frame::new(BINARY, payload(sender, LAST, 0)));
        // It hears its last message as well, and then goes.
    });
}

fn say(stream: &Mutex<std::net::TcpStream>, frame: &Frame) {
    use std::io::Write;
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    stream.write_all(&frame.masked()).expect("the server takes it");
}

fn read_along(mut peer: Peer, sending: &Mutex<std::net::TcpStream>, progress: &Progress) {
    let mut over = 0;
    while over < SENDERS {
        let frame = peer.frame();
        match frame.opcode {
            PING => say(sending, &Frame::new(PONG, frame.payload)),
            BINARY if frame.payload.get(1..5) == Some(&LAST.to_be_bytes()) => over += 1,
            BINARY => {
                let sender = frame.payload.first().map_or(SENDERS, |&sender| usize::from(sender));
                if let Some(count) = progress.get(sender) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            TEXT => {}
            opcode => panic!("{opcode} for a sender: {frame:?}"),
        }
    }
}

fn wait_for_the_slowest(course: &Course, sender: usize, sent: u32, progress: &[Progress]) {
    let slowest = || progress.iter().map(|one| one[sender].load(Ordering::Relaxed)).min().unwrap_or(0);
    let is_near = || sent <= slowest() + WINDOW || course.has_failed();
    assert!(is_near() || comes_true(3 * DEADLINE, is_near), "a receiver gets nothing any more");
}

/// Reads everything until each sender has said its last; gives how many came of each.
fn receive(course: &Course, mut peer: Peer, progress: &Progress) -> [u32; SENDERS] {
    let mut is_over = [false; SENDERS];
    while is_over.contains(&false) && !course.has_failed() {
        let frame = peer.frame();
        match (frame.opcode, frame.payload.first_chunk::<5>()) {
            (PING, _) => peer.send(Frame::new(PONG, frame.payload).masked()),
            (BINARY, Some([sender, number @ ..])) if usize::from(*sender) < SENDERS => {
                let (sender, number) = (usize::from(*sender), u32::from_be_bytes(*number));
                let want = progress[sender].load(Ordering::Relaxed);
                assert!(!is_over[sender], "message {number} of {sender} behind its last");
                if number == LAST {
                    is_over[sender] = true;
                    continue;
                }
                assert_eq!(number, want, "the next message of sender {sender}");
                let whole = payload(sender, number, frame.payload.len() - 5);
                assert!(frame.payload == whole, "message {number} of {sender} is what it was");
                progress[sender].store(number + 1, Ordering::Relaxed);
                course.deliveries.fetch_add(1, Ordering::Relaxed);
            }
            // Of those who come and go: they send text, all of one letter.
            (TEXT, _) => assert!(frame.payload.iter().all(|&byte| Some(&byte) == frame.payload.first())),
            (BINARY, _) => {} // garbage that happens to be a message
            (opcode, _) => panic!("{opcode} for one who does it right: {frame:?}"),
        }
    }
    [0, 1].map(|sender| progress[sender].load(Ordering::Relaxed))
}

/// All receivers got the same, to the last.
pub(crate) fn expect_everything(receivers: Vec<ScopedJoinHandle<'_, [u32; SENDERS]>>, course: &Course) {
    let got: Vec<_> =
        receivers.into_iter().map(|receiver| receiver.join().expect("it does not fail")).collect();
    assert!(got.iter().all(|one| *one == got[0]), "{got:?}");
    let sent = course.messages.load(Ordering::Relaxed);
    assert_eq!(got[0].iter().map(|&count| u64::from(count)).sum::<u64>(), sent, "everything that was sent");
    assert!(sent > 100, "{sent} messages are no soak");
}
