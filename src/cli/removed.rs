//! How something removed is told, with the way back.

use crate::ops::trash::Removed;
use crate::ui::page::Page;

/// The line that puts it back.
pub fn undo(removed: &Removed, page: &mut Page) {
    page.line("To undo:");
    page.command(&removed.undo);
}
