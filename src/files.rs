//! The pages: those compiled in, or a folder's.
//!
//! A small file is read whole, a large one is kept open and read a piece at a time when its client can take
//! it. Nothing outside the folder is served: the path was cleaned, and where it really leads is asked of the
//! system.
//!
//! Must not know: who asked.

use crate::config::Pages;
use crate::connection::{Found, PageRequest};
use crate::error::Error;
use crate::http::content_type;
use crate::http::path::CleanPath;
use crate::http::response::{Content, Status};
use crate::http::{NOT_FOUND, Refusal};
use crate::limits::{FILE_PIECE_BYTES, FILES_OPEN_MAX};
use crate::outbox::{Body, FileId, FileRange};
use crate::transport::is_out_of_descriptors;
use slab::Slab;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Path and bytes of each page compiled in; `build.rs` writes the table.
const BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

const INDEX: &str = "index.html";

/// There are no places for files left, or no descriptors.
const TOO_MANY_FILES: Refusal =
    Refusal::new(Status::ServiceUnavailable, "too many files are being sent; try again later");

/// Finds pages, and holds the files that are being sent.
#[derive(Debug)]
pub(crate) struct Files {
    /// The folder, its own symbolic links resolved; `None`: the pages compiled in.
    folder: Option<PathBuf>,
    sending: Slab<File>,
}

impl Files {
    /// The pages an operator wants.
    ///
    /// # Errors
    /// When the folder is not there, is no folder or may not be read.
    pub(crate) fn new(pages: &Pages) -> Result<Self, Error> {
        let folder = match pages {
            Pages::BuiltIn => None,
            Pages::Folder(folder) => {
                let usable = folder.canonicalize().and_then(|real| fs::read_dir(&real).map(|_| real));
                Some(usable.map_err(|cause| Error::Pages { folder: folder.clone(), cause })?)
            }
        };
        Ok(Self { folder, sending: Slab::new() })
    }

    /// Looks up the folder anew: a link to it may lead elsewhere by now. Downloads under way go on with what they have.
    /// `None`: the pages are compiled in.
    ///
    /// # Errors
    /// Like [`new`](Self::new); the folder stays what it was.
    pub(crate) fn look_up_again(&mut self, pages: &Pages) -> Result<Option<&Path>, Error> {
        self.folder = Self::new(pages)?.folder;
        Ok(self.folder.as_deref())
    }

    /// What the path of a request leads to. A file that is kept open must be given back with [`close`](Self::close).
    ///
    /// # Errors
    /// 404 for whatever cannot be served, 503 when too many files are being sent.
    pub(crate) fn find(&mut self, request: &PageRequest) -> Result<Found, Refusal> {
        match &self.folder {
            None => find_built_in(request),
            Some(folder) => match locate(folder, &request.path)? {
                Located::File(file, name) => self.page(file, &name, request.content),
                Located::Folder(location) => Ok(Found::Folder { location }),
            },
        }
    }

    /// Reads the first piece of a range; less only where the file has become shorter.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn read(&mut self, range: FileRange, into: &mut [u8]) -> io::Result<usize> {
        let Some(file) = self.sending.get_mut(range.file.0 as usize) else { return Ok(0) };
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let length = length.min(into.len()).min(FILE_PIECE_BYTES);
        file.seek(SeekFrom::Start(range.start))?;
        file.read(&mut into[..length])
    }

    /// A file is sent, or its client is gone.
    pub(crate) fn close(&mut self, file: FileId) {
        self.sending.try_remove(file.0 as usize);
    }

    fn page(&mut self, mut file: File, name: &str, content: Content) -> Result<Found, Refusal> {
        let length = file.metadata().map_err(|_| NOT_FOUND)?.len();
        let content_type = content_type::of(name);
        if content == Content::Omitted {
            return Ok(Found::Page { content_type, length, body: None });
        }
        if length <= FILE_PIECE_BYTES as u64 {
            let mut bytes = Vec::new();
            // One that grows while it is read is cut at what fits a piece.
            file.by_ref().take(FILE_PIECE_BYTES as u64).read_to_end(&mut bytes).map_err(|_| NOT_FOUND)?;
            bytes.shrink_to_fit(); // it may be kept for a while
            return Ok(Found::Page {
                content_type,
                length: bytes.len() as u64,
                body: Some(Body::Bytes(bytes)),
            });
        }
        if self.sending.len() >= FILES_OPEN_MAX {
            return Err(TOO_MANY_FILES);
        }
        let id = u32::try_from(self.sending.insert(file)).expect("fewer than FILES_OPEN_MAX");
        let range = FileRange { file: FileId(id), start: 0, end: length };
        Ok(Found::Page { content_type, length, body: Some(Body::File(range)) })
    }
}

fn find_built_in(request: &PageRequest) -> Result<Found, Refusal> {
    let path = &request.path;
    let page = |name: &str| BUILT_IN.iter().find(|(known, _)| *known == name);
    let wanted = match (path.relative(), path.is_folder()) {
        ("", _) => page(INDEX),
        (folder, true) => page(&format!("{folder}/{INDEX}")),
        (file, false) => page(file),
    };
    match wanted {
        Some((name, bytes)) => Ok(Found::Page {
            content_type: content_type::of(name),
            length: bytes.len() as u64,
            body: (request.content == Content::Sent).then_some(Body::Static(bytes)),
        }),
        None if page(&format!("{}/{INDEX}", path.relative())).is_some() => {
            Ok(Found::Folder { location: path.as_folder().to_string() })
        }
        None => Err(NOT_FOUND),
    }
}

enum Located {
    File(File, String),
    Folder(String),
}

/// Opens the file that a path means, or says that it means a folder. What is neither is never opened: a FIFO
/// would block the loop.
fn locate(root: &Path, path: &CleanPath) -> Result<Located, Refusal> {
    let mut real = resolve(root, &root.join(path.relative()))?;
    let is_folder = fs::metadata(&real).map_err(|_| NOT_FOUND)?.is_dir();
    match (is_folder, path.is_folder()) {
        (true, false) => return Ok(Located::Folder(path.as_folder().to_string())),
        (false, true) => return Err(NOT_FOUND),
        (true, true) => real = resolve(root, &real.join(INDEX))?,
        (false, false) => {}
    }
    if !fs::metadata(&real).map_err(|_| NOT_FOUND)?.is_file() {
        return Err(NOT_FOUND);
    }
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // The name that was asked for decides the type, not that of the file a link leads to.
    let name = if is_folder { INDEX.to_owned() } else { last_segment(path).unwrap_or(name) };
    Ok(Located::File(File::open(&real).map_err(|error| refusal(&error))?, name))
}

/// What a file that cannot be opened means: it is none of the client's business, unless it is only now that there are
/// no descriptors.
fn refusal(error: &io::Error) -> Refusal {
    if is_out_of_descriptors(error) { TOO_MANY_FILES } else { NOT_FOUND }
}

fn last_segment(path: &CleanPath) -> Option<String> {
    path.relative().rsplit('/').next().map(str::to_owned)
}

/// Where a path really leads; an error when that is outside the folder.
fn resolve(root: &Path, path: &Path) -> Result<PathBuf, Refusal> {
    let real = path.canonicalize().map_err(|_| NOT_FOUND)?;
    if real.starts_with(root) { Ok(real) } else { Err(NOT_FOUND) }
}
