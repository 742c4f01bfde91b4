//! The tokens of readers: a file in the store's folder.
//!
//! In: names, scopes, the tokens that readers send. Out: what each may do; the file `tokens.json`, mode 0600.
//! Promise: a token itself is shown once and stored nowhere. The file is replaced whole, by one process at a time, and
//! synced; a running daemon sees a change within a second. A file that cannot be read lets nobody in who was not in.
//! Why a fast hash: a token is 256 bits of the system's randomness, which nobody can try through; a slow password hash
//! protects what people make up, and would cost every request its time.
//! Not here: what a scope opens ([`super::access`]).

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::access::Scope;

/// The file's name in the store's folder.
pub const TOKENS: &str = "tokens.json";

/// What every token begins with, so that one that got lost is recognized.
const PREFIX: &str = "rasid_";

/// The most tokens in a file: each request is compared with all of them.
const MAX_TOKENS: usize = 1_000;

/// The longest name, in characters.
const MAX_NAME: usize = 64;

/// A token as the file keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The blake3 hash of the token.
    hash: String,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// The last day, in UTC, on which it was sent.
    #[serde(default)]
    pub last_used: Option<Date>,
}

impl Token {
    /// The widest of its scopes.
    pub fn may(&self) -> Option<Scope> {
        self.scopes.iter().max().copied()
    }

    /// Whether it is refused at a time.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether `sent` is the hash of this token; takes the same time wherever they differ.
    pub(super) fn is(&self, sent: &blake3::Hash) -> bool {
        blake3::Hash::from_hex(&self.hash).is_ok_and(|hash| hash == *sent)
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    tokens: Vec<Token>,
}

/// The file of the tokens. All of it blocks.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

/// What tells that a file was replaced.
pub(super) type Stamp = Option<(u64, i64, i64, u64)>;

impl TokenFile {
    /// The file of the store in `store`.
    pub fn of(store: &Path) -> Self {
        Self { path: store.join(TOKENS) }
    }

    /// The file at a path.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// All tokens, in the order in which they were made; none where there is no file.
    ///
    /// # Errors
    /// In words, when the file is there and cannot be read.
    pub fn read(&self) -> Result<Vec<Token>, String> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(format!("{}: the tokens cannot be read: {error}", self.path.display())),
        };
        let path = self.path.display();
        let written: Written = serde_json::from_slice(&bytes).map_err(|error| {
            format!("{path}: this is no file of tokens: {error}; restore it, or remove it and make new tokens")
        })?;
        match written.version {
            1 => Ok(written.tokens),
            version => {
                Err(format!("{path}: version {version} of the tokens is not known here; use the rasid that wrote it"))
            }
        }
    }

    /// What it looks like from outside; changes with every change.
    pub(super) fn stamp(&self) -> Stamp {
        let found = std::fs::metadata(&self.path).ok()?;
        Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
    }

    /// Makes a token and gives it; nobody can give it again.
    ///
    /// # Errors
    /// In words, when the name does not fit or is taken, or the file cannot be written.
    pub fn add(
        &self,
        name: &str,
        scopes: &[Scope],
        expires: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
            return Err(format!(
                "the name `{name}` does not fit; use 1 to {MAX_NAME} of a-z, A-Z, 0-9, `-`, `_` and `.`"
            ));
        }
        if scopes.is_empty() {
            return Err("a token without a scope opens nothing; give one of read, consume, admin".to_owned());
        }
        let mut bits = [0_u8; 32];
        getrandom::fill(&mut bits).map_err(|error| format!("the system gives no random bits: {error}"))?;
        let secret = bits.iter().fold(PREFIX.to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        let hash = hash(&secret).to_hex().to_string();
        let token = Token { name: name.to_owned(), scopes, hash, created: now, expires, last_used: None };
        self.change(|tokens| {
            if tokens.iter().any(|other| other.name == token.name) {
                return Err(format!("there is a token `{name}`; revoke it first, or take another name"));
            }
            if tokens.len() >= MAX_TOKENS {
                return Err(format!("there are {MAX_TOKENS} tokens; revoke some first"));
            }
            tokens.push(token);
            Ok(())
        })?;
        Ok(secret)
    }

    /// Takes a token away; whether there was one of that name.
    ///
    /// # Errors
    /// In words, when the file cannot be read or written.
    pub fn revoke(&self, name: &str) -> Result<bool, String> {
        self.change(|tokens| {
            tokens.retain(|token| token.name != name);
            Ok(())
        })
    }

    /// Notes the day on which a token was last sent.
    pub(super) fn used(&self, name: &str, day: Date) -> Result<(), String> {
        let note = |tokens: &mut Vec<Token>| {
            for token in tokens.iter_mut().filter(|token| token.name == name) {
                token.last_used = token.last_used.max(Some(day));
            }
            Ok(())
        };
        self.change(note).map(drop)
    }

    /// Changes the file, alone among all processes. Whether anything changed.
    fn change(&self, change: impl FnOnce(&mut Vec<Token>) -> Result<(), String>) -> Result<bool, String> {
        let failed = |error: io::Error| format!("{}: the tokens cannot be written: {error}", self.path.display());
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let private = |path: PathBuf| {
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(failed)
        };
        let lock = private(self.path.with_extension("lock"))?;
        lock.lock().map_err(failed)?;
        let mut tokens = self.read()?;
        let before = tokens.clone();
        change(&mut tokens)?;
        if tokens == before {
            return Ok(false);
        }
        let fresh = self.path.with_extension("new");
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let text = serde_json::to_vec_pretty(&Written { version: 1, tokens }).map_err(|error| failed(error.into()))?;
        let mut file = private(fresh.clone())?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&fresh, &self.path).map_err(failed)?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(true)
    }
}

