//! What is wrong with a text, where, and in which words.

/// Why a text is no JSON document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What sort of fault it is.
    pub kind: FaultKind,
    /// The byte where it was seen; the length of the text if the text ends too early.
    pub offset: usize,
    /// A few words, lower case: "expected `,` or `}` here".
    pub message: String,
}

/// What sort of fault a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing, or white space only.
    Empty,
    /// Bytes that are no UTF-8.
    NotUtf8,
    /// A byte-order mark comes first; JSON allows none.
    ByteOrderMark,
    /// 4 GiB or more.
    TooLong,
    /// [`MAX_DEPTH`](super::MAX_DEPTH) arrays and objects inside one another.
    TooDeep,
    /// The text ends before its value does.
    Truncated,
    /// Something else than what had to come.
    Syntax,
    /// More text after the value.
    Trailing,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, offset: usize, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            kind,
            offset,
            message,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::Document;
    use super::*;

    #[test]
    fn every_fault_has_its_kind_place_and_words() {
        use FaultKind::*;
        let cases: &[(&[u8], FaultKind, usize, &str)] = &[
            (b" \n", Empty, 0, "the file is empty"),
            (
                b"\xef\xbb\xbf{}",
                ByteOrderMark,
                0,
                "a byte-order mark comes first, expected JSON",
            ),
            (
                b"\xff\xfe{\0",
                NotUtf8,
                0,
                "expected UTF-8, this looks like UTF-16",
            ),
            (b"{\"a\": \"\xe9\"}", NotUtf8, 7, "expected UTF-8 here"),
            (
                b"{\"a\": 1",
                Truncated,
                7,
                "the file ends in the middle of an object",
            ),
            (
                b"{\"a\": \"1",
                Truncated,
                8,
                "the file ends in the middle of a string",
            ),
            (
                b"[tr",
                Truncated,
                3,
                "the file ends in the middle of `true`",
            ),
            (
                b"[1, 2.",
                Truncated,
                6,
                "the file ends in the middle of a number",
            ),
            (
                b"{\"a\": 1 \"b\": 2}",
                Syntax,
                8,
                "expected `,` or `}` here",
            ),
            (b"[1 2]", Syntax, 3, "expected `,` or `]` here"),
            (b"{\"a\" 1}", Syntax, 5, "expected `:` here"),
            (
                b"{\"a\": 1,}",
                Syntax,
                8,
                "expected a key in double quotes here, not `}`",
            ),
            (
                b"{'a': 1}",
                Syntax,
                1,
                "expected a key in double quotes here, not a single quote",
            ),
            (b"[1,]", Syntax, 3, "expected a value here, not `]`"),
            (b"[NaN]", Syntax, 1, "expected a value here"),
            (
                b"// x\n{}",
                Syntax,
                0,
                "expected a value here, JSON has no comments",
            ),
            (b"\0\0", Syntax, 0, "expected a value here, not a zero byte"),
            (
                b"[\"a\nb\"]",
                Syntax,
                3,
                "expected `\"` before the line ends",
            ),
            (b"[01]", Syntax, 2, "expected no digit after a leading zero"),
            (b"{} {}", Trailing, 3, "expected the end of the file here"),
        ];
        for (text, kind, offset, message) in cases {
            let fault = Document::parse(text).unwrap_err();
            assert_eq!(
                (fault.kind, fault.offset, &*fault.message),
                (*kind, *offset, *message)
            );
        }
    }
}
