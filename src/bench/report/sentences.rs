//! What a result means, in sentences: whether all went well, what was done, why two results do not compare.
//!
//! Must not know: where the sentences stand. They are escaped there.

use super::figures;
use crate::bench::plan::{Pace, Scenario};
use crate::bench::summary::{SearchResult, Summary};

/// What is said beside figures that are the generator's own fault.
pub(super) const BOTTLENECK: &str = "the generator was the bottleneck: the server can do better than this";

/// How a run ended, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A connection or a message was lost.
    Lossy,
    /// Nothing was lost, but the figures are the generator's own fault.
    Bottleneck,
    /// All went well.
    Clean,
}

/// How `summary` ended.
pub(super) fn verdict(summary: &Summary) -> Verdict {
    match (summary.is_clean(), summary.generator.bottleneck) {
        (false, _) => Verdict::Lossy,
        (true, true) => Verdict::Bottleneck,
        (true, false) => Verdict::Clean,
    }
}

/// The whole result in a sentence or two.
pub(super) fn whole(summary: &Summary) -> String {
    let first = if summary.is_clean() { all_well(summary) } else { losses(summary) };
    if summary.generator.bottleneck { format!("{first} But {BOTTLENECK}.") } else { first }
}

fn all_well(summary: &Summary) -> String {
    let opened = summary.connections.opened;
    let connections = match opened {
        0 => "no connection was opened".to_owned(),
        1 => "the connection held".to_owned(),
        opened => format!("all {} connections held", figures::count(opened)),
    };
    match summary.deliveries.received {
        Some(received) if received > 1 => {
            let received = figures::count(received);
            format!("Clean: {connections}, and all {received} deliveries arrived whole.")
        }
        Some(_) | None => format!("Clean: {connections}."),
    }
}

fn losses(summary: &Summary) -> String {
    let connections = &summary.connections;
    let deliveries = &summary.deliveries;
    let of = |count: u64, all: u64, what: &str| match count {
        0 => None,
        count => Some(format!("{} of {} {what}", figures::count(count), figures::count(all))),
    };
    let expected = deliveries.expected.unwrap_or(0);
    let unsent = summary.messages.unsent.unwrap_or(0);
    let due = unsent.saturating_add(summary.messages.sent.unwrap_or(0));
    let all = [
        of(connections.failed, connections.asked.max(connections.failed), "connections failed"),
        of(connections.lost, connections.opened, "connections lost"),
        of(deliveries.lost.unwrap_or(0), expected, "deliveries lost"),
        of(deliveries.corrupt.unwrap_or(0), expected, "deliveries corrupt"),
        of(unsent, due, "messages not taken"),
    ];
    let all: Vec<_> = all.into_iter().flatten().collect();
    match (all.is_empty(), summary.reach) {
        (true, Some(reach)) => format!("Not clean: {} of the deliveries arrived.", figures::reach(reach)),
        (true, None) => "Not clean.".to_owned(),
        (false, _) => format!("Not clean: {}.", all.join(", ")),
    }
}

/// What was done to the server, part by part: `1,000 connections`, `100 messages a second`.
pub(super) fn load(summary: &Summary) -> Vec<String> {
    let about = &summary.about;
    let mut parts = clients(summary);
    parts.extend(about.senders.map(|senders| figures::counted(senders, "sender")));
    parts.extend(about.message_bytes.map(|bytes| match bytes {
        1..=1024 => figures::counted(bytes, "byte"),
        bytes => figures::bytes(bytes as f64),
    }));
    parts.extend(about.pace.map(|pace| self::pace(pace, summary.scenario)));
    parts.push(format!("{}\u{a0}s", figures::seconds(summary.seconds)));
    parts
}

/// How many connections there were, and what for.
fn clients(summary: &Summary) -> Vec<String> {
    let about = &summary.about;
    let asked = summary.connections.asked;
    match (summary.scenario, about.connections, about.slow) {
        (Scenario::Connect, Some(places), _) => {
            vec![figures::counted(asked, "handshake"), format!("{} at a time", figures::count(places))]
        }
        (Scenario::Slow, _, Some(slow)) => vec![
            figures::counted(asked.saturating_sub(slow), "connection"),
            format!("{} that never read", figures::count(slow)),
        ],
        (Scenario::Connect, None, _) => vec![figures::counted(asked, "handshake")],
        (Scenario::Idle | Scenario::Echo | Scenario::Broadcast | Scenario::Slow, _, _) => {
            vec![figures::counted(asked, "connection")]
        }
    }
}

/// When the next message was sent, or the next handshake begun.
pub(super) fn pace(pace: Pace, scenario: Scenario) -> String {
    match (pace, scenario) {
        (Pace::Open { rate }, Scenario::Connect) => {
            format!("{}/s (open loop)", figures::counted(rate.into(), "handshake"))
        }
        (Pace::Open { rate }, _) => format!("{}/s (open loop)", figures::counted(rate.into(), "message")),
        (Pace::Closed { .. }, Scenario::Connect) => "closed loop".to_owned(),
        (Pace::Closed { window }, _) => format!("{} in flight (closed loop)", figures::count(window as u64)),
    }
}