/// The hash of a token, as it is kept and compared.
pub(super) fn hash(token: &str) -> blake3::Hash {
    blake3::hash(token.as_bytes())
}

/// The day of a time.
pub(super) fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_token_is_known_by_its_hash_and_shown_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::of(&dir.path().join("data"));
        assert_eq!(file.read(), Ok(Vec::new()));
        let secret = file.add("reader", &[Scope::Consume, Scope::Read], None, now()).unwrap();
        assert_eq!((secret.len(), secret.starts_with(PREFIX)), (PREFIX.len() + 64, true));
        let other = file.add("admin", &[Scope::Admin], Some(now()), now()).unwrap();
        assert_ne!(secret, other);
        let tokens = file.read().unwrap();
        assert_eq!(tokens.iter().map(|token| token.name.as_str()).collect::<Vec<_>>(), ["reader", "admin"]);
        assert_eq!((tokens[0].may(), tokens[0].is_expired(now())), (Some(Scope::Consume), false));
        assert_eq!((tokens[1].may(), tokens[1].is_expired(now())), (Some(Scope::Admin), true));
        assert!(tokens[0].is(&hash(&secret)) && !tokens[0].is(&hash(&other)));
        let path = dir.path().join("data").join(TOKENS);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&secret) && !text.contains(secret.strip_prefix(PREFIX).unwrap()), "{text}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let before = file.stamp();
        file.used("reader", day(now())).unwrap();
        assert_ne!(file.stamp(), before);
        assert_eq!(file.read().unwrap()[0].last_used, Some(day(now())));
        assert_eq!((file.revoke("reader"), file.revoke("reader")), (Ok(true), Ok(false)));
        assert_eq!(file.read().unwrap().len(), 1);
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::of(dir.path());
        file.add("a", &[Scope::Read], None, now()).unwrap();
        let scope = &[Scope::Read][..];
        for (name, scopes, said) in [
            ("a", scope, "there is a token"),
            ("", scope, "does not fit"),
            ("a b", scope, "does not fit"),
            ("قارئ", scope, "does not fit"),
            (&"a".repeat(65), scope, "does not fit"),
            ("b", &[], "without a scope"),
        ] {
            let error = file.add(name, scopes, None, now()).unwrap_err();
            assert!(error.contains(said), "{name}: {error}");
        }
        for (text, said) in [("nonsense", "no file of tokens"), (r#"{"version":2,"tokens":[]}"#, "version 2")] {
            std::fs::write(dir.path().join(TOKENS), text).unwrap();
            assert!(file.read().unwrap_err().contains(said), "{text}");
            assert!(file.add("c", scope, None, now()).is_err(), "nothing is written over what is not understood");
        }
    }
}
