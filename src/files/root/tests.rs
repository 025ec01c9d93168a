//! A real folder with hostile names and links, asked both ways: with the kernel's help and without.

use super::*;
use crate::http::path::CleanPath;
use proptest::prelude::*;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tempfile::TempDir;

const GUIDES: [Guide; 2] = [Guide::Kernel, Guide::Checked];
const SECRET: &[u8] = b"secret";

/// `www` with files, and links of every kind; beside it what nobody may see.
fn house() -> TempDir {
    let house = tempfile::tempdir().expect("a folder can be made");
    let at = |name: &str| house.path().join(name);
    for folder in ["www/sub/deep", "www/a b", "www/...", "www/%2e%2e", "outside"] {
        fs::create_dir_all(at(folder)).expect("a folder can be made");
    }
    for file in ["www/a", "www/sub/a", "www/sub/deep/a", "www/a b/a", "www/.../a", "www/%2e%2e/a", "www/\\a"]
    {
        fs::write(at(file), "a").expect("a file can be written");
    }
    for file in ["secret", "outside/a", "www/.hidden"] {
        fs::write(at(file), SECRET).expect("a file can be written");
    }
    let links = [
        ("within", "sub/a".into()),
        ("within-above", "sub/deep/../a".into()),
        ("within-absolute", at("www/sub/a")),
        ("folder", "sub".into()),
        ("folder-absolute", at("www/sub")),
        ("sub/above", "../a".into()),
        ("out", "../secret".into()),
        ("out-absolute", at("secret")),
        ("out-and-in", "../www/a".into()),
        ("out-folder", "../outside".into()),
        ("sub/out-folder", "../../outside".into()),
        ("out-root", "/".into()),
        ("out-proc", "/proc/self/root".into()),
        ("broken", "nowhere".into()),
        ("loop", "loop".into()),
    ];
    for (name, target) in links {
        let target: PathBuf = target;
        symlink(target, at("www").join(name)).expect("a link can be made");
    }
    rustix::fs::mkfifoat(rustix::fs::CWD, at("www/fifo"), rustix::fs::Mode::RWXU)
        .expect("a FIFO can be made");
    symlink("fifo", at("www/link-to-fifo")).expect("a link can be made");
    house
}

fn root(house: &TempDir) -> Root {
    Root::new(&house.path().join("www")).expect("it is a folder")
}

fn enter(root: &Root, guide: Guide) -> Inside<'_> {
    Inside { guide, ..root.enter().expect("it is there") }
}

fn read(inside: &Inside<'_>, name: &str) -> Option<Vec<u8>> {
    let (file, stamp) = inside.open(name).ok()?;
    let content = io::read_to_string(file).expect("it can be read").into_bytes();
    assert_eq!(stamp.length, content.len() as u64, "{name}");
    Some(content)
}

#[test]
fn what_lies_within_is_found_and_nothing_else() {
    let house = house();
    let root = root(&house);
    for guide in GUIDES {
        let inside = enter(&root, guide);
        for name in ["a", "sub/a", "sub/deep/a", "a b/a", ".../a", "%2e%2e/a", "\\a"] {
            assert_eq!(read(&inside, name).as_deref(), Some(&b"a"[..]), "{name}, {guide:?}");
        }
        for name in [
            "within",
            "within-above",
            "within-absolute",
            "folder/a",
            "folder-absolute/a",
            "out-and-in",
            "sub/above",
        ] {
            assert_eq!(read(&inside, name).as_deref(), Some(&b"a"[..]), "{name}, {guide:?}");
        }
        for name in [
            "out",
            "out-absolute",
            "out-folder/a",
            "sub/out-folder/a",
            "out-root/etc/passwd",
            "out-proc/etc/passwd",
            "broken",
            "loop",
            "none",
            "a/b",
            "fifo",
            "link-to-fifo",
            "sub",
            "",
            "../secret",
            "sub/../../secret",
        ] {
            assert_eq!(read(&inside, name), None, "{name}, {guide:?}");
        }
        for name in ["", "sub", "folder", "folder-absolute"] {
            assert_eq!(inside.look(name).ok(), Some(Thing::Folder), "{name}, {guide:?}");
        }
        for name in ["fifo", "link-to-fifo"] {
            assert_eq!(inside.look(name).ok(), Some(Thing::Other), "{name}, {guide:?}");
        }
        for name in ["out", "out-folder", "out-root", "broken", "loop", "none"] {
            assert!(inside.look(name).is_err(), "{name}, {guide:?}");
        }
    }
}

#[test]
fn listed_is_what_can_be_asked_for() {
    let house = house();
    let root = root(&house);
    for guide in GUIDES {
        let inside = enter(&root, guide);
        let (entries, extent) = inside.list("", 100).expect("a folder");
        let mut names: Vec<_> = entries.iter().map(|entry| &*entry.name).collect();
        names.sort_unstable();
        let want = [
            "%2e%2e",
            "a",
            "a b",
            "folder",
            "folder-absolute",
            "out-and-in",
            "sub",
            "within",
            "within-above",
            "within-absolute",
        ];
        assert_eq!((&*names, extent), (&want[..], Extent::Whole), "{guide:?}");
        let (entries, extent) = inside.list("", 3).expect("a folder");
        assert!(entries.len() <= 3 && extent == Extent::Cut, "{entries:?}, {guide:?}");
        for name in ["out-folder", "out-root", "a", "none"] {
            assert!(inside.list(name, 100).is_err(), "{name}, {guide:?}");
        }
    }
}

