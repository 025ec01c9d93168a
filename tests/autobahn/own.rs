//! Trials of the comparison itself. They need no suite.

use crate::suite;
use crate::table::{PATH, Table, text};

/// The table is as a run would write it, has something of all groups, and expects no fault.
pub(crate) fn table_is_in_order(groups: &[u16]) {
    let table = Table::load();
    assert_eq!(text(), table.print(), "{PATH} is not as a run writes it");
    for group in groups {
        assert!(table.rows.keys().any(|case| case.group() == *group), "{PATH} has no case of group {group}");
    }
    for (case, outcome) in &table.rows {
        assert_eq!(outcome.fault(), None, "{PATH} expects it of {case}");
    }
}

/// What the driver says of its plan and of its cases, and how each complaint about that begins and ends.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

pub(crate) fn every_fault_is_seen() {
    let table = Table::parse("# a comment\n\n9.2 OK OK 1000 clean server\n10.1 OK OK none clean server\n");
    let table = table.expect("that is a table");
    let good = "case 9.2 OK OK 1000 clean server\n";
    let rows: [Row; 12] = [
        ("plan 9.2", good, &[]),
        ("plan 9.2 9.10", good, &[("9.10 ", "did not end")]),
        ("plan 9.2 9.10 9.11", good, &[("9.10 ", "did not end, and 1 more")]),
        ("plan 9.2", "case 9.2 OK OK 1001 clean server\n", &[("9.2 ", "1001  clean      server")]),
        ("plan 9.2", "case 9.2 FAILED OK 1000 clean server\n", &[("9.2 ", "the answer is wrong")]),
        ("plan 9.2", "case 9.2 NON-STRICT OK 1000 clean server\n", &[("9.2 ", "the answer is wrong")]),
        ("plan 9.2", "case 9.2 OK WRONG-CODE 1000 clean server\n", &[("9.2 ", "it closes is wrong")]),
        ("plan 9.2", "case 9.2 OK OK 1000 unclean server\n", &[("9.2 ", "is not whole")]),
        ("plan 9.2", "case 9.2 OK OK 1000 clean client\n", &[("9.2 ", "drop the connection")]),
        (
            "plan 9.1",
            "case 9.1 OK OK 1000 clean server\n",
            &[("9.1 ", "server"), ("9.2 ", "not in the suite")],
        ),
        ("plan 9.2", "Traceback\ncase 9.2 OK OK 1000 clean server\n", &[("Traceback", "Traceback")]),
        ("plan", "", &[("the suite has no such case", "")]),
    ];
    for (plan, cases, want) in rows {
        let said = format!("{plan}\n{cases}end\n");
        let got = table.complaints(Some(9), &suite::listen(&said));
        let is_like =
            |(line, (begin, end)): (&String, &(&str, &str))| line.starts_with(begin) && line.ends_with(end);
        assert!(got.len() == want.len() && got.iter().zip(want).all(is_like), "{said}gave {got:#?}");
    }
}
