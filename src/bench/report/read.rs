//! A result read again from the JSON that an earlier run printed.
//!
//! What the contract promises must be there. What is ours beyond it may be missing, as in the file of an
//! older version, and then has no figure; what is there must be of its kind.
//!
//! Must not know: files.

use crate::bench::limits::SERIES_SPANS_MAX;
use crate::bench::plan::{Pace, Scenario};
use crate::bench::summary::{
    About, Bytes, Connections, CurvePoint, Deliveries, Generator, Lateness, Messages, Percentiles,
    SearchResult, Series, ServerUse, Span, Spread, Stage, Summary,
};
use crate::escape;
use serde_json::Value;
use std::fmt;

/// The longest file that is worth reading, in bytes. With all spans, points and causes there can be, ours
/// stay far below.
pub(crate) const FILE_BYTES_MAX: u64 = 16 << 20;

/// Items of one array. Past it the file is not one of ours.
const ITEMS_MAX: usize = 100_000;

const _: () = assert!(SERIES_SPANS_MAX == 600, "as the message says");

/// Why a text is no result. Shown behind the name of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// No JSON at all.
    Syntax { line: usize, column: usize },
    /// A key of the contract is not there.
    Missing { key: String },
    /// A value is of another kind.
    Wrong { key: String, takes: &'static str },
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, column } => {
                write!(formatter, "not JSON at line {line}, column {column}")?;
            }
            Self::Missing { key } => write!(formatter, "\"{}\" is missing", escape::text(key))?,
            Self::Wrong { key, takes } => write!(formatter, "\"{}\" is not {takes}", escape::text(key))?,
        }
        formatter.write_str("; name a file that fanfare bench --json printed")
    }
}

impl std::error::Error for ReadError {}

/// Reads what [`super::json()`] wrote. The caller has made sure that it is at most [`FILE_BYTES_MAX`] long.
pub(crate) fn read(text: &str) -> Result<Summary, ReadError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| ReadError::Syntax { line: error.line(), column: error.column() })?;
    let root = Node { value: &value, path: String::new() };
    if !value.is_object() {
        return Err(ReadError::Wrong { key: "{".to_owned(), takes: "the beginning" });
    }
    Ok(Summary {
        url: root.get("url")?.text()?,
        scenario: scenario(&root.get("scenario")?)?,
        seconds: root.get("seconds")?.figure()?.unwrap_or(0.0),
        connections: connections(&root.get("connections")?)?,
        messages: messages(&root.get("messages")?)?,
        deliveries: deliveries(&root.get("deliveries")?)?,
        reach: root.get("reach")?.figure()?,
        latency_ms: percentiles(&root.get("latency_ms")?)?,
        spread_ms: spread(&root.get("spread_ms")?)?,
        bytes: bytes(&root.get("bytes")?)?,
        generator: generator(&root.get("generator")?)?,
        server: server(&root.get("server")?)?,
        measured_latency_ms: root.ours("measured_latency_ms", percentiles)?,
        curve: root.ours("curve", |node| node.items(curve_point))?,
        series: root.ours("series", series)?,
        search: root.ours("search", |node| search(node).map(Some))?,
        notes: root.ours("notes", |node| node.items(Node::text))?,
        about: root.ours("about", about)?,
    })
}

fn scenario(node: &Node<'_>) -> Result<Scenario, ReadError> {
    let name = node.text()?;
    let found = Scenario::ALL.into_iter().find(|scenario| scenario.name() == name);
    found.ok_or_else(|| node.wrong("connect, idle, echo, broadcast or slow"))
}

fn connections(node: &Node<'_>) -> Result<Connections, ReadError> {
    Ok(Connections {
        asked: node.get("asked")?.count()?,
        opened: node.get("opened")?.count()?,
        failed: node.get("failed")?.count()?,
        lost: node.get("lost")?.count()?,
        per_second: node.get("per_second")?.figure()?,
        causes: causes(&node.get("causes")?)?,
    })
}

/// An object has no order: the most frequent first, as they were.
fn causes(node: &Node<'_>) -> Result<Vec<(String, u64)>, ReadError> {
    let object = node.value.as_object().ok_or_else(|| node.wrong("an object"))?;
    let mut causes = Vec::with_capacity(object.len());
    for (name, value) in object {
        let count = Node { value, path: format!("{}.{name}", node.path) }.count()?;
        causes.push((name.clone(), count));
    }
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(causes)
}

fn messages(node: &Node<'_>) -> Result<Messages, ReadError> {
    Ok(Messages {
        sent: node.get("sent")?.count_if()?,
        per_second: node.get("per_second")?.figure()?,
        unsent: node.ours("unsent", Node::count_if)?,
    })
}

fn deliveries(node: &Node<'_>) -> Result<Deliveries, ReadError> {
    Ok(Deliveries {
        expected: node.get("expected")?.count_if()?,
        received: node.get("received")?.count_if()?,
        lost: node.get("lost")?.count_if()?,
        duplicated: node.get("duplicated")?.count_if()?,
        reordered: node.get("reordered")?.count_if()?,
        corrupt: node.get("corrupt")?.count_if()?,
        per_second: node.get("per_second")?.figure()?,
    })
}

