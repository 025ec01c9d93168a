//! A result as JSON: one object on one line, its keys in the order that is promised, ours behind them.
//!
//! Must not know: how it is read again (`read` does), where it is written to.
//!
//! Invariant: every key is always there; a figure that is not known, or is no number, is `null`.

use crate::bench::plan::Pace;
use crate::bench::summary::{
    About, Connections, Deliveries, Generator, Lateness, Percentiles, SearchResult, Series, ServerUse, Span,
    Spread, Stage, Summary,
};
use crate::escape;

/// Behind the point: of milliseconds, seconds, shares and rates.
const DIGITS: usize = 3;
/// Of a quantile, where 0.9999 and 0.99999 are worlds apart.
const DIGITS_OF_QUANTILE: usize = 9;

/// The whole result as one object and a line break.
pub(crate) fn json(summary: &Summary) -> String {
    let messages = Object::new()
        .count_if("sent", summary.messages.sent)
        .figure("per_second", summary.messages.per_second)
        .count_if("unsent", summary.messages.unsent);
    let bytes = Object::new().count("sent", summary.bytes.sent).count("received", summary.bytes.received);
    let curve = summary.curve.iter().map(|point| {
        format!("[{},{}]", number(point.quantile, DIGITS_OF_QUANTILE), number(point.ms, DIGITS))
    });
    let object = Object::new()
        .text("url", &summary.url)
        .text("scenario", summary.scenario.name())
        .figure("seconds", Some(summary.seconds))
        .value("connections", &connections(&summary.connections))
        .value("messages", &messages.end())
        .value("deliveries", &deliveries(&summary.deliveries))
        .value("reach", &summary.reach.map_or_else(null, reach))
        .value("latency_ms", &percentiles(&summary.latency_ms))
        .value("spread_ms", &spread(&summary.spread_ms))
        .value("bytes", &bytes.end())
        .value("generator", &generator(&summary.generator))
        .value("server", &server(&summary.server))
        .value("measured_latency_ms", &percentiles(&summary.measured_latency_ms))
        .value("curve", &array(curve))
        .value("series", &series(&summary.series))
        .value("search", &summary.search.as_ref().map_or_else(null, search))
        .value("notes", &array(summary.notes.iter().map(|note| string(note))))
        .value("about", &about(&summary.about));
    object.end() + "\n"
}

fn connections(connections: &Connections) -> String {
    let causes = connections.causes.iter();
    let causes = causes.fold(Object::new(), |object, (name, count)| object.count(name, *count));
    Object::new()
        .count("asked", connections.asked)
        .count("opened", connections.opened)
        .count("failed", connections.failed)
        .count("lost", connections.lost)
        .figure("per_second", connections.per_second)
        .value("causes", &causes.end())
        .end()
}

fn deliveries(deliveries: &Deliveries) -> String {
    Object::new()
        .count_if("expected", deliveries.expected)
        .count_if("received", deliveries.received)
        .count_if("lost", deliveries.lost)
        .count_if("duplicated", deliveries.duplicated)
        .count_if("reordered", deliveries.reordered)
        .count_if("corrupt", deliveries.corrupt)
        .figure("per_second", deliveries.per_second)
        .end()
}

/// Rounded, but never up to 1 where something is missing.
fn reach(share: f64) -> String {
    let below_one = 1.0 - 0.1_f64.powi(3);
    number(if share < 1.0 { share.min(below_one) } else { share }, DIGITS)
}

fn percentiles(percentiles: &Percentiles) -> String {
    Object::new()
        .figure("p50", percentiles.p50)
        .figure("p90", percentiles.p90)
        .figure("p99", percentiles.p99)
        .figure("p99_9", percentiles.p99_9)
        .figure("max", percentiles.max)
        .end()
}

fn spread(spread: &Spread) -> String {
    Object::new().figure("p50", spread.p50).figure("p99", spread.p99).figure("max", spread.max).end()
}

