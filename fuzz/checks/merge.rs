//! The merge of backlog and outbox, beside the naive model: one queue of all that a connection is to get.

use super::input::Input;
use super::model::{Model, Source};
use fanfare::backlog::{Backlog, Seat};
use fanfare::budget::Budget;
use fanfare::outbox::{Body, FileId, FileRange, Gather, Outbox, Shared, View, advance, gather};
use std::rc::Rc;

/// What can be done in one run: a long input adds nothing to a short one but time.
const ACTIONS_MAX: usize = 200;

/// Bytes in the binary, to be pushed without a copy.
static COMPILED_IN: [u8; 64] = [b's'; 64];

/// The input: how large segments are, who is left out, then what happens.
pub fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let segment_bytes = input.below(40) + 1;
    let mut pair = Pair::new(segment_bytes, input.byte());
    for _ in 0..ACTIONS_MAX {
        if input.is_empty() {
            break;
        }
        pair.act(&mut input);
        pair.compare();
    }
    pair.finish();
}

/// The connection's view of the backlog.
#[derive(Clone, Copy)]
enum Place {
    /// It is no subscriber yet.
    Outside,
    At(u64),
    /// It has lost its place, and gets no other.
    Lost,
}

/// The connection under test beside the model.
struct Pair {
    backlog: Backlog,
    outbox: Outbox,
    place: Place,
    skipped: Option<Seat>,
    model: Model,
    files: u32,
    next: u8,
}

impl Pair {
    fn new(segment_bytes: usize, manner: u8) -> Self {
        Self {
            backlog: Backlog::new(segment_bytes),
            outbox: Outbox::default(),
            place: if manner & 2 == 0 { Place::At(0) } else { Place::Outside },
            skipped: (manner & 1 != 0).then_some(Seat::new(3)),
            model: Model::default(),
            files: 0,
            next: 0,
        }
    }

