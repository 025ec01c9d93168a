//! Everything that shows a result: JSON for programs, a table for a terminal, a page for people with time.
//!
//! `json` writes what `read` reads again, for comparisons. `table` and `page` show one run, `compare_table`
//! and `compare_page` two. Below them: `figures` words numbers, `sentences` what they mean, `sheet` is a
//! terminal's 80 columns, `html` a page's text; `chart` is the geometry of every picture, `curve`, `timeline`
//! and `stages` are the pictures.
//!
//! Must not know: how a figure was come by. Where the text goes is for the caller.
//!
//! Invariant: whatever is in a `Summary`, the JSON is JSON, the table puts no control character on a
//! terminal, and the page has no element and no request that is not written here.

mod chart;
mod compare_page;
mod compare_table;
mod curve;
pub(super) mod figures;
mod html;
mod json;
mod page;
mod read;
#[cfg(test)]
mod sample;
mod sentences;
mod sheet;
mod stages;
mod table;
mod timeline;

pub(crate) use compare_page::page as compare_page;
pub(crate) use compare_table::table as compare_table;
pub(crate) use json::json;
pub(crate) use page::page;
pub(crate) use read::{FILE_BYTES_MAX, read};
pub(crate) use sheet::Colour;
pub(crate) use table::table;
