//! Tables: as wide as the terminal, plain when piped.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, ContentArrangement};

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
                .iter()
                .map(|cell| crate::base::text::shown(cell).into_owned())
                .collect(),
        );
    }

    /// Tells whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text: columns fitted to the width of a terminal; without one two spaces apart and never wrapped, so
    /// that a row is a line for awk and grep.
    pub fn render(self, width: Option<u16>, is_coloured: bool) -> String {
        match width {
            Some(width) => self.fitted(width, is_coloured),
            None => self.plain(),
        }
    }

    fn fitted(self, width: u16, is_coloured: bool) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        let heads = self.heads.iter().map(|head| {
            let _ = is_coloured;
            Cell::new(head)
        });
        table.set_header(heads);
        for row in self.rows {
            table.add_row(row);
        }
        let mut text = String::new();
        for line in table.to_string().lines() {
            text.push_str(line.trim_start_matches(' ').trim_end());
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
            table.render(None, false),
            "TASK      TITLE\ntask_001  a\\u{1b}[31m title\\nof two lines\n"
        );
    }
}