/// While one asks, another exchanges a folder for a link that leads out, and back.
#[test]
fn a_folder_that_becomes_a_link_while_it_is_asked_for_leads_nowhere() {
    let house = house();
    let at = |name: &str| house.path().join(name);
    fs::create_dir(at("www/x")).expect("a folder can be made");
    fs::write(at("www/x/a"), "a").expect("a file can be written");
    // By its absolute path: what the kernel refuses is asked for in the other way.
    symlink(at("outside"), at("www/y")).expect("a link can be made");
    fs::write(at("outside/b"), SECRET).expect("a file can be written");
    let root = root(&house);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for (from, to) in [("x", "z"), ("y", "x"), ("x", "y"), ("z", "x")] {
                    fs::rename(at("www").join(from), at("www").join(to)).expect("it is ours");
                }
            }
        });
        let (mut found, mut missed) = ([0; 2], [0; 2]);
        for (turn, guide) in GUIDES.into_iter().cycle().enumerate().take(20_000) {
            let inside = enter(&root, guide);
            if let Ok(Thing::File(stamp)) = inside.look("x/a") {
                assert_eq!(stamp.length, 1, "how long it is outside, {guide:?}");
            }
            assert!(inside.look("x/b").is_err(), "what is there outside, {guide:?}");
            if let Ok((entries, _)) = inside.list("x", 10) {
                assert!(entries.iter().all(|entry| entry.name == "a"), "{entries:?}, {guide:?}");
            }
            match read(&inside, "x/a") {
                Some(content) => {
                    assert_eq!(content, b"a", "{guide:?}");
                    found[turn % 2] += 1;
                }
                None => missed[turn % 2] += 1,
            }
        }
        is_over.store(true, Ordering::Relaxed);
        assert!(found.into_iter().chain(missed).all(|times| times > 0), "found {found:?}, missed {missed:?}");
    });
}

/// Who has put a link in the folder's place has not moved the pages: that is for SIGHUP to look up.
#[test]
fn a_link_in_the_folders_place_is_not_followed() {
    let house = house();
    let root = root(&house);
    fs::rename(house.path().join("www"), house.path().join("old")).expect("it is ours");
    symlink("outside", house.path().join("www")).expect("a link can be made");
    assert!(root.enter().is_err());
}

/// The folder itself may be exchanged for another: that is how some deploy.
#[test]
fn the_folder_in_its_place_now_is_the_one_that_is_served() {
    let house = house();
    let root = root(&house);
    let at = |name: &str| house.path().join(name);
    fs::rename(at("www"), at("old")).expect("it is ours");
    assert!(root.enter().is_err(), "it is not there");
    fs::create_dir(at("www")).expect("a folder can be made");
    fs::write(at("www/new"), "a").expect("a file can be written");
    let inside = root.enter().expect("it is there");
    assert!(read(&inside, "new").is_some() && read(&inside, "a").is_none());
}

proptest! {
    /// Whatever is asked for, in whatever way it is written.
    #[test]
    fn no_path_leads_to_what_lies_outside(
        segments in prop::collection::vec(
            prop::sample::select(vec![
                "a", "sub", "deep", "..", ".", "", "%2e%2e", "%2E.", "..%2f", "%2f", "%252e%252e", "%5c..", "..\\", "...",
                "folder", "folder-absolute", "out", "out-absolute", "out-and-in", "out-folder", "out-root", "out-proc",
                "secret", "outside", "a%20b", ".hidden", "%2ehidden", "fifo", "etc", "passwd", "%00", "a%00", "within",
                "link-to-fifo", "loop", "%c0%ae%c0%ae", "within-above", "above",
            ]),
            0..8,
        ),
    ) {
        thread_local! {
            static HOUSE: TempDir = house();
        }
        HOUSE.with(|house| {
            let root = root(house);
            let Ok(path) = CleanPath::parse(&format!("/{}", segments.join("/"))) else { return Ok(()) };
            for guide in GUIDES {
                let inside = enter(&root, guide);
                if let Some(content) = read(&inside, path.relative()) {
                    prop_assert_eq!(&*content, b"a", "{:?}, {:?}", segments, guide);
                }
                if let Ok((entries, _)) = inside.list(path.relative(), 100) {
                    let is_secret = |entry: &Entry| ["secret", "outside", "passwd", ".hidden"].contains(&&*entry.name);
                    prop_assert!(!entries.iter().any(is_secret), "{:?}: {:?}, {:?}", segments, entries, guide);
                }
            }
            Ok(())
        })?;
    }
}
