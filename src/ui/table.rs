//! Tables: as wide as the terminal, plain when piped.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement};

/// The most characters of a word that is never broken: an id has up to 128, but those that people give are short.
const WORD: usize = 24;

/// A table being made.
#[derive(Debug)]
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads.
    pub fn new<const N: usize>(heads: [&'static str; N]) -> Self {
        Table {
            heads: heads.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; text is made safe to show.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| crate::base::text::shown(&cell).into_owned())
                .collect(),
        );
    }

    /// Tells whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text: columns fitted to the width of a terminal; without one two spaces apart and never wrapped, so
    /// that a row is a line for awk and grep.
    pub fn render(self, width: Option<u16>) -> String {
        match width {
            Some(width) => self.fitted(width),
            None => self.plain(),
        }
    }

    fn fitted(self, width: u16) -> String {
        // Ids and states stay whole, so that they can be copied; titles give way.
        let is_word = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .clone()
                .all(|cell| !cell.contains(' ') && cell.chars().count() <= WORD)
        };
        let words: Vec<usize> = (0..self.heads.len())
            .filter(|column| is_word(*column))
            .collect();
        let mut table = comfy_table::Table::new();
        table
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        table.set_header(self.heads);
        for row in self.rows {
            table.add_row(row);
        }
        for column in words {
            if let Some(column) = table.column_mut(column) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let mut text = String::new();
        for line in table.to_string().lines() {
            text.push_str(line.strip_prefix(' ').unwrap_or(line).trim_end());
            text.push('\n');
        }
        text
    }

    fn plain(self) -> String {
        let mut widths: Vec<usize> = self.heads.iter().map(|head| head.len()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let start = text.len();
            for (width, cell) in widths.iter().zip(cells) {
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
            }
            text.truncate(start + text.get(start..).unwrap_or_default().trim_end().len());
            text.push('\n');
        };
        line(&mut self.heads.iter().copied());
        for row in &self.rows {
            line(&mut row.iter().map(String::as_str));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn piped_rows_are_lines() {
        let mut table = Table::new(["TASK", "TITLE"]);
        table.row([
            String::from("task_001"),
            String::from("a\u{1b}[31m title\nof two lines"),
        ]);
        assert_eq!(
            table.render(None),
            "TASK      TITLE\ntask_001  a\\u{1b}[31m title\\nof two lines\n"
        );
    }

    #[test]
    fn ids_are_not_broken_in_a_narrow_terminal() {
        let mut table = Table::new(["TASK", "TITLE"]);
        table.row([
            String::from("task_001"),
            String::from("a rather long title that has to give way to the id"),
        ]);
        let text = table.render(Some(30));
        assert!(
            text.contains("task_001") && text.lines().count() > 2,
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 30),
            "{text}"
        );
    }
}
