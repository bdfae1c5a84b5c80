//! Where a message ends: the bytes of a connection, looked at on their way to hyper.
//!
//! hyper says when a head is whole, but not when one has begun; and of a `Content-Length` beside a `Transfer-Encoding` it
//! hides the former, in whatever order they stand. Both are seen here. Nothing is changed, and nothing that hyper refuses is
//! let pass: this reads the two headers that say where a message ends, and no others.

/// How much of a line is kept when it goes on in the next segment. Longer than both headers with the longest length.
const KEPT: usize = 64;

/// What was seen of the bytes of one connection so far.
#[derive(Debug)]
pub(super) struct Sniff {
    at: At,
    /// The beginning of a line that goes on in the next segment, and whether there is one.
    line: [u8; KEPT],
    kept: usize,
    /// Of the present head: bytes, lines that are over, and what its headers say.
    size: usize,
    lines: usize,
    length: Option<u64>,
    has_length: bool,
    is_chunked: bool,
    /// Whether its first line is none of HTTP/1.
    is_hopeless: bool,
    /// Whether a message stated its length twice over: by `Content-Length` and by `Transfer-Encoding`.
    is_ambiguous: bool,
}

/// What the next byte is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Head,
    /// A body, of which so many bytes are to come.
    Body(u64),
    /// A body whose end is not looked for: its connection is closed after it.
    Rest,
}

impl Sniff {
    pub(super) fn new() -> Self {
        Sniff {
            at: At::Head,
            line: [0; KEPT],
            kept: 0,
            size: 0,
            lines: 0,
            length: None,
            has_length: false,
            is_chunked: false,
            is_hopeless: false,
            is_ambiguous: false,
        }
    }

    /// Whether a head has begun and is not over.
    pub(super) fn is_amid_head(&self) -> bool {
        self.at == At::Head && self.size > 0
    }

    /// How many bytes of the head have come, if one has begun and is not over.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether what has come cannot become a request: hyper may refuse it, however little it is.
    pub(super) fn is_hopeless(&self) -> bool {
        self.is_hopeless
    }

    /// Whether a message had both `Content-Length` and `Transfer-Encoding`. It was the last one that is looked at.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous
    }

    /// Looks at the next bytes. True if a head was over in them.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> bool {
        let mut was_over = false;
        while !bytes.is_empty() {
            match self.at {
                At::Rest => break,
                At::Body(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(here..).unwrap_or_default();
                    let left = left - here as u64;
                    self.at = if left == 0 { At::Head } else { At::Body(left) };
                }
                At::Head => {
                    let Some(end) = memchr::memchr(b'\n', bytes) else {
                        self.size += bytes.len();
                        self.keep(bytes);
                        break;
                    };
                    let (line, rest) = bytes.split_at(end + 1);
                    self.size += line.len();
                    was_over |= self.end_line(line);
                    bytes = rest;
                }
            }
        }
        was_over
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.lines == 0 && self.kept == 0 && bytes.first().is_some_and(is_no_method) {
            self.is_hopeless = true;
        }
        let free = self.line.get_mut(self.kept..).unwrap_or_default();
        let taken = free.len().min(bytes.len());
        for (free, byte) in free.iter_mut().zip(bytes) {
            *free = *byte;
        }
        self.kept += taken;
    }

    /// Takes the end of a line, its line feed with it. True if it was the last of its head.
    fn end_line(&mut self, end: &[u8]) -> bool {
        if self.kept == 0 {
            return self.take_line(end);
        }
        self.keep(end);
        let (line, kept) = (self.line, self.kept);
        self.kept = 0;
        self.take_line(line.get(..kept).unwrap_or_default())
    }

    fn take_line(&mut self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return self.end_head();
        }
        if self.lines == 0 {
            self.is_hopeless |= line.first().is_some_and(is_no_method) || is_other_protocol(line);
        } else if let Some(value) = value(line, b"content-length:") {
            self.has_length = true;
            let digits = std::str::from_utf8(value).ok().map(str::trim);
            self.length = digits.and_then(|digits| digits.parse().ok());
        } else if value(line, b"transfer-encoding:").is_some() {
            self.is_chunked = true;
        }
        self.lines += 1;
        false
    }

    fn end_head(&mut self) -> bool {
        // Empty lines before a request are passed over, as hyper does.
        if self.lines > 0 {
            self.is_ambiguous = self.is_chunked && self.has_length;
            self.at = match self.length {
                _ if self.is_chunked => At::Rest,
                Some(length) if length > 0 => At::Body(length),
                _ => At::Head,
            };
        }
        let was_head = self.lines > 0;
        (self.size, self.lines) = (0, 0);
        (self.length, self.has_length, self.is_chunked) = (None, false, false);
        was_head
    }
}

