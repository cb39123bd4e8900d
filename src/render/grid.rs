//! Columns that fit a terminal.
//!
//! In: texts (already escaped), what may happen to each column, and a width. Out: lines with aligned columns, or the
//! word that they cannot fit. Promise: a column that is [`Fit::Whole`] is never cut; a cut is shown by `…`; a column that
//! is left out is named.
//!
//! What is tried, in this order: everything at full width; sentences below their rows; headings broken at spaces and after `_`; columns cut or wrapped, the
//! widest first; details left out, the last first; then, if that is wanted, other columns from the right.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Spaces between two columns.
pub(super) const GAP: usize = 2;

/// Where there is no terminal to fit, a text is cut at this width, and no column is padded beyond it: one value of 60,000
/// characters would otherwise make every line as long.
pub(super) const WIDEST: usize = 200;

/// Ends a colour.
const PLAIN: &str = "\u{1b}[0m";

/// A column is not cut below this width: that of an access key id, enough to recognise a value.
pub(super) const NARROWEST: usize = 20;

/// What may happen to a column so that the table fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Nothing: an identifier, a time, a number.
    Whole,
    /// Long texts end in `…`.
    Cut,
    /// Long texts go on in the next line.
    Wrap,
    /// It is written below its row, over the whole width.
    Below,
    /// It is left out, but never cut.
    Detail,
}

/// A column: its name, its side, and what may happen to it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// What stands above it.
    pub(super) heading: String,
    pub(super) right: bool,
    pub(super) fit: Fit,
}

/// A table of texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<String>>,
    /// The colour of a column's value, if there are colours.
    pub(super) tone: Option<fn(&str, &str) -> Option<&'static str>>,
    /// The most lines of a cell; what does not fit ends in `…`.
    pub(super) tallest: Option<usize>,
    /// Whether columns are left out from the right, the first ones kept, before the table is given up.
    pub(super) drops: bool,
}

/// A table of fewer columns says too little: its rows are better shown as lists.
const FEWEST: usize = 3;

/// How a grid is shown: its columns (index and width), and the names of those left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    columns: Vec<(usize, usize)>,
    /// Columns whose texts stand below their rows.
    below: Vec<usize>,
    pub(super) left_out: Vec<String>,
    /// The width to keep to.
    width: Option<usize>,
}

impl Grid {
    /// The layout for a width, if there is one.
    pub(super) fn layout(&self, width: Option<u16>) -> Option<Layout> {
        let limit = width.map_or(usize::MAX, usize::from);
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let full: Vec<usize> = shown
            .iter()
            .map(|&index| {
                self.cell_width(index)
                    .max(self.columns[index].heading.width())
            })
            .map(|width_of| match width {
                Some(_) => width_of,
                None => width_of.min(WIDEST),
            })
            .collect();
        let mut left_out = Vec::new();
        let mut below = Vec::new();
        let mut found = Some(full).filter(|full| total(full) <= limit);
        if found.is_none() {
            (below, shown) = shown
                .into_iter()
                .partition(|&index| self.columns[index].fit == Fit::Below);
        }
        loop {
            if let Some(widths) = found {
                return Some(Layout {
                    columns: shown.into_iter().zip(widths).collect(),
                    below,
                    left_out,
                    width: width.map(usize::from),
                });
            }
            found = self.squeezed(&shown, limit);
            if found.is_none() {
                let detail = |&index: &usize| self.columns[index].fit == Fit::Detail;
                let last = shown
                    .iter()
                    .rposition(detail)
                    .or_else(|| (self.drops && shown.len() > FEWEST).then(|| shown.len() - 1))?;
                left_out.insert(0, self.columns[shown.remove(last)].name.clone());
            }
        }
    }

    /// The widths of these columns with broken names and narrowed texts, if that is enough.
    fn squeezed(&self, shown: &[usize], limit: usize) -> Option<Vec<usize>> {
        let columns = || shown.iter().map(|&index| &self.columns[index]);
        let mut widths: Vec<usize> = shown
            .iter()
            .zip(columns())
            .map(|(&index, column)| self.cell_width(index).max(name_width(&column.heading)))
            .collect();
        while total(&widths) > limit {
            let (width, floor) = widths
                .iter_mut()
                .zip(columns())
                .filter(|(_, column)| matches!(column.fit, Fit::Cut | Fit::Wrap))
                .map(|(width, column)| (width, NARROWEST.max(name_width(&column.heading))))
                .filter(|(width, floor)| **width > *floor)
                .max_by_key(|(width, _)| **width)?;
            // At once to what would fit if the column stood alone, then step by step.
            *width = (*width - 1).min(limit).max(floor);
        }
        Some(widths)
    }

    fn cell_width(&self, index: usize) -> usize {
        let widths = self.rows.iter().map(|row| row[index].width());
        widths.max().unwrap_or(0)
    }

