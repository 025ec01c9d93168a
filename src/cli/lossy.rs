//! Lines for somebody who may not take them: what is refused is lost, counted, and told when lines are taken
//! again.
//!
//! Must not know: who takes them, how a line looks.
//!
//! Invariant: a line that is taken comes behind the report of all that were lost before it, and begins at the
//! beginning of a line.

/// What became of a line that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Whole,
    /// The beginning of it: a disk got full, or a terminal.
    Part,
    Nothing,
}

/// The lines that were lost since the last report.
#[derive(Debug, Default)]
pub(crate) struct Lossy {
    lost: u64,
    /// The last thing taken was part of a line.
    is_torn: bool,
}

impl Lossy {
    /// Offers a line; in front of it the report of those that were lost, if there are any.
    pub(crate) fn offer(
        &mut self,
        line: &str,
        report: impl FnOnce(u64) -> String,
        mut take: impl FnMut(&str) -> Taken,
    ) {
        self.confess(report, &mut take);
        // Behind a report that was not taken no line may come.
        if self.lost > 0 || self.put(line, &mut take) != Taken::Whole {
            self.lost += 1;
        }
    }

    /// Offers the report alone.
    pub(crate) fn confess(
        &mut self,
        report: impl FnOnce(u64) -> String,
        mut take: impl FnMut(&str) -> Taken,
    ) {
        if self.lost == 0 {
            return;
        }
        let end_of_torn = if self.is_torn { "\n" } else { "" };
        let report = format!("{end_of_torn}{}", report(self.lost));
        if self.put(&report, &mut take) == Taken::Whole {
            self.lost = 0;
        }
    }

    fn put(&mut self, line: &str, take: &mut impl FnMut(&str) -> Taken) -> Taken {
        let taken = take(line);
        match taken {
            Taken::Whole => self.is_torn = false,
            Taken::Part => self.is_torn = true,
            Taken::Nothing => {}
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said when the lines `0`, `1`, … are offered to somebody who does these things in turn, and then
    /// takes all.
    fn said(lines: usize, deeds: &[Taken]) -> String {
        let mut deeds = deeds.iter();
        let mut said = String::new();
        let mut lossy = Lossy::default();
        for line in 0..lines {
            let take = |line: &str| {
                let taken = *deeds.next().unwrap_or(&Taken::Whole);
                match taken {
                    Taken::Whole => said.push_str(line),
                    Taken::Part => said.push_str(&line[..line.len() / 2]),
                    Taken::Nothing => {}
                }
                taken
            };
            lossy.offer(&format!("line {line}\n"), |lost| format!("lost {lost}\n"), take);
        }
        said
    }

    #[test]
    fn what_was_lost_is_told_before_the_next_line() {
        use Taken::{Nothing, Part, Whole};
        let rows: [(&[Taken], &str); 8] = [
            (&[], "line 0\nline 1\nline 2\nline 3\n"),
            (&[Nothing], "lost 1\nline 1\nline 2\nline 3\n"),
            (&[Whole, Nothing, Nothing], "line 0\nlost 2\nline 3\n"),
            (&[Nothing; 4], ""),
            // The report is taken, the line behind it is not.
            (&[Nothing, Whole, Nothing], "lost 1\nlost 1\nline 2\nline 3\n"),
            (&[Part], "lin\nlost 1\nline 1\nline 2\nline 3\n"),
            (&[Part, Nothing, Nothing], "lin\nlost 3\nline 3\n"),
            (&[Nothing, Part], "los\nlost 2\nline 2\nline 3\n"),
        ];
        for (deeds, want) in rows {
            assert_eq!(said(4, deeds), want, "{deeds:?}");
        }
    }

    #[test]
    fn a_report_comes_by_itself_when_it_is_asked_for() {
        let mut lossy = Lossy::default();
        let report = |lost: u64| lost.to_string();
        lossy.confess(report, |line| panic!("nothing was lost: {line}"));
        lossy.offer("line", report, |_| Taken::Nothing);
        lossy.confess(report, |_| Taken::Nothing);
        let mut said = String::new();
        lossy.confess(report, |line| {
            said.push_str(line);
            Taken::Whole
        });
        assert_eq!(said, "1");
        lossy.confess(report, |line| panic!("it was told: {line}"));
    }
}
