//! A terminal's 80 columns: labels at the left, figures beside them, and what does not fit on the next line.
//!
//! Must not know: what the figures mean.
//!
//! Invariant: no line is longer than [`COLUMNS`], and none has a control character beside our own colours.

use crate::escape;

/// What every terminal has.
pub(super) const COLUMNS: usize = 80;
/// Where figures begin.
pub(super) const INDENT: usize = 15;

/// Whether a terminal is there to show colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Letters only.
    Plain,
    /// With the sequences of ECMA-48 for bold, red and yellow.
    Ansi,
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// The name of what follows.
    Heading,
    /// Something was lost.
    Loss,
    /// Figures to be careful with.
    Warning,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Heading => "\x1b[1m",
            Self::Loss => "\x1b[31m",
            Self::Warning => "\x1b[33m",
        }
    }
}

/// A piece of a line, with its tone.
pub(super) type Piece = (Tone, String);

/// Lines that are being written.
pub(super) struct Sheet {
    colour: Colour,
    text: String,
}

impl Sheet {
    pub(super) fn new(colour: Colour) -> Self {
        Self { colour, text: String::new() }
    }

    /// A label, and pieces beside it: as many on a line as fit, the rest below.
    pub(super) fn row(&mut self, label: &str, pieces: &[Piece]) {
        let mut column = self.label(label);
        let mut is_first = true;
        for (tone, raw) in pieces {
            for line in wrap(&escape::text(raw), COLUMNS - INDENT) {
                let gap = if is_first { 0 } else { GAP.len() };
                if column + gap + width(&line) > COLUMNS {
                    self.text.push('\n');
                    column = self.label("");
                } else if gap > 0 {
                    self.text.push_str(GAP);
                    column += gap;
                }
                column += width(&line);
                self.paint(*tone, &line);
                is_first = false;
            }
        }
        self.text.push('\n');
    }

    /// A label, and figures below each other with those of other rows, their right ends aligned.
    pub(super) fn columns(&mut self, label: &str, cells: &[Piece]) {
        self.label(label);
        self.cells(cells, CELL);
    }

    /// A wider label, and two figures beside each other with what is made of them.
    pub(super) fn pair(&mut self, label: &str, cells: [Piece; 3]) {
        let label = cut(label, LABEL_OF_PAIR - 1);
        self.paint(Tone::Heading, &label);
        self.text.push_str(&" ".repeat(LABEL_OF_PAIR - width(&label)));
        self.cells(&cells, CELL_OF_PAIR);
    }

    /// Text across the sheet, its first line set in by `first` and the others by `hang`, which is no less.
    pub(super) fn paragraph(&mut self, tone: Tone, raw: &str, first: usize, hang: usize) {
        for (at, line) in wrap(&escape::text(raw), COLUMNS - hang).iter().enumerate() {
            let indent = if at == 0 { first } else { hang };
            self.text.push_str(&" ".repeat(indent));
            self.paint(tone, line);
            self.text.push('\n');
        }
    }

    /// A line that sets apart; two in a row are one.
    pub(super) fn blank(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    pub(super) fn end(self) -> String {
        self.text
    }

    /// Gives the column behind it.
    fn label(&mut self, label: &str) -> usize {
        let label = cut(label, INDENT - 1);
        self.paint(Tone::Heading, &label);
        self.text.push_str(&" ".repeat(INDENT - width(&label)));
        INDENT
    }

    fn cells(&mut self, cells: &[Piece], columns: usize) {
        for (tone, cell) in cells {
            let cell = cut(&escape::text(cell), columns - 1);
            self.text.push_str(&" ".repeat(columns - width(&cell)));
            self.paint(*tone, &cell);
        }
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    fn paint(&mut self, tone: Tone, text: &str) {
        if self.colour == Colour::Plain || tone == Tone::Plain || text.is_empty() {
            self.text.push_str(text);
        } else {
            self.text.extend([tone.code(), text, "\x1b[0m"]);
        }
    }
}

const GAP: &str = "   ";
/// Columns of one cell: five of them stand beside a label.
const CELL: usize = 11;
/// The same for two results side by side.
const LABEL_OF_PAIR: usize = 22;
const CELL_OF_PAIR: usize = 18;

/// Columns that a text takes. Letters of East Asia and emoji take two.
pub(super) fn width(text: &str) -> usize {
    let is_wide = |letter: char| matches!(u32::from(letter), 0x1100..=0x115f | 0x2e80..=0xffdc | 0x1f300..);
    text.chars().map(|letter| if is_wide(letter) { 2 } else { 1 }).sum()
}

/// At most so many columns; what is missing is said by `…`.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if width(&kept) + width(letter.encode_utf8(&mut [0; 4])) >= columns {
            break;
        }
        kept.push(letter);
    }
    kept + "…"
}

/// Lines of at most so many columns, broken between words where it can be.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        for (at, part) in chop(word, columns).iter().enumerate() {
            let line = lines.last_mut().expect("begun with one");
            let gap = usize::from(!line.is_empty() && at == 0);
            if width(line) + gap + width(part) > columns {
                lines.push(part.clone());
            } else {
                line.push_str(&" ".repeat(gap));
                line.push_str(part);
            }
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// A word in parts that fit.
fn chop(word: &str, columns: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut used = 0;
    for letter in word.chars() {
        let wide = width(letter.encode_utf8(&mut [0; 4]));
        if used + wide > columns {
            parts.push(String::new());
            used = 0;
        }
        parts.last_mut().expect("begun with one").push(letter);
        used += wide;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_long_ones_broken() {
        for (text, want) in [
            ("", vec![""]),
            ("one two", vec!["one two"]),
            ("one two three", vec!["one two", "three"]),
            ("abcdefghijkl m", vec!["abcdefgh", "ijkl m"]),
            ("你好你好你", vec!["你好你好", "你"]),
        ] {
            assert_eq!(wrap(text, 8), want);
        }
        assert_eq!(
            (cut("abcdef", 4), cut("abcd", 4), cut("你好", 3)),
            ("abc…".into(), "abcd".into(), "你…".into())
        );
    }

    #[test]
    fn a_row_goes_on_below_its_figures() {
        let mut sheet = Sheet::new(Colour::Plain);
        let piece = |text: &str| (Tone::Plain, text.to_owned());
        sheet.row("label", &[piece(&"a".repeat(40)), piece(&"b".repeat(30)), piece("c\u{1b}")]);
        sheet.columns("figures", &[piece("1.0"), piece(""), piece("12345678901234")]);
        let indent = " ".repeat(INDENT);
        let want = format!(
            "label          {}\n{indent}{}   c\\u001b\nfigures                1.0            123456789…\n",
            "a".repeat(40),
            "b".repeat(30)
        );
        assert_eq!(sheet.end(), want);
    }

    #[test]
    fn colours_are_around_the_letters_only() {
        let mut sheet = Sheet::new(Colour::Ansi);
        sheet.row("lost", &[(Tone::Loss, "7".to_owned()), (Tone::Plain, "\x1b[32m".to_owned())]);
        assert_eq!(sheet.end(), "\x1b[1mlost\x1b[0m           \x1b[31m7\x1b[0m   \\u001b[32m\n");
    }
}