fn generator(generator: &Generator) -> String {
    Object::new()
        .figure("cpu_share", generator.cpu_share)
        .flag("bottleneck", generator.bottleneck)
        .figure("busy_share", generator.busy_share)
        .value("lateness_ms", &generator.lateness_ms.as_ref().map_or_else(null, lateness))
        .end()
}

fn lateness(lateness: &Lateness) -> String {
    let Lateness { p50, p99, max } = *lateness;
    Object::new().figure("p50", Some(p50)).figure("p99", Some(p99)).figure("max", Some(max)).end()
}

fn server(server: &ServerUse) -> String {
    Object::new()
        .figure("cpu_seconds", server.cpu_seconds)
        .count_if("rss_bytes", server.rss_bytes)
        .figure("rss_per_connection", server.rss_per_connection)
        .end()
}

fn series(series: &Series) -> String {
    let span = |span: &Span| {
        let Span { sent, received, open, latency_us_max } = *span;
        let (whole, rest) = (latency_us_max / 1_000, latency_us_max % 1_000);
        format!("[{sent},{received},{open},{whole}.{rest:03}]")
    };
    Object::new()
        .figure("interval_seconds", Some(series.interval))
        .figure("measured_from", Some(series.measured.0))
        .figure("measured_to", Some(series.measured.1))
        .value("spans", &array(series.spans.iter().map(span)))
        .end()
}

fn search(search: &SearchResult) -> String {
    let stage = |stage: &Stage| {
        Object::new()
            .count("connections", stage.connections)
            .figure("p95_ms", Some(stage.p95_ms))
            .count("lost", stage.lost)
            .count("broken", stage.broken)
            .flag("bottleneck", stage.bottleneck)
            .end()
    };
    Object::new()
        .figure("p95_ms", Some(search.limit_ms))
        .count("held", search.held)
        .value("stages", &array(search.stages.iter().map(stage)))
        .end()
}

fn about(about: &About) -> String {
    let (rate, window) = match about.pace {
        None => (None, None),
        Some(Pace::Open { rate }) => (Some(u64::from(rate)), None),
        Some(Pace::Closed { window }) => (None, Some(window as u64)),
    };
    Object::new()
        .text("command", &about.command)
        .text("version", &about.version)
        .text("machine", &about.machine)
        .text("began", &about.began)
        .count_if("rate", rate)
        .count_if("window", window)
        .count_if("senders", about.senders)
        .count_if("message_bytes", about.message_bytes)
        .count_if("connections", about.connections)
        .count_if("slow", about.slow)
        .end()
}

/// An object that is being written.
struct Object {
    /// From the opening brace on.
    text: String,
}

impl Object {
    fn new() -> Self {
        Self { text: "{".to_owned() }
    }

    /// `value` is JSON.
    fn value(mut self, key: &str, value: &str) -> Self {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.extend([&string(key), ":", value]);
        self
    }

    fn text(self, key: &str, value: &str) -> Self {
        self.value(key, &string(value))
    }

    fn flag(self, key: &str, value: bool) -> Self {
        self.value(key, if value { "true" } else { "false" })
    }

    fn count(self, key: &str, value: u64) -> Self {
        self.value(key, &value.to_string())
    }

    fn count_if(self, key: &str, value: Option<u64>) -> Self {
        self.value(key, &value.map_or_else(null, |value| value.to_string()))
    }

    fn figure(self, key: &str, value: Option<f64>) -> Self {
        self.value(key, &value.map_or_else(null, |value| number(value, DIGITS)))
    }

