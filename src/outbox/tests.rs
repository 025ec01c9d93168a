//! The merge of backlog and outbox at the places where it is decided. `fuzz/checks/merge.rs` has the naive model.

use super::*;
use crate::limits::OUTBOX_MERGED_BYTES_MAX;

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
            Body::Static(_) | Body::Shared(..) | Body::File(_) => 0,
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

/// What is lent is what is held: of a long queue of small items that was taken, nothing is left.
#[test]
fn a_queue_that_was_long_is_not_kept() {
    let budget = crate::budget::Budget::new(1 << 20);
    let mut outbox = Outbox::new(&budget);
    for at in 0..2_000 {
        outbox.push(at, Body::Bytes(vec![7; 2]));
    }
    assert!(budget.lent() > 2_000 * size_of::<Item>(), "{}", budget.lent());
    advance(Some(&mut outbox), None, 2 * 1_999);
    assert_eq!((outbox.bytes(), budget.lent()), (2, 0));
    assert!(outbox.items.capacity() * size_of::<Item>() < 1024, "{}", outbox.items.capacity());
    // What was merged is paid for by what it takes, not by what it holds.
    outbox.push(2_000, Body::Bytes(vec![7; 9_000]));
    outbox.push(2_000, Body::Bytes(vec![7; 100]));
    assert!(budget.lent() >= 16_000, "a vector doubles: {}", budget.lent());
}
