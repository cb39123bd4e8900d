//! Columns that fit a terminal.
//!
//! In: texts (already escaped), what may happen to each column, and a width. Out: lines with aligned columns, or the
//! word that they cannot fit. Promise: a column that is not `flexible` is never cut; a cut is shown by `…`; a column is
//! left out only if it is a `detail`, and then it is named.
//!
//! What is tried, in this order: everything at full width; column names broken after `_`; flexible columns cut, the
//! widest first; details left out, the last first.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Spaces between two columns.
const GAP: usize = 2;

/// A flexible column is not cut below this width: the width of an access key id, enough to recognise a value.
pub(super) const NARROWEST: usize = 20;

/// A column: its name and what may happen to it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) right: bool,
    pub(super) flexible: bool,
    pub(super) detail: bool,
}

/// A table of texts.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<String>>,
}

/// How a grid is shown: its columns (index and width), and the names of those left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    columns: Vec<(usize, usize)>,
    pub(super) left_out: Vec<String>,
}

impl Grid {
    /// The layout for a width, if there is one.
    pub(super) fn layout(&self, width: Option<u16>) -> Option<Layout> {
        let full: Vec<usize> = (0..self.columns.len())
            .map(|index| self.cell_width(index).max(self.columns[index].name.width()))
            .collect();
        let limit = width.map_or(usize::MAX, usize::from);
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let mut left_out = Vec::new();
        if total(&full) <= limit {
            return Some(Layout {
                columns: shown.into_iter().zip(full).collect(),
                left_out,
            });
        }
        loop {
            if let Some(widths) = self.squeezed(&shown, limit) {
                return Some(Layout {
                    columns: shown.into_iter().zip(widths).collect(),
                    left_out,
                });
            }
            let last = shown
                .iter()
                .rposition(|&index| self.columns[index].detail)?;
            left_out.insert(0, self.columns[shown.remove(last)].name.clone());
        }
    }

    /// The widths of these columns with broken names and cut texts, if that is enough.
    fn squeezed(&self, shown: &[usize], limit: usize) -> Option<Vec<usize>> {
        let narrowest = |index: usize| name_width(&self.columns[index].name);
        let mut widths: Vec<usize> = shown
            .iter()
            .map(|&index| self.cell_width(index).max(narrowest(index)))
            .collect();
        while total(&widths) > limit {
            let (at, width) = (0..shown.len())
                .filter(|&at| self.columns[shown[at]].flexible)
                .map(|at| (at, widths[at]))
                .max_by_key(|&(_, width)| width)?;
            // Cut the widest at once to what would fit if it stood alone; one step at a time from there.
            let floor = NARROWEST.max(narrowest(shown[at]));
            if width <= floor {
                return None;
            }
            widths[at] = (width - 1).min(limit).max(floor);
        }
        Some(widths)
    }

    fn cell_width(&self, index: usize) -> usize {
        self.rows
            .iter()
            .map(|row| row[index].width())
            .max()
            .unwrap_or(0)
    }

    /// The lines of the head, without trailing spaces.
    pub(super) fn head(&self, layout: &Layout) -> Vec<String> {
        let names: Vec<Vec<String>> = layout
            .columns
            .iter()
            .map(|&(index, width)| broken(&self.columns[index].name, width))
            .collect();
        let height = names.iter().map(Vec::len).max().unwrap_or(0);
        (0..height)
            .map(|line| {
                // Names stand on the line above the rows, however many lines they have.
                let part = |name: &Vec<String>| {
                    (line + name.len())
                        .checked_sub(height)
                        .map_or(String::new(), |at| name[at].clone())
                };
                self.line(layout, names.iter().map(part))
            })
            .collect()
    }

    /// The lines of the rows, without trailing spaces.
    pub(super) fn body(&self, layout: &Layout) -> impl Iterator<Item = String> {
        self.rows.iter().map(move |row| {
            let cells = layout.columns.iter();
            self.line(layout, cells.map(|&(index, width)| cut(&row[index], width)))
        })
    }

    fn line(&self, layout: &Layout, cells: impl Iterator<Item = String>) -> String {
        let mut line = String::new();
        for ((index, width), cell) in layout.columns.iter().zip(cells) {
            if !line.is_empty() {
                line.push_str(&" ".repeat(GAP));
            }
            let space = " ".repeat(width.saturating_sub(cell.width()));
            if self.columns[*index].right {
                line.push_str(&space);
                line.push_str(&cell);
            } else {
                line.push_str(&cell);
                line.push_str(&space);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The narrowest a name can be: its longest part.
fn name_width(name: &str) -> usize {
    name.split_inclusive('_')
        .map(UnicodeWidthStr::width)
        .max()
        .unwrap_or(0)
}

/// A column name in lines of at most `width`, broken after `_`.
fn broken(name: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in name.split_inclusive('_') {
        match lines.last_mut() {
            Some(line) if line.width() + part.width() <= width => line.push_str(part),
            _ => lines.push(part.to_owned()),
        }
    }
    lines
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

    fn column(name: &str, flexible: bool, detail: bool) -> Column {
        Column {
            name: name.to_owned(),
            right: false,
            flexible,
            detail,
        }
    }

    fn grid() -> Grid {
        Grid {
            columns: vec![
                column("access_key_id", false, false),
                column("user_agent", true, false),
                Column {
                    right: true,
                    ..column("source_ip_addresses", false, true)
                },
            ],
            rows: vec![vec![
                "AKIAIOSFODNN7EXAMPLE".to_owned(),
                "aws-cli/2.15.0 Python/3.11.6 Linux/5.10 botocore/2.4.5".to_owned(),
                "7".to_owned(),
            ]],
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
}
