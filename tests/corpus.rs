//! The checks of the fuzz targets, on stable: every seed, and random inputs beside them.
//!
//! `PROPTEST_CASES=100000 cargo test --release --test corpus` gives them more of it. An input that fails becomes a
//! seed in `fuzz/seeds/`.

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::thread;

#[path = "../fuzz/checks/mod.rs"]
#[expect(unreachable_pub, reason = "they are public for the fuzz targets")]
mod checks;

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The names in a folder below `fuzz/`, without extensions.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz_folder().join(folder)).expect("the folder is there");
    let stem = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    entries.map(|entry| stem(&entry.expect("it can be read").path())).collect()
}

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(fuzz_folder().join("seeds").join(target)).expect("the target has seeds");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("it can be read"))).collect()
}

#[test]
fn every_target_has_its_check_and_its_seeds() {
    let known: BTreeSet<_> = checks::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), known);
    assert_eq!(names("seeds"), known);
    for (target, _) in checks::ALL {
        assert!(seeds(target).len() >= 10, "{target} has seeds");
    }
}

#[test]
fn every_seed_passes() {
    let mut failed = Vec::new();
    for (target, check) in checks::ALL {
        for (path, seed) in seeds(target) {
            if catch_unwind(|| check(&seed)).is_err() {
                failed.push(path.display().to_string());
            }
        }
    }
    assert!(failed.is_empty(), "these fail, as it says above:\n{}", failed.join("\n"));
}

/// Random bytes alone do not get far: most inputs are seeds with some bytes changed, cut out or put in.
#[test]
fn random_inputs_pass() {
    let runs = checks::ALL.map(|(target, check)| (target, thread::spawn(move || run(target, check))));
    for (target, run) in runs {
        if let Err(TestError::Fail(reason, input)) = run.join().expect("the runner catches panics") {
            panic!("{target} fails: {reason}\nwith the input b\"{}\"", input.escape_ascii());
        }
    }
}

fn run(target: &str, check: checks::Check) -> Result<(), TestError<Vec<u8>>> {
    let seeds: Vec<_> = seeds(target).into_iter().map(|(_, seed)| seed).collect();
    let edit = (any::<prop::sample::Index>(), 0_usize..4, prop::collection::vec(any::<u8>(), 0..4));
    let changed =
        (prop::sample::select(seeds), prop::collection::vec(edit, 1..6)).prop_map(|(mut seed, edits)| {
            for (at, removed, added) in edits {
                let at = at.index(seed.len() + 1);
                let end = seed.len().min(at + removed);
                seed.splice(at..end, added);
            }
            seed
        });
    let input = prop_oneof![3 => changed, 1 => prop::collection::vec(any::<u8>(), 0..300)];
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    runner.run(&input, |input| {
        check(&input);
        Ok(())
    })
}