    /// The lines of the head. Names stand on the line above the rows, however many lines they have.
    pub(super) fn head(&self, layout: &Layout) -> Vec<String> {
        let columns = layout.columns.iter();
        let mut names: Vec<Vec<String>> = columns
            .map(|&(index, width)| broken(&self.columns[index].heading, width))
            .collect();
        let height = names.iter().map(Vec::len).max().unwrap_or(0);
        for name in &mut names {
            name.splice(0..0, vec![String::new(); height - name.len()]);
        }
        self.lines(layout, &names)
    }

    /// The lines of the rows.
    pub(super) fn body(&self, layout: &Layout) -> impl Iterator<Item = String> {
        self.rows.iter().flat_map(move |row| {
            let columns = layout.columns.iter();
            let cells: Vec<Vec<String>> = columns
                .map(|&(index, width)| match self.columns[index].fit {
                    Fit::Wrap => self.capped_height(wrapped(&row[index], width), width),
                    Fit::Cut if layout.width.is_some() => vec![cut(&row[index], width)],
                    // Rows that were not there when the widths were chosen may be longer.
                    Fit::Cut => vec![cut(&row[index], WIDEST)],
                    _ => vec![row[index].clone()],
                })
                .collect();
            let below = layout.below.iter().flat_map(|&index| {
                let width = layout.width.unwrap_or(WIDEST).saturating_sub(GAP).max(1);
                let text = format!("{}: {}", self.columns[index].heading, row[index]);
                let lines = self.capped_height(wrapped(&text, width), width);
                lines.into_iter().map(|line| " ".repeat(GAP) + &line)
            });
            let mut lines = self.lines(layout, &cells);
            lines.extend(below);
            lines
        })
    }

    /// The lines of a cell, no more than there may be.
    fn capped_height(&self, mut lines: Vec<String>, width: usize) -> Vec<String> {
        let most = self.tallest.unwrap_or(usize::MAX);
        if lines.len() > most {
            lines.truncate(most);
            if let Some(last) = lines.last_mut() {
                let kept = fitting(last.chars(), width.saturating_sub(1));
                *last = format!("{}…", kept.into_iter().collect::<String>().trim_end());
            }
        }
        lines
    }

    /// The columns whose texts are cut although there is no width to keep to.
    pub(super) fn capped(&self, layout: &Layout) -> impl Iterator<Item = &str> {
        let columns = layout.columns.iter().filter(|_| layout.width.is_none());
        let columns = columns.filter(|(index, _)| self.columns[*index].fit == Fit::Cut);
        let columns = columns.filter(|(index, _)| self.cell_width(*index) > WIDEST);
        columns.map(|(index, _)| self.columns[*index].name.as_str())
    }

    /// Cells of several lines side by side, without trailing spaces.
    fn lines(&self, layout: &Layout, cells: &[Vec<String>]) -> Vec<String> {
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        (0..height)
            .map(|at| {
                let texts = cells
                    .iter()
                    .map(|cell| cell.get(at).map_or("", String::as_str));
                let padded: Vec<String> = layout
                    .columns
                    .iter()
                    .zip(texts)
                    .map(|(&(index, width), text)| {
                        let Column { name, right, .. } = &self.columns[index];
                        let space = " ".repeat(width.saturating_sub(text.width()));
                        let tone = self.tone.and_then(|tone| tone(name, text));
                        let text = match tone {
                            Some(tone) => format!("{tone}{text}{PLAIN}"),
                            None => text.to_owned(),
                        };
                        if *right { space + &text } else { text + &space }
                    })
                    .collect();
                padded.join(&" ".repeat(GAP)).trim_end().to_owned()
            })
            .collect()
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The narrowest a name can be: its longest part.
fn name_width(name: &str) -> usize {
    let parts = name.split_inclusive(['_', ' ']);
    let widths = parts.map(|part| part.trim_end().width());
    widths.max().unwrap_or(0)
}

/// A column name in lines of at most `width`, broken after spaces and `_`.
fn broken(name: &str, width: usize) -> Vec<String> {
    filled(name.split_inclusive(['_', ' ']), width)
}

/// A text in lines of at most `width`, broken after spaces, and within a word only if it is too long for a line.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut parts = Vec::new();
    for word in text.split_inclusive(' ') {
        let (mut from, mut used) = (0, 0);
        for (at, c) in word.char_indices() {
            let wide = c.width().unwrap_or(0);
            if used + wide > width && at > from && c != ' ' {
                parts.push(&word[from..at]);
                (from, used) = (at, 0);
            }
            used += wide;
        }
        parts.push(&word[from..]);
    }
    filled(parts.into_iter(), width)
}

/// A text in lines of at most `width`, broken after spaces only: a longer word stays whole.
pub(super) fn between_words(text: &str, width: usize) -> Vec<String> {
    filled(text.split_inclusive(' '), width)
}

/// As many parts in a line as fit; a space at the end of a line does not count.
fn filled<'a>(parts: impl Iterator<Item = &'a str>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.width() + part.trim_end().width() <= width => line.push_str(part),
            _ => lines.push(part.to_owned()),
        }
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// A text cut to `width`: at its end, but an ARN in its middle, since its end is the part that tells.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let tail_room = if text.starts_with("arn:") {
        room / 2
    } else {
        0
    };
    let tail: Vec<char> = fitting(text.chars().rev(), tail_room);
    let head: Vec<char> = fitting(text.chars(), room - tail_room);
    head.into_iter()
        .chain(['…'])
        .chain(tail.into_iter().rev())
        .collect()
}