/// A method begins with a letter; so a hello of TLS is told from a request by its first byte.
fn is_no_method(byte: &u8) -> bool {
    !byte.is_ascii_alphabetic() && !matches!(byte, b'\r' | b'\n')
}

/// Whether a first line is whole and does not end in a version of HTTP/1.
fn is_other_protocol(line: &[u8]) -> bool {
    let version = line.len().checked_sub(b" HTTP/1.1".len());
    let end = version.and_then(|at| line.get(at..));
    line.len() < KEPT && !end.is_some_and(|end| end.starts_with(b" HTTP/1."))
}

/// What stands behind the name of a header, if the line is one of that name.
fn value<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (written, value) = line.split_at_checked(name.len())?;
    written.eq_ignore_ascii_case(name).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes in pieces of each size, and whether a head was over, how often.
    fn heads(bytes: &[u8], size: usize) -> (Sniff, usize) {
        let mut sniff = Sniff::new();
        let over = bytes.chunks(size).filter(|piece| sniff.feed(piece)).count();
        (sniff, over)
    }

    #[test]
    fn the_end_of_a_message_is_found_however_it_is_cut() {
        let two =
            b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\nGET / HTTP/1.1\nhost: a\n\nGE";
        for size in 1..two.len() {
            let (sniff, _) = heads(two, size);
            assert!(
                sniff.is_amid_head() && sniff.size() == 2,
                "in pieces of {size}"
            );
            assert!(!sniff.is_hopeless() && !sniff.is_ambiguous());
        }
        assert_eq!(heads(two, 1).1, 2);
    }

    #[test]
    fn two_lengths_are_seen_in_both_orders() {
        for head in [
            "POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding:chunked\r\nA: b\r\nCONTENT-LENGTH:3\r\n\r\nabc",
        ] {
            for size in 1..head.len() {
                assert!(
                    heads(head.as_bytes(), size).0.is_ambiguous(),
                    "{head} by {size}"
                );
            }
        }
        let body = "POST / HTTP/1.1\r\ncontent-length: 28\r\n\r\ntransfer-encoding: chunked\r\n";
        assert!(!heads(body.as_bytes(), 7).0.is_ambiguous());
    }

    #[test]
    fn what_is_no_request_is_told_by_its_first_byte() {
        assert!(heads(b"\x16\x03\x01\x02\x00", 5).0.is_hopeless());
        assert!(!heads(b"\r\nG", 1).0.is_hopeless());
        assert!(!heads(b"GET / HT", 1).0.is_hopeless());
        assert!(!heads(b"GET / HTTP/1.0\r\n", 1).0.is_hopeless());
        assert!(heads(b"PRI * HTTP/2.0\r\n", 20).0.is_hopeless());
        assert!(heads(b"GET /\r\n", 20).0.is_hopeless());
    }

    #[test]
    fn empty_lines_before_a_request_are_no_head() {
        let (sniff, over) = heads(b"\r\n\r\n", 1);
        assert!(over == 0 && !sniff.is_amid_head());
    }
}
