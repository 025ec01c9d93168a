//! The merge of backlog and outbox, beside the naive model: one queue of all bytes.

use super::*;
use proptest::prelude::*;

/// One thing that happens to a connection.
#[derive(Clone, Debug)]
enum Action {
    /// A frame of so many bytes is published, by the connection itself or by another.
    Publish(usize, bool),
    /// An item of so many bytes goes to the outbox.
    Push(usize),
    /// The socket takes so many bytes.
    Write(usize),
    /// The connection says its last word.
    Seal(usize),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        6 => (0_usize..30, any::<bool>()).prop_map(|(length, own)| Action::Publish(length, own)),
        4 => (0_usize..20).prop_map(Action::Push),
        6 => (0_usize..70).prop_map(Action::Write),
        1 => (1_usize..5).prop_map(Action::Seal),
    ];
    prop::collection::vec(action, 0..60)
}

/// The connection under test beside the naive model: one queue of all its bytes.
struct Pair {
    backlog: Backlog,
    outbox: Outbox,
    cursor: u64,
    skipped: Option<Seat>,
    model: VecDeque<u8>,
    next: u8,
}

impl Pair {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length)
            .map(|_| {
                self.next = self.next.wrapping_add(1);
                self.next
            })
            .collect()
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Publish(length, own) => {
                let bytes = self.bytes(length);
                let own = own.then_some(Seat::new(3));
                self.backlog.append(own.or(Some(Seat::new(4))), &[&bytes]);
                if !self.outbox.is_sealed() && (own.is_none() || self.skipped != own) {
                    self.model.extend(bytes);
                }
            }
            Action::Push(length) => {
                let bytes = self.bytes(length);
                if !self.outbox.is_sealed() {
                    self.model.extend(&bytes);
                }
                self.outbox.push(self.backlog.head(), Body::Bytes(bytes));
            }
            Action::Seal(length) => {
                self.act(&Action::Push(length));
                self.outbox.seal(self.backlog.head());
            }
            Action::Write(room) => {
                self.write(room);
            }
        }
    }

    /// Writes up to `room` bytes, and compares them with the model's next.
    fn write(&mut self, room: usize) -> usize {
        let view = View { backlog: &self.backlog, cursor: self.cursor, skipped: self.skipped };
        let mut gathered = Gather::new();
        gather(Some(&self.outbox), Some(view), &mut gathered);
        let wire: Vec<u8> = gathered.slices().iter().flat_map(|slice| slice.to_vec()).take(room).collect();
        let want: Vec<u8> = self.model.drain(..wire.len().min(self.model.len())).collect();
        assert_eq!(wire, want);
        self.cursor = advance(Some(&mut self.outbox), Some(view), wire.len()).cursor;
        self.backlog.release(self.cursor);
        wire.len()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The same bytes as from a queue per connection, whatever the socket takes and whenever.
    #[test]
    fn agrees_with_a_queue(actions in actions(), segment in 1_usize..40, no_self: bool) {
        let mut pair = Pair {
            backlog: Backlog::new(segment),
            outbox: Outbox::default(),
            cursor: 0,
            skipped: no_self.then_some(Seat::new(3)),
            model: VecDeque::new(),
            next: 0,
        };
        for action in &actions {
            pair.act(action);
        }
        while pair.write(usize::MAX) > 0 {}
        prop_assert_eq!(pair.model.len(), 0);
        prop_assert_eq!(pair.outbox.bytes(), 0);
        if !pair.outbox.is_sealed() {
            prop_assert_eq!(pair.cursor, pair.backlog.head(), "steps over its own at the end");
        }
    }
}

#[test]
fn an_item_waits_for_the_frames_before_it() {
    let mut backlog = Backlog::new(4);
    let mut outbox = Outbox::default();
    backlog.append(None, &[b"frame"]);
    outbox.push(backlog.head(), Body::Bytes(b"pong".to_vec()));
    backlog.append(None, &[b"next"]);
    let mut gathered = Gather::new();
    let view = View { backlog: &backlog, cursor: 2, skipped: None };
    gather(Some(&outbox), Some(view), &mut gathered);
    let wire: Vec<u8> = gathered.slices().iter().flat_map(|slice| slice.to_vec()).collect();
    assert_eq!(wire, b"amepongnext");
    assert_eq!(advance(Some(&mut outbox), Some(view), 5).cursor, 5);
    assert_eq!(outbox.bytes(), 2, "half of the pong is written");
}

#[test]
fn a_file_comes_alone_and_is_done_with() {
    let mut outbox = Outbox::default();
    outbox.push(0, Body::Static(b"head"));
    outbox.push(0, Body::File(FileRange { file: FileId(5), start: 10, end: 20 }));
    let look = |outbox: &Outbox| {
        let mut gathered = Gather::new();
        gather(Some(outbox), None, &mut gathered);
        (gathered.bytes(), gathered.file())
    };
    assert_eq!(look(&outbox), (4, None));
    assert_eq!(advance(Some(&mut outbox), None, 4).done_with, None);
    assert_eq!(look(&outbox), (0, Some(FileRange { file: FileId(5), start: 10, end: 20 })));
    assert_eq!(advance(Some(&mut outbox), None, 3).done_with, None);
    assert_eq!(look(&outbox), (0, Some(FileRange { file: FileId(5), start: 13, end: 20 })));
    assert_eq!(outbox.files().collect::<Vec<_>>(), [FileId(5)]);
    assert_eq!(advance(Some(&mut outbox), None, 7).done_with, Some(FileId(5)));
    assert!(outbox.is_empty());
}

/// A client that always owes a little made its item grow for ever.
#[test]
fn what_was_written_is_not_kept() {
    let mut outbox = Outbox::default();
    outbox.push(0, Body::Bytes(vec![7; 1_000]));
    for _ in 0..10_000 {
        outbox.push(0, Body::Bytes(vec![7; 1_000]));
        advance(Some(&mut outbox), None, 1_000);
    }
    let held: usize = outbox
        .items
        .iter()
        .map(|item| match &item.body {
            Body::Bytes(bytes) => bytes.capacity(),
            Body::Static(_) | Body::Shared(_) | Body::File(_) => 0,
        })
        .sum();
    assert_eq!(outbox.bytes(), 1_000);
    assert!(held < 3 * OUTBOX_MERGED_BYTES_MAX, "{held} bytes are held for 1,000");
}

#[test]
fn many_small_items_have_their_weight() {
    let mut outbox = Outbox::default();
    for at in 0..1_000 {
        outbox.push(at, Body::Bytes(vec![7; 2]));
    }
    assert_eq!(outbox.bytes(), 2_000);
    assert!(outbox.weight() >= 1_000 * size_of::<Item>() as u64);
}
