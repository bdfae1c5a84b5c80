//! Which agent a token is of. A token is known by its hash alone, as whoever started the agent noted it.

use super::{Roster, Slot, Watched};
use crate::base::boot::Clocks;
use crate::health::signs::Signs;
use crate::mission::run::RunNote;

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// The tokens of an agent's lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// That of its present one; none if it was started without one.
    pub present: Option<TokenHash>,
    /// That of the one before, by which a fenced agent is told from a stranger.
    pub before: Option<TokenHash>,
}

/// Reads a hash from hex; none if it is no such hash.
pub fn hash_of_hex(text: &str) -> Option<TokenHash> {
    let mut hash = TokenHash::default();
    let digits = text.as_bytes();
    if digits.len() != hash.len() * 2 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        // from_str_radix also takes a sign.
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(hash)
}

impl Roster {
    /// The agent whose present token has this hash. To know a hash is to know nothing of another, so that how long a look
    /// takes tells nothing either; whoever believes the answer still compares in constant time.
    pub fn by_token(&self, hash: &TokenHash) -> Option<Slot> {
        self.tokens.get(hash).copied()
    }

    /// Takes what an agent's runner says of its present run, if that is newer than what is known. True if it was.
    pub fn renew(&mut self, slot: Slot, note: &RunNote, now: Clocks) -> bool {
        let Some(watched) = self.get_mut(slot) else {
            return false;
        };
        let hash = note.token_sha256.as_deref().and_then(hash_of_hex);
        let is_newer = note.incarnation > watched.signs.incarnation
            || (note.incarnation == watched.signs.incarnation && hash != watched.tokens.present);
        if !is_newer {
            return false;
        }
        if note.incarnation > watched.signs.incarnation {
            watched.heard.status = None;
            watched.signs = Signs::begin(note.incarnation, &watched.case.settings, now.up);
        }
        self.take_token(slot, hash);
        true
    }

    /// Notes the token of an agent's present life.
    pub(super) fn take_token(&mut self, slot: Slot, hash: Option<TokenHash>) {
        let Some(watched) = self.get_mut(slot) else {
            return;
        };
        let known = watched.tokens.present;
        if known == hash {
            return;
        }
        watched.tokens = Tokens {
            present: hash,
            before: known.or(watched.tokens.before),
        };
        if let Some(known) = known {
            self.forget_token(&known, slot);
        }
        if let Some(hash) = hash {
            self.tokens.insert(hash, slot);
        }
    }

    /// Two agents may have been given one token by mistake: only the one it is noted for lets go of it.
    pub(super) fn forget_token(&mut self, hash: &TokenHash, slot: Slot) {
        if self.tokens.get(hash) == Some(&slot) {
            self.tokens.remove(hash);
        }
    }
}

impl Watched {
    /// The tokens of its lives.
    pub fn tokens(&self) -> Tokens {
        self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_sixty_four_digits() {
        let hex = "0a".repeat(32);
        assert_eq!(hash_of_hex(&hex), Some([10; 32]));
        assert_eq!(hash_of_hex(&hex.to_uppercase()), Some([10; 32]));
        for wrong in [
            String::new(),
            "0a".repeat(31),
            "+a".repeat(32),
            "é".repeat(32),
            "0g".repeat(32),
        ] {
            assert_eq!(hash_of_hex(&wrong), None, "{wrong}");
        }
    }
}