    fn act(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0..=2 => self.publish(Some(Seat::new(4)), input.below(30)),
            3 | 4 => self.publish(Some(Seat::new(3)), input.below(30)),
            5 => self.publish(None, input.below(30)),
            6 | 7 => {
                let bytes = self.fresh(input.below(20));
                self.push(Body::Bytes(bytes.clone()), bytes);
            }
            8 => self.push_other(input),
            9..=12 => self.write(input.below(70)),
            13 => self.write(usize::MAX),
            14 => self.release(),
            _ => match input.below(8) {
                0 => self.outbox.seal(self.backlog.head()),
                1 => self.lose_place(),
                2..=4 => self.answer(input.below(20)),
                _ => self.sit_down(),
            },
        }
    }

    /// Bytes unlike those before them.
    fn fresh(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.next = self.next.wrapping_add(1);
            self.next
        };
        (0..length).map(|_| next()).collect()
    }

    fn expect(&mut self, source: Source, bytes: Vec<u8>) {
        if !self.outbox.is_sealed() {
            self.model.push(source, bytes);
        }
    }

    fn publish(&mut self, publisher: Option<Seat>, length: usize) {
        let bytes = self.fresh(length);
        let (one, other) = bytes.split_at(length / 2);
        self.backlog.append(publisher, &[one, other]);
        let is_left_out = self.skipped.is_some() && publisher == self.skipped;
        if matches!(self.place, Place::At(_)) && !is_left_out {
            self.expect(Source::Backlog, bytes);
        }
    }

    fn push(&mut self, body: Body, bytes: Vec<u8>) {
        self.outbox.push(self.backlog.head(), body);
        self.expect(Source::Outbox, bytes);
    }

    /// What the protocol owes, behind the last word as well.
    fn answer(&mut self, length: usize) {
        let bytes = self.fresh(length);
        self.outbox.push_even_sealed(self.backlog.head(), Body::Bytes(bytes.clone()));
        self.model.push(Source::Outbox, bytes);
    }

    fn push_other(&mut self, input: &mut Input<'_>) {
        match input.below(4) {
            0 => {
                let bytes = &COMPILED_IN[..input.below(COMPILED_IN.len())];
                self.push(Body::Static(bytes), bytes.to_vec());
            }
            1 => {
                let bytes = self.fresh(input.below(50));
                // A part of what is shared.
                let shared = stranded(&[b"before", &bytes, b"behind"]);
                self.push(Body::Shared(shared, 6..6 + bytes.len()), bytes);
            }
            // Large enough to become an item of its own.
            2 => {
                let bytes = vec![b'l'; 20_000];
                self.push(Body::Bytes(bytes.clone()), bytes);
            }
            _ => {
                let start = u64::from(input.byte());
                let range =
                    FileRange { file: FileId(self.files), start, end: start + input.below(90) as u64 };
                self.files += 1;
                self.push(Body::File(range), content(range));
            }
        }
    }

    fn sit_down(&mut self) {
        if let Place::Outside = self.place {
            self.place = Place::At(self.backlog.head());
        }
    }

    /// It is too slow: the frame on its wire is finished, no other follows.
    fn lose_place(&mut self) {
        if let Place::At(cursor) = self.place {
            let held = self.backlog.held_of_frame(cursor);
            if !held.is_empty() {
                let taken = usize::try_from(cursor - held.start).expect("within a frame");
                let frame = stranded(&self.backlog.slices(held).collect::<Vec<_>>());
                self.outbox.push_rest(frame, taken);
            }
            self.place = Place::Lost;
            self.model.lose_frames();
        }
    }

    /// Writes up to `room` bytes, and compares them with the model's next.
    fn write(&mut self, room: usize) {
        let view = match self.place {
            Place::At(cursor) => Some(View { backlog: &self.backlog, cursor, skipped: self.skipped }),
            Place::Outside | Place::Lost => None,
        };
        let mut gathered = Gather::new();
        gather(Some(&self.outbox), view, &mut gathered);
        let file = gathered.file();
        let (offered, wire) = match file {
            Some(range) => {
                assert_eq!(gathered.bytes(), 0, "a file comes alone");
                let content = content(range);
                (content.len(), content[..content.len().min(room)].to_vec())
            }
            None => (gathered.bytes(), front(&gathered, room)),
        };
        assert_eq!(offered == 0, self.model.is_empty(), "something is offered while something is left");
        let advanced = advance(Some(&mut self.outbox), view, wire.len());
        let done = file.filter(|_| wire.len() == offered).map(|range| range.file);
        assert_eq!(advanced.done_with, done, "a file is done with at its end");
        if let Place::At(cursor) = &mut self.place {
            assert!(*cursor <= advanced.cursor && advanced.cursor <= self.backlog.head());
            *cursor = advanced.cursor;
        }
        self.model.take(&wire);
    }

    /// Nobody else is behind: what this one has can go.
    fn release(&mut self) {
        match self.place {
            Place::At(cursor) => self.backlog.release(cursor),
            Place::Outside | Place::Lost => self.backlog.release(self.backlog.head()),
        }
    }

    /// The outbox says of itself what the model says of it.
    fn compare(&self) {
        let (_, bytes) = self.model.left(Source::Outbox);
        assert_eq!(self.outbox.bytes(), bytes as u64);
        assert_eq!(self.outbox.is_empty(), bytes == 0);
        assert!(self.outbox.weight() >= self.outbox.bytes());
    }

    /// A socket that takes everything gets everything.
    fn finish(mut self) {
        while !self.model.is_empty() {
            self.write(usize::MAX);
            self.release();
        }
        self.write(usize::MAX);
        self.compare();
        assert_eq!(self.outbox.files().count(), 0);
        if let Place::At(cursor) = self.place
            && !self.outbox.is_sealed()
        {
            assert_eq!(cursor, self.backlog.head(), "it has stepped over what is left out at the end");
        }
        self.release();
        if !self.outbox.is_sealed() {
            assert_eq!(self.backlog.tail(), self.backlog.head());
        }
    }
}

/// The first bytes of what a write is given.
fn front(gathered: &Gather<'_>, mut room: usize) -> Vec<u8> {
    let mut wire = Vec::new();
    for slice in gathered.slices() {
        let taken = room.min(slice.len());
        wire.extend_from_slice(&slice[..taken]);
        room -= taken;
    }
    wire
}

/// What is in a range of a file; every file has bytes of its own.
fn content(range: FileRange) -> Vec<u8> {
    (range.start..range.end).map(|at| (at * 7 + u64::from(range.file.0) * 31) as u8).collect()
}

fn stranded(pieces: &[&[u8]]) -> Rc<Shared> {
    let length = pieces.iter().map(|piece| piece.len() as u64).sum();
    Shared::copy(length, pieces.iter().copied(), &Budget::new(usize::MAX)).expect("there is room")
}
