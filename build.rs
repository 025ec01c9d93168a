//! Writes the table of the pages that are compiled in: each file of `www/` as a path and its bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("www");
    // A directory is watched whole: a new file is noticed as well as a changed one.
    println!("cargo::rerun-if-changed=www");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();

    let mut table = String::from("&[\n");
    for file in &files {
        let path = file.strip_prefix(&root).expect("collected below the root");
        let path = path.to_str().expect("page names are UTF-8").replace('\\', "/");
        writeln!(table, "    ({path:?}, include_bytes!({:?})),", file.display().to_string())
            .expect("a String takes everything");
    }
    table.push_str("]\n");
    let out = Path::new(&env::var_os("OUT_DIR").expect("cargo sets it")).join("pages.rs");
    fs::write(out, table)
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