/// As many characters as fit.
fn fitting(chars: impl Iterator<Item = char>, room: usize) -> Vec<char> {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= room
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, fit: Fit) -> Column {
        Column {
            name: name.to_owned(),
            heading: name.to_owned(),
            right: false,
            fit,
        }
    }

    fn grid() -> Grid {
        Grid {
            columns: vec![
                column("access_key_id", Fit::Whole),
                column("user_agent", Fit::Cut),
                Column {
                    right: true,
                    ..column("source_ip_addresses", Fit::Detail)
                },
            ],
            rows: vec![vec![
                "AKIAIOSFODNN7EXAMPLE".to_owned(),
                "aws-cli/2.15.0 Python/3.11.6 Linux/5.10 botocore/2.4.5".to_owned(),
                "7".to_owned(),
            ]],
            ..Grid::default()
        }
    }

    fn shown(width: Option<u16>) -> Option<String> {
        let grid = grid();
        let layout = grid.layout(width)?;
        let lines: Vec<String> = grid
            .head(&layout)
            .into_iter()
            .chain(grid.body(&layout))
            .collect();
        if let Some(width) = width {
            assert!(lines.iter().all(|line| line.width() <= usize::from(width)));
        }
        Some(format!(
            "{}\n{}",
            lines.join("\n"),
            layout.left_out.join(",")
        ))
    }

    #[test]
    fn everything_when_there_is_room() {
        assert_eq!(
            shown(None).unwrap(),
            "access_key_id         user_agent                                              source_ip_addresses\n\
             AKIAIOSFODNN7EXAMPLE  aws-cli/2.15.0 Python/3.11.6 Linux/5.10 botocore/2.4.5                    7\n"
        );
    }

    #[test]
    fn names_break_then_texts_are_cut() {
        let expected = [
            "                                                     source_",
            "                                                         ip_",
            "access_key_id         user_agent                   addresses",
            "AKIAIOSFODNN7EXAMPLE  aws-cli/2.15.0 Python/3.11…          7",
            "",
        ];
        assert_eq!(shown(Some(60)).unwrap(), expected.join("\n"));
    }

    #[test]
    fn details_go_before_the_table_does() {
        assert_eq!(
            shown(Some(45)).unwrap(),
            "access_key_id         user_agent\nAKIAIOSFODNN7EXAMPLE  aws-cli/2.15.0 Python/…\nsource_ip_addresses"
        );
        assert_eq!(shown(Some(30)), None);
    }

    #[test]
    fn cuts_are_shown() {
        assert_eq!(cut("日本語です", 5), "日本…");
        assert_eq!(
            cut("arn:aws:iam::123456789012:user/ci-deploy", 20),
            "arn:aws:ia…ci-deploy"
        );
        assert_eq!(cut("short", 5), "short");
    }

    #[test]
    fn prose_wraps_at_words() {
        assert_eq!(
            wrapped("the quick brown fox", 9),
            ["the quick", "brown fox"]
        );
        assert_eq!(
            wrapped("see abcdefghijkl now", 5),
            ["see", "abcde", "fghij", "kl", "now"]
        );
        assert_eq!(wrapped("日本語です", 1), ["日", "本", "語", "で", "す"]);
        // A value of a megabyte, as logs may have them, takes no time.
        assert_eq!(wrapped(&"x".repeat(1 << 20), 64).len(), 1 << 14);
        assert_eq!(wrapped("", 5), [""; 0]);

        let grid = Grid {
            columns: vec![
                column("name", Fit::Whole),
                column("why", Fit::Below),
                column("last", Fit::Whole),
            ],
            rows: vec![["a", "one two three", "b"].map(str::to_owned).into()],
            ..Grid::default()
        };
        let layout = grid.layout(Some(14)).unwrap();
        assert_eq!(grid.head(&layout), ["name  last"]);
        let lines: Vec<String> = grid.body(&layout).collect();
        assert_eq!(lines, ["a     b", "  why: one two", "  three"]);
        let layout = grid.layout(Some(80)).unwrap();
        assert_eq!(grid.head(&layout), ["name  why            last"]);

        let grid = Grid {
            columns: vec![column("name", Fit::Whole), column("description", Fit::Wrap)],
            rows: vec![vec![
                "a".to_owned(),
                "When the call was completed.".to_owned(),
            ]],
            ..Grid::default()
        };
        let layout = grid.layout(Some(26)).unwrap();
        let lines: Vec<String> = grid.body(&layout).collect();
        assert_eq!(lines, ["a     When the call was", "      completed."]);
    }
}
