//! Writes the table of the pages that are compiled in: each file of `www/` as a path, when it changed last, its bytes,
//! and the same compressed.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("www");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    // A directory is watched whole: a new file is noticed as well as a changed one.
    println!("cargo::rerun-if-changed=www");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();

    let mut table = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        let path = file.strip_prefix(&root).expect("collected below the root");
        let path = path.to_str().expect("page names are UTF-8").replace('\\', "/");
        let gzip = match compress(&fs::read(file)?)? {
            Some(compressed) => {
                let to = out.join(format!("{number}.gz"));
                fs::write(&to, compressed)?;
                format!("Some({})", include(&to))
            }
            None => "None".to_owned(),
        };
        writeln!(
            table,
            "    Source {{ path: {path:?}, modified: {}, plain: {}, gzip: {gzip} }},",
            modified(file)?,
            include(file)
        )
        .expect("a String takes everything");
    }
    table.push_str("]\n");
    fs::write(out.join("pages.rs"), table)
}

fn include(file: &Path) -> String {
    format!("include_bytes!({:?})", file.display().to_string())
}

/// Seconds since 1970; not later than what a reproducible build is dated with.
fn modified(file: &Path) -> io::Result<u64> {
    let modified = fs::metadata(file)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let dated = env::var("SOURCE_DATE_EPOCH").ok().and_then(|date| date.parse().ok());
    Ok(dated.map_or(modified, |dated: u64| dated.min(modified)))
}

/// `None` where that saves less than a tenth.
fn compress(bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    let compressed = encoder.finish()?;
    Ok((compressed.len() < bytes.len() / 10 * 9).then_some(compressed))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
