//! What people and scripts see: tables and lines, or JSON.
//!
//! Colours reach terminals alone, and none where `NO_COLOR` is set. Texts that came from elsewhere lose their control
//! characters, so that no event can steer a terminal.

use std::fmt::Write as _;
use std::io::{self, Stdout, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell as TableCell, Color, ContentArrangement, Table, presets};
use serde::Serialize;

/// Columns of a terminal below which wrapping would help nobody; some say that they have none.
const NARROWEST: u16 = 60;

/// Nobody reads our output any more, as with `connector tail | head`.
#[derive(Debug, thiserror::Error)]
#[error("the reader of the output is gone")]
pub(crate) struct Broken;

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Doubtful,
    Bad,
    Faint,
}

/// A text of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

/// Where all output goes.
pub(crate) struct Screen {
    json: bool,
    coloured: bool,
    out: AutoStream<Stdout>,
}

impl Tone {
    /// The text as a terminal shows it; stripped where there is none.
    pub(crate) fn paint(self, text: &str) -> String {
        let colour = match self {
            Self::Plain => return text.to_owned(),
            Self::Good => AnsiColor::Green,
            Self::Doubtful => AnsiColor::Yellow,
            Self::Bad => AnsiColor::Red,
            Self::Faint => AnsiColor::BrightBlack,
        };
        let style = Style::new().fg_color(Some(colour.into()));
        format!("{style}{text}{style:#}")
    }

    fn colour(self) -> Option<Color> {
        match self {
            Self::Plain => None,
            Self::Good => Some(Color::Green),
            Self::Doubtful => Some(Color::Yellow),
            Self::Bad => Some(Color::Red),
            Self::Faint => Some(Color::DarkGrey),
        }
    }
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: printable(text.as_ref()), tone }
    }

    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        let stdout = io::stdout();
        let choice = AutoStream::choice(&stdout);
        Self { json, coloured: choice != ColorChoice::Never, out: AutoStream::new(stdout, choice) }
    }

    /// Whether JSON is wanted, and nothing else.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Writes one JSON document.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.line(&text)
    }

    /// Writes a line; its texts have been made printable.
    pub(crate) fn line(&mut self, text: &str) -> anyhow::Result<()> {
        self.raw(&format!("{text}\n"))
    }

    /// Writes a text as it is.
    pub(crate) fn raw(&mut self, text: &str) -> anyhow::Result<()> {
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Broken.into()),
            written => Ok(written?),
        }
    }

    /// Writes a table, as wide as the terminal at most; without a terminal each row is one line.
    pub(crate) fn table(&mut self, head: &[&str], rows: Vec<Vec<Cell>>) -> anyhow::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if table.width().is_some_and(|width| width < NARROWEST) {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        if self.coloured {
            table.enforce_styling();
        }
        table.set_header(head.iter().map(|name| self.head(name)));
        for row in rows {
            table.add_row(row.into_iter().map(|cell| self.body(cell)));
        }
        for column in table.column_iter_mut().take(1) {
            column.set_padding((0, 1));
        }
        self.line(&table.trim_fmt())
    }

    fn head(&self, name: &str) -> TableCell {
        let cell = TableCell::new(name);
        if self.coloured { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    fn body(&self, cell: Cell) -> TableCell {
        match cell.tone.colour().filter(|_| self.coloured) {
            Some(colour) => TableCell::new(cell.text).fg(colour),
            None => TableCell::new(cell.text),
        }
    }
}

/// Marks that turn the direction of what follows them (Unicode UAX 9).
const BIDIRECTIONAL: [char; 12] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// A text without control characters and turned directions, which are written out instead.
pub(crate) fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        if character.is_control() || BIDIRECTIONAL.contains(&character) {
            let _ = write!(shown, "{}", character.escape_default());
        } else {
            shown.push(character);
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn no_text_from_elsewhere_can_steer_the_terminal() {
        assert_eq!(printable("HD_1\u{1b}[2J\n\u{9b}x ü"), "HD_1\\u{1b}[2J\\n\\u{9b}x ü");
    }
}
