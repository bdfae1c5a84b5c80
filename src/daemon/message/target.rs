//! The target of a request: its path, cut at the slashes and decoded, and its query.

/// What stands between two segments. It cannot be part of one.
const BETWEEN: char = '\0';

/// The target of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    // All segments in one text: a request costs one allocation for its path, however deep it is.
    path: String,
    query: Option<String>,
}

impl Target {
    /// Cuts a path at its slashes and decodes `%xx` in each segment, so that `a%2Fb` is one segment. None if something
    /// is encoded that is not two hex digits, not UTF-8, or NUL.
    pub fn parse(path: &str, query: Option<&str>) -> Option<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let cut = if path.contains(['%', BETWEEN]) {
            let mut decoded = Vec::with_capacity(path.len());
            for (at, segment) in path.split('/').enumerate() {
                if at > 0 {
                    decoded.push(BETWEEN as u8);
                }
                decode(segment.as_bytes(), &mut decoded)?;
            }
            String::from_utf8(decoded).ok()?
        } else {
            path.replace('/', "\0")
        };
        Some(Target {
            path: cut,
            query: query.map(str::to_owned),
        })
    }

    /// The segments of the path, decoded: `/agent/a%2Fb` has two. There is always one; that of `/` is empty.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.path.split(BETWEEN)
    }

    /// What stands behind the question mark, as it was sent.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
}

/// Decodes one segment behind what is there.
fn decode(segment: &[u8], into: &mut Vec<u8>) -> Option<()> {
    let mut rest = segment.iter();
    while let Some(&byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let mut digit = || char::from(*rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            _ => byte,
        };
        if byte == BETWEEN as u8 {
            return None;
        }
        into.push(byte);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &str) -> Option<Vec<String>> {
        let target = Target::parse(path, None)?;
        Some(target.segments().map(str::to_owned).collect())
    }

    #[test]
    fn a_path_is_cut_before_it_is_decoded() {
        assert_eq!(segments("/health").unwrap(), ["health"]);
        assert_eq!(segments("/").unwrap(), [""]);
        assert_eq!(segments("/a//b/").unwrap(), ["a", "", "b", ""]);
        assert_eq!(segments("/agent/a%2Fb").unwrap(), ["agent", "a/b"]);
        assert_eq!(segments("/agent/%c3%BC%25").unwrap(), ["agent", "ü%"]);
    }

    #[test]
    fn what_cannot_be_decoded_is_no_path() {
        for path in ["/%", "/%4", "/%4x", "/%+4", "/%ff", "/%00", "/a\0b"] {
            assert_eq!(segments(path), None, "{path:?}");
        }
    }
}
