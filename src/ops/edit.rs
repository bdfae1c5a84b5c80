//! `edit`: a copy of a file in the operator's editor, checked, and written only if nobody changed the file meanwhile.
