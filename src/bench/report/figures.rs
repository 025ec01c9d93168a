//! Figures as people read them: thousands apart, no more digits than are known, a unit where one is needed.
//!
//! Must not know: what a figure is of.

/// Groups of three digits: `1,234,567`.
pub(crate) fn count(value: u64) -> String {
    group(&value.to_string())
}

/// `1 connection`, `2 connections`.
pub(crate) fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// Milliseconds without their unit, three or four digits of them: the histogram knows no more.
pub(crate) fn ms(value: f64) -> String {
    fixed(value, 3)
}

/// Something a second, without its unit.
pub(crate) fn rate(value: f64) -> String {
    fixed(value, 2)
}

/// Seconds without their unit, without zeros at the end.
pub(crate) fn seconds(value: f64) -> String {
    trimmed(&fixed(value, 2))
}

/// Milliseconds that somebody typed: without their unit, without zeros at the end.
pub(crate) fn limit_ms(value: f64) -> String {
    trimmed(&fixed(value, 3))
}

/// A share as percent, with its unit.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return UNKNOWN.to_owned();
    }
    format!("{} %", group(&format!("{:.0}", share * 100.0)))
}

/// How much arrived, as percent: with as many digits as it takes to tell it from everything.
pub(crate) fn reach(share: f64) -> String {
    if !share.is_finite() || share >= 1.0 {
        return percent(share);
    }
    let digits = (2..6).find(|digits| !format!("{:.digits$}", share * 100.0).starts_with("100"));
    digits.map_or_else(|| "99.99999 %".to_owned(), |digits| format!("{:.digits$} %", share * 100.0))
}

/// Bytes with their unit, in powers of 1024.
pub(crate) fn bytes(value: f64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    if value.abs() < 1023.5 {
        return format!("{} B", minus(&format!("{value:.0}")));
    }
    let mut scaled = value / 1024.0;
    let mut unit = 0;
    while scaled.abs() >= 1023.95 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{} {}", group(&format!("{scaled:.1}")), UNITS[unit])
}

/// A ratio of two figures: `1.25 ×`. `None` when there is none to speak of.
pub(crate) fn ratio(first: f64, second: f64) -> Option<String> {
    let ratio = second / first;
    if !ratio.is_finite() || first <= 0.0 || second < 0.0 {
        return None;
    }
    Some(format!("{} ×", fixed(ratio, if ratio < 0.1 { 3 } else { 2 })))
}

/// In the space of a few letters, for a line that must be short: `950`, `12.3k`, `4.5M`.
pub(crate) fn short(value: f64) -> String {
    const UNITS: [&str; 4] = ["", "k", "M", "G"];
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let mut scaled = value;
    let mut unit = 0;
    while scaled.abs() >= 999.5 && unit + 1 < UNITS.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && scaled.abs() < 99.95);
    format!("{scaled:.digits$}{}", UNITS[unit])
}

/// What stands for a figure that is no number.
const UNKNOWN: &str = "–";

/// One digit less behind the point for each one more before it, from `digits` behind a single one.
fn fixed(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    // No run has it, but a file can say it.
    if value.abs() >= 1e12 {
        return format!("{value:.1e}");
    }
    let fits =
        |text: &String| text.trim_start_matches('-').bytes().filter(u8::is_ascii_digit).count() <= digits + 1;
    let text = (1..=digits).rev().map(|digits| format!("{value:.digits$}")).find(fits);
    minus(&group(&text.unwrap_or_else(|| format!("{value:.0}"))))
}

/// Without zeros behind the point.
fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// What rounds to nothing has no sign.
fn minus(text: &str) -> String {
    let is_nothing = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    if is_nothing { text.trim_start_matches('-').to_owned() } else { text.to_owned() }
}

/// Commas between the thousands of a decimal number.
fn group(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        for (value, want) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (100_000, "100,000")]
        {
            assert_eq!(count(value), want);
        }
        assert_eq!((counted(1, "sender"), counted(0, "sender")), ("1 sender".into(), "0 senders".into()));
    }

    #[test]
    fn milliseconds() {
        for (value, want) in [
            (0.0, "0.000"),
            (0.041_5, "0.042"),
            (9.999_4, "9.999"),
            (9.999_6, "10.00"),
            (12.345, "12.35"),
            (99.996, "100.0"),
            (123.45, "123.5"),
            (999.96, "1,000"),
            (60_000.0, "60,000"),
            (-3.25e300, "-3.2e300"),
            (-0.000_1, "0.000"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(ms(value), want, "{value}");
        }
    }

    #[test]
    fn other_units() {
        for (share, want) in [(1.0, "100 %"), (0.999, "99.90 %"), (0.999_999, "99.9999 %"), (0.0, "0.00 %")] {
            assert_eq!(reach(share), want);
        }
        assert_eq!(reach(1.0 - 1e-12), "99.99999 %", "never all of it");
        for (value, want) in [
            (0.0, "0 B"),
            (1023.0, "1023 B"),
            (1024.0, "1.0 KiB"),
            (1_048_570.0, "1.0 MiB"),
            (1e15, "909.5 TiB"),
            (-2048.0, "-2.0 KiB"),
        ] {
            assert_eq!(bytes(value), want);
        }
        for (value, want) in [(0.0, "0"), (999.4, "999"), (999.6, "1.0k"), (12_345.0, "12.3k"), (4e6, "4.0M")]
        {
            assert_eq!(short(value), want);
        }
        assert_eq!((rate(99_981.44), rate(2.5)), ("99,981".to_owned(), "2.50".to_owned()));
        assert_eq!(percent(0.231), "23 %");
        assert_eq!([0.0, 10.0, 1.234, 600.0].map(seconds), ["0", "10", "1.23", "600"]);
        assert_eq!([20.0, 2.5, 0.125].map(limit_ms), ["20", "2.5", "0.125"]);
    }

    #[test]
    fn ratios() {
        assert_eq!(ratio(2.0, 2.5).as_deref(), Some("1.25 ×"));
        assert_eq!(ratio(10.0, 0.98).as_deref(), Some("0.098 ×"));
        assert_eq!(ratio(1.0, 120.0).as_deref(), Some("120 ×"));
        for (first, second) in [(0.0, 1.0), (1.0, f64::NAN), (0.0, 0.0), (-1.0, 1.0)] {
            assert_eq!(ratio(first, second), None);
        }
    }
}