    fn end(self) -> String {
        self.text + "}"
    }
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn string(raw: &str) -> String {
    format!("\"{}\"", escape::json(raw))
}

fn null() -> String {
    "null".to_owned()
}

/// Without an exponent; JSON has no word for what is no number (RFC 8259 §6).
fn number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return null();
    }
    let text = format!("{value:.digits$}");
    // What rounds to nothing has no sign.
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_contract_word_by_word() {
        let text = json(&sample::small());
        let want = concat!(
            r#"{"url":"ws://127.0.0.1:9999/","scenario":"broadcast","seconds":10.000,"#,
            r#""connections":{"asked":100,"opened":98,"failed":2,"lost":1,"per_second":1234.568,"#,
            r#""causes":{"refused":2,"closed 1013":1}},"#,
            r#""messages":{"sent":1000,"per_second":100.000,"unsent":0},"#,
            r#""deliveries":{"expected":98000,"received":97999,"lost":1,"duplicated":0,"reordered":0,"#,
            r#""corrupt":0,"per_second":9799.900},"#,
            r#""reach":0.999,"#,
            r#""latency_ms":{"p50":0.412,"p90":0.801,"p99":1.402,"p99_9":3.110,"max":8.022},"#,
            r#""spread_ms":{"p50":0.210,"p99":0.820,"max":1.201},"#,
            r#""bytes":{"sent":64200,"received":6500000},"#,
            r#""generator":{"cpu_share":0.231,"bottleneck":false,"busy_share":0.310,"#,
            r#""lateness_ms":{"p50":0.012,"p99":0.090,"max":0.300}},"#,
            r#""server":{"cpu_seconds":1.234,"rss_bytes":12582912,"rss_per_connection":6348.800},"#,
            r#""measured_latency_ms":{"p50":null,"p90":null,"p99":null,"p99_9":null,"max":null},"#,
            r#""curve":[[0.000000000,0.100],[0.500000000,0.412],[0.999990000,7.000],[1.000000000,8.022]],"#,
            r#""series":{"interval_seconds":0.500,"measured_from":1.000,"measured_to":2.000,"#,
            r#""spans":[[0,0,98,0.000],[50,4900,98,1.402],[50,4900,98,8.022],[0,1,97,12.001]]},"#,
            r#""search":{"p95_ms":20.000,"held":200,"stages":["#,
            r#"{"connections":200,"p95_ms":3.100,"lost":0,"broken":0,"bottleneck":false},"#,
            r#"{"connections":300,"p95_ms":25.125,"lost":2,"broken":1,"bottleneck":true}]},"#,
            r#""notes":["12 messages were not ours"],"#,
            r#""about":{"command":"fanfare bench ws://127.0.0.1:9999/ -r 100","version":"fanfare 0.1.0","#,
            r#""machine":"Linux, 2 processors","began":"2026-11-25T03:08:18Z","#,
            r#""rate":100,"window":null,"senders":1,"message_bytes":64,"connections":100,"slow":null}}"#,
            "\n"
        );
        assert_eq!(text, want);
    }

    #[test]
    fn what_is_not_there_is_null() {
        let text = json(&sample::empty());
        for part in [
            r#""per_second":null,"causes":{}}"#,
            r#""messages":{"sent":null,"per_second":null,"unsent":null}"#,
            r#""reach":null,"#,
            r#""lateness_ms":null}"#,
            r#""server":{"cpu_seconds":null,"rss_bytes":null,"rss_per_connection":null}"#,
            r#""curve":[],"#,
            r#""search":null,"notes":[],"#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn whatever_was_typed_is_json() {
        let summary = sample::hostile();
        let text = json(&summary);
        assert_eq!(text.matches('\n').count(), 1, "one line");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["url"], summary.url);
        assert_eq!(value["notes"][0], summary.notes[0]);
        assert_eq!(value["connections"]["causes"][&summary.connections.causes[0].0], 7);
        assert!(value["seconds"].is_null(), "not a number");
        assert!(value["latency_ms"]["max"].is_null(), "infinite");
    }

    #[test]
    fn numbers() {
        for (value, digits, want) in [
            (0.0, 3, "0.000"),
            (-0.000_1, 3, "0.000"),
            (-1.25, 1, "-1.2"),
            (1e21, 0, "1000000000000000000000"),
            (1e-9, 3, "0.000"),
            (f64::NAN, 3, "null"),
            (f64::NEG_INFINITY, 3, "null"),
        ] {
            assert_eq!(number(value, digits), want, "{value}");
        }
        for (share, want) in [(1.0, "1.000"), (0.999_999, "0.999"), (0.57, "0.570"), (0.0, "0.000")] {
            assert_eq!(reach(share), want, "{share}");
        }
    }
}