fn percentiles(node: &Node<'_>) -> Result<Percentiles, ReadError> {
    Ok(Percentiles {
        p50: node.get("p50")?.figure()?,
        p90: node.get("p90")?.figure()?,
        p99: node.get("p99")?.figure()?,
        p99_9: node.get("p99_9")?.figure()?,
        max: node.get("max")?.figure()?,
    })
}

fn spread(node: &Node<'_>) -> Result<Spread, ReadError> {
    Ok(Spread {
        p50: node.get("p50")?.figure()?,
        p99: node.get("p99")?.figure()?,
        max: node.get("max")?.figure()?,
    })
}

fn bytes(node: &Node<'_>) -> Result<Bytes, ReadError> {
    Ok(Bytes { sent: node.get("sent")?.count()?, received: node.get("received")?.count()? })
}

fn generator(node: &Node<'_>) -> Result<Generator, ReadError> {
    Ok(Generator {
        cpu_share: node.get("cpu_share")?.figure()?,
        busy_share: node.ours("busy_share", Node::figure)?,
        lateness_ms: node.ours("lateness_ms", |node| lateness(node).map(Some))?,
        bottleneck: node.get("bottleneck")?.flag()?,
    })
}

fn lateness(node: &Node<'_>) -> Result<Lateness, ReadError> {
    Ok(Lateness {
        p50: node.get("p50")?.number()?,
        p99: node.get("p99")?.number()?,
        max: node.get("max")?.number()?,
    })
}

fn server(node: &Node<'_>) -> Result<ServerUse, ReadError> {
    Ok(ServerUse {
        cpu_seconds: node.get("cpu_seconds")?.figure()?,
        rss_bytes: node.get("rss_bytes")?.count_if()?,
        rss_per_connection: node.get("rss_per_connection")?.figure()?,
    })
}

fn curve_point(node: &Node<'_>) -> Result<CurvePoint, ReadError> {
    match node.items(Node::number)?[..] {
        [quantile, ms] => Ok(CurvePoint { quantile, ms }),
        _ => Err(node.wrong("a quantile and its milliseconds")),
    }
}

fn series(node: &Node<'_>) -> Result<Series, ReadError> {
    let spans = node.get("spans")?;
    let series = Series {
        interval: node.get("interval_seconds")?.number()?,
        measured: (node.get("measured_from")?.number()?, node.get("measured_to")?.number()?),
        spans: spans.items(span)?,
    };
    if series.spans.len() > SERIES_SPANS_MAX {
        return Err(spans.wrong("at most 600 spans"));
    }
    Ok(series)
}

fn span(node: &Node<'_>) -> Result<Span, ReadError> {
    let items = node.items(|item| Ok(Node { value: item.value, path: item.path.clone() }))?;
    let [sent, received, open, latency] = &items[..] else {
        return Err(node.wrong("three counts and milliseconds"));
    };
    // Saturating, as casts from floats are.
    let latency_us_max = (latency.number()? * 1_000.0).round() as u64;
    Ok(Span { sent: sent.count()?, received: received.count()?, open: open.count()?, latency_us_max })
}

fn search(node: &Node<'_>) -> Result<SearchResult, ReadError> {
    Ok(SearchResult {
        limit_ms: node.get("p95_ms")?.number()?,
        held: node.get("held")?.count()?,
        stages: node.get("stages")?.items(stage)?,
    })
}

fn stage(node: &Node<'_>) -> Result<Stage, ReadError> {
    Ok(Stage {
        connections: node.get("connections")?.count()?,
        p95_ms: node.get("p95_ms")?.number()?,
        lost: node.get("lost")?.count()?,
        broken: node.ours("broken", Node::count)?,
        bottleneck: node.get("bottleneck")?.flag()?,
    })
}

fn about(node: &Node<'_>) -> Result<About, ReadError> {
    Ok(About {
        command: node.ours("command", Node::text)?,
        version: node.ours("version", Node::text)?,
        machine: node.ours("machine", Node::text)?,
        began: node.ours("began", Node::text)?,
        pace: pace(node)?,
        senders: node.ours("senders", Node::count_if)?,
        message_bytes: node.ours("message_bytes", Node::count_if)?,
        connections: node.ours("connections", Node::count_if)?,
        slow: node.ours("slow", Node::count_if)?,
    })
}

fn pace(node: &Node<'_>) -> Result<Option<Pace>, ReadError> {
    if let Some(rate) = node.ours("rate", Node::count_if)? {
        let rate = u32::try_from(rate).map_err(|_| node.wrong("about a run that can be"))?;
        return Ok(Some(Pace::Open { rate }));
    }
    let Some(window) = node.ours("window", Node::count_if)? else { return Ok(None) };
    let window = usize::try_from(window).map_err(|_| node.wrong("about a run that can be"))?;
    Ok(Some(Pace::Closed { window }))
}