/// What the search found.
pub(super) fn answer(search: &SearchResult) -> String {
    let limit = figures::limit_ms(search.limit_ms);
    let Some(last) = search.stages.last().filter(|_| search.held > 0) else {
        return format!("not even the first stage held a 95th percentile below {limit} ms");
    };
    let held = figures::counted(search.held, "connection");
    // The search ends at the first stage that does not hold: without one it ended for another reason.
    let more = match last.broken {
        _ if last.holds(search.limit_ms) => ", and more were not tried".to_owned(),
        0 => String::new(),
        broken => {
            let (at, broken) = (figures::count(last.connections), figures::counted(broken, "connection"));
            format!("; with {at}, {broken} failed")
        }
    };
    let doubt = if search.stages.iter().any(|stage| stage.connections == search.held && stage.bottleneck) {
        "; the generator was the bottleneck there"
    } else {
        ""
    };
    format!("held {held} with p95 below {limit} ms{more}{doubt}")
}

/// How the latency is called.
pub(super) fn latency_name(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::Connect => "handshake",
        Scenario::Idle | Scenario::Broadcast | Scenario::Slow => "latency",
        Scenario::Echo => "round trip",
    }
}

/// Why the figures of two results must not be put beside each other without a thought. Empty when they may.
pub(super) fn differences([first, second]: [&Summary; 2]) -> Vec<String> {
    let (a, b) = (&first.about, &second.about);
    let mut found = Vec::new();
    if first.scenario != second.scenario {
        let names = [first, second].map(|summary| summary.scenario.name());
        found.push(format!("not comparable: the scenarios differ, {} and {}", names[0], names[1]));
    }
    if first.connections.asked != second.connections.asked {
        let [a, b] = [first, second].map(|summary| figures::count(summary.connections.asked));
        found.push(format!("the numbers of connections differ, {a} and {b}"));
    }
    if first.scenario.has_messages() && second.scenario.has_messages() {
        let sizes = [a, b].map(|about| about.message_bytes.map(figures::count));
        found.extend(difference("message sizes", sizes));
        let paces = [first, second].map(|one| one.about.pace.map(|pace| self::pace(pace, one.scenario)));
        found.extend(difference("paces", paces));
        found.extend(difference("numbers of senders", [a, b].map(|about| about.senders.map(figures::count))));
    }
    if a.machine != b.machine {
        found.push("they were measured on different machines".to_owned());
    }
    for (name, summary) in [("A", first), ("B", second)] {
        if summary.generator.bottleneck {
            found.push(format!("in {name} {BOTTLENECK}"));
        }
        if !summary.is_clean() {
            found.push(format!("{name} is not clean: what was lost has no latency"));
        }
    }
    found
}

fn difference(what: &str, values: [Option<String>; 2]) -> Option<String> {
    match values {
        [Some(a), Some(b)] if a == b => None,
        [Some(a), Some(b)] => Some(format!("the {what} differ, {a} and {b}")),
        [None, _] | [_, None] => Some(format!("the {what} are not known")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_verdict_names_what_was_lost() {
        for (summary, verdict_wanted, want) in [
            (
                sample::clean(),
                Verdict::Clean,
                "Clean: all 1,000 connections held, and all 1,000,000 deliveries arrived whole.",
            ),
            (
                sample::small(),
                Verdict::Lossy,
                "Not clean: 2 of 100 connections failed, 1 of 98 connections lost, \
                 1 of 98,000 deliveries lost.",
            ),
            (
                sample::search(),
                Verdict::Bottleneck,
                "Clean: all 1,000 connections held, and all 1,000,000 deliveries arrived whole. \
                 But the generator was the bottleneck: the server can do better than this.",
            ),
            (sample::empty(), Verdict::Clean, "Clean: no connection was opened."),
            (
                Summary { reach: Some(0.5), ..sample::empty() },
                Verdict::Lossy,
                "Not clean: 50.00 % of the deliveries arrived.",
            ),
        ] {
            assert_eq!((verdict(&summary), whole(&summary).as_str()), (verdict_wanted, want));
        }
    }

    #[test]
    fn the_search_answers() {
        let search = sample::search().search.expect("one");
        assert_eq!(answer(&search), "held 1,000 connections with p95 below 20 ms");
        let cut = SearchResult { stages: search.stages[..5].to_vec(), ..search.clone() };
        assert!(answer(&cut).ends_with("and more were not tried"));
        let none = SearchResult { held: 0, ..search };
        assert_eq!(answer(&none), "not even the first stage held a 95th percentile below 20 ms");
    }

    #[test]
    fn results_that_do_not_compare() {
        let clean = sample::clean();
        assert_eq!(differences([&clean, &clean]), Vec::<String>::new());
        let closed = sample::search();
        let idle = sample::empty();
        let unknown = Summary { about: crate::bench::summary::About::default(), ..sample::clean() };
        for (both, want) in [
            ([&clean, &closed], "the paces differ, 100 messages/s (open loop) and 4 in flight (closed loop)"),
            ([&clean, &closed], "in B the generator was"),
            ([&clean, &idle], "not comparable: the scenarios differ, broadcast and idle"),
            ([&clean, &idle], "the numbers of connections differ, 1,000 and 0"),
            ([&unknown, &clean], "the message sizes are not known"),
            ([&unknown, &clean], "they were measured on different machines"),
            ([&sample::small(), &clean], "A is not clean"),
        ] {
            let found = differences(both);
            assert!(found.iter().any(|line| line.starts_with(want)), "{want}: {found:?}");
        }
    }
}