/// A value, and the way to it for the message.
struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    /// What the contract promises.
    fn get(&self, key: &str) -> Result<Node<'a>, ReadError> {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        match self.value.get(key) {
            Some(value) => Ok(Node { value, path }),
            None if self.value.is_object() => Err(ReadError::Missing { key: path }),
            None => Err(self.wrong("an object")),
        }
    }

    /// What is ours: nothing when it is not there, or null.
    fn ours<T: Default>(
        &self,
        key: &str,
        read: impl Fn(&Node<'a>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        match self.get(key) {
            Ok(node) if !node.value.is_null() => read(&node),
            Ok(_) | Err(ReadError::Missing { .. }) => Ok(T::default()),
            Err(error) => Err(error),
        }
    }

    fn text(&self) -> Result<String, ReadError> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.wrong("a text"))
    }

    fn flag(&self) -> Result<bool, ReadError> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    fn number(&self) -> Result<f64, ReadError> {
        self.value.as_f64().ok_or_else(|| self.wrong("a number"))
    }

    fn figure(&self) -> Result<Option<f64>, ReadError> {
        if self.value.is_null() { Ok(None) } else { self.number().map(Some) }
    }

    fn count(&self) -> Result<u64, ReadError> {
        self.value.as_u64().ok_or_else(|| self.wrong("a whole number"))
    }

    fn count_if(&self) -> Result<Option<u64>, ReadError> {
        if self.value.is_null() { Ok(None) } else { self.count().map(Some) }
    }

    fn items<T>(&self, read: impl Fn(&Node<'a>) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("an array"))?;
        if items.len() > ITEMS_MAX {
            return Err(self.wrong("an array that short"));
        }
        let node = |(at, value)| Node { value, path: format!("{}[{at}]", self.path) };
        items.iter().enumerate().map(node).map(|item| read(&item)).collect()
    }

    fn wrong(&self, takes: &'static str) -> ReadError {
        ReadError::Wrong { key: self.path.clone(), takes }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{json, sample};
    use super::*;

    /// Rounding happens once.
    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read(&json(&sample::empty())), Ok(sample::empty()));
        for summary in [sample::small(), sample::clean(), sample::search(), sample::hostile()] {
            let text = json(&summary);
            match read(&text) {
                Ok(again) => {
                    assert_eq!(json(&again), text);
                    let connections = Connections { per_second: None, ..again.connections };
                    assert_eq!(connections, Connections { per_second: None, ..summary.connections });
                    assert_eq!((again.url, again.notes), (summary.url, summary.notes));
                    assert_eq!((again.about, again.bytes), (summary.about, summary.bytes));
                    assert_eq!(again.series.spans, summary.series.spans);
                }
                // A null in the curve: infinite latencies are not of a run.
                Err(error) => assert!(summary.seconds.is_nan(), "{error}"),
            }
        }
    }

    #[test]
    fn an_older_file_has_no_figure_for_what_is_ours() {
        let mut value: Value = serde_json::from_str(&json(&sample::small())).expect("JSON");
        let object = value.as_object_mut().expect("an object");
        for ours in ["measured_latency_ms", "curve", "series", "search", "notes", "about"] {
            assert!(object.remove(ours).is_some(), "{ours}");
        }
        let generator = object["generator"].as_object_mut().expect("an object");
        generator.retain(|key, _| key == "cpu_share" || key == "bottleneck");
        let summary = read(&value.to_string()).expect("a result");
        assert_eq!(summary.deliveries, sample::small().deliveries);
        assert_eq!((summary.generator.busy_share, summary.generator.lateness_ms), (None, None));
        assert_eq!((summary.curve, summary.search, summary.about), (vec![], None, About::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = json(&sample::small());
        for (part, instead, want) in [
            (r#""url":"#, r#""uri":"#, r#""url" is missing"#),
            (r#""opened":98"#, r#""opened":-98"#, r#""connections.opened" is not a whole number"#),
            (r#""opened":98,"#, "", r#""connections.opened" is missing"#),
            (r#""refused":2"#, r#""a\u001b":"2""#, r#""connections.causes.a\u001b" is not a whole number"#),
            (r#""p99_9":3.110"#, r#""p99_9":"x""#, r#""latency_ms.p99_9" is not a number"#),
            (r#""bottleneck":false"#, r#""bottleneck":0"#, r#""generator.bottleneck" is not true or false"#),
            ("broadcast", "flood", r#""scenario" is not connect, idle, echo, broadcast or slow"#),
            ("[0,0,98,0.000]", "[0,0,98]", r#""series.spans[0]" is not three counts and milliseconds"#),
            ("[0.500000000,0.412]", "[]", r#""curve[1]" is not a quantile and its milliseconds"#),
            (r#""rate":100"#, r#""rate":1e99"#, r#""about.rate" is not a whole number"#),
            (r#"{"url""#, r#"["url""#, "not JSON at line 1, column 7"),
        ] {
            let text = good.replacen(part, instead, 1);
            assert_ne!(text, good, "{part}");
            let error = read(&text).expect_err(want).to_string();
            assert_eq!(error, format!("{want}; name a file that fanfare bench --json printed"));
        }
        for text in ["", "[]", "null", "7", "{}", &"[".repeat(100_000)] {
            let error = read(text).expect_err("no result").to_string();
            assert!(!error.contains('\n') && error.len() < 120, "{error}");
        }
    }
}
