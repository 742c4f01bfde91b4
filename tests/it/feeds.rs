//! Feed documents to entries, on documents that we did not write.
//!
//! Every file of `feeds_arabic.tar.gz` must give the items of its manifest; what Python's feedparser reads of its own
//! test documents must be read here, too, but for a small share that `docs/conformance.md` explains. Nothing of the files
//! stands here.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rasid::parse::{Entry, Parsed, parse};
use rasid::source::{Document, FeedConfig, Validators};
use serde_json::Value;

use crate::support::{shared, untar_gz};

fn address() -> url::Url {
    "https://feeds.example/feed.xml".parse().unwrap()
}

fn read(bytes: Vec<u8>) -> Result<Parsed, rasid::source::PollError> {
    let url = address();
    let document = Document {
        bytes,
        url: url.clone(),
        status: 200,
        content_type: None,
        charset: None,
        validators: Validators::default(),
        cut: None,
        redirects: Vec::new(),
        fresh_for: None,
    };
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    parse(&document, &FeedConfig::new("feed".parse().unwrap(), url), now)
}

/// What of a headline must be the same: its words, without the marks that a variant puts between them.
fn words(title: &str) -> String {
    let kept = title.replace(['\u{a0}', '&'], " ").replace("amp;", " ");
    kept.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[test]
fn every_arabic_feed_gives_its_items() {
    let Some(archive) = shared("data/feeds_arabic.tar.gz") else { return };
    let files: HashMap<String, Vec<u8>> = untar_gz(archive).into_iter().collect();
    let manifest = files.iter().find(|(name, _)| name.ends_with("manifest.jsonl")).unwrap().1;
    let (mut right, mut wrong) = (0, Vec::new());
    for line in std::str::from_utf8(manifest).unwrap().lines() {
        let told: Value = serde_json::from_str(line).unwrap();
        let name = told["file"].as_str().unwrap();
        let list = |field: &str| -> Vec<String> {
            told[field].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
        };
        let parsed = read(files[&format!("feeds_arabic/{name}")].clone());
        match parsed.map_err(|error| error.message).and_then(|parsed| check(name, parsed, &list)) {
            Ok(()) => right += 1,
            Err(problem) => wrong.push(format!("{name}: {problem}")),
        }
    }
    eprintln!("{right} of {} Arabic feeds give their items", right + wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right >= 36);
}

fn check(name: &str, parsed: Parsed, list: &dyn Fn(&str) -> Vec<String>) -> Result<(), String> {
    let (titles, links, times) = (list("titles"), list("links"), list("pub"));
    let cut = name.contains("truncated");
    // The item in which the document was cut may come as far as it goes; nothing else may be more or less.
    let extra = parsed.entries.len().checked_sub(titles.len()).filter(|extra| *extra <= usize::from(cut));
    if extra.is_none() {
        return Err(format!("{} entries instead of {}: {:?}", parsed.entries.len(), titles.len(), parsed.notes));
    }
    for ((title, link), time) in titles.iter().zip(&links).zip(&times) {
        let link: url::Url = link.parse().map_err(|_| format!("the manifest's link {link}"))?;
        let time: Timestamp = time.parse().map_err(|_| format!("the manifest's time {time}"))?;
        let entry = parsed
            .entries
            .iter()
            .find(|entry| entry.url.as_ref() == Some(&link) && words(&entry.title) == words(title));
        let entry = entry.ok_or_else(|| format!("no entry for {link}"))?;
        if entry.published != Some(time) {
            return Err(format!("{link} is dated {:?} instead of {time}", entry.published));
        }
        if entry.summary_html.is_empty() {
            return Err(format!("{link} has no summary"));
        }
    }
    Ok(())
}

/// A field of which feedparser and we are asked.
const FIELDS: [&str; 3] = ["title", "link", "date"];

/// What was compared, and what was found.
#[derive(Default)]
struct Comparison {
    documents: usize,
    /// Documents of which feedparser reads entries, and those that give as many here.
    with_entries: [usize; 2],
    /// All documents that give as many entries, those without any included.
    same_count: usize,
    /// How often feedparser has each field, and how often ours is the same.
    fields: [[usize; 2]; 3],
    /// Fields in which feedparser does not read what the document says of itself, and we do.
    own_word: usize,
    differences: Vec<String>,
    slowest: (Duration, String),
}

impl Comparison {
    fn table(&self) -> String {
        let share =
            |[all, same]: [usize; 2]| format!("{all:6} {same:6} {:7.2} %", 100.0 * same as f64 / all.max(1) as f64);
        let mut out = format!("{:34} {:>6} {:>6}\n", "feedparser has", "of", "same");
        let mut row = |what: &str, counts| writeln!(out, "{what:34} {}", share(counts)).unwrap();
        row("documents", [self.documents, self.same_count]);
        row("documents with entries", self.with_entries);
        FIELDS.iter().zip(self.fields).for_each(|(field, counts)| row(field, counts));
        writeln!(out, "{} of these are as the document expects it, not as feedparser reads it", self.own_word).unwrap();
        out
    }

    fn add(&mut self, name: &str, told: &Value, bytes: &[u8]) {
        self.documents += 1;
        let begun = Instant::now();
        let parsed = read(bytes.to_vec()).unwrap_or_default();
        let mut took = begun.elapsed();
        if took > TOO_LONG {
            // The machine may have been busy with something else.
            took = (0..3).map(|_| timed(bytes)).min().unwrap_or(took).min(took);
        }
        if took > self.slowest.0 {
            self.slowest = (took, name.to_owned());
        }
        let theirs = told["entries"].as_array().unwrap();
        let (n, found) = (theirs.len(), parsed.entries.len() + parsed.rejected.len());
        self.same_count += usize::from(n == found);
        if n > 0 {
            self.with_entries[0] += 1;
            self.with_entries[1] += usize::from(n == found);
        }
        if n != found {
            self.differences.push(format!("{name}: {found} entries, feedparser {n}"));
        }
        // Its own suite skips these where the library `chardet` is missing, as it was here.
        if name.starts_with("illformed/chardet/") {
            return;
        }
        // Ours stand in the order of time; each of theirs meets the one that is most like it.
        let copies = parsed.notes.iter().any(|note| note.contains("more than once"));
        let mut ours: Vec<&Entry> = parsed.entries.iter().rev().collect();
        for told in theirs {
            let likeness =
                |entry: &&Entry| FIELDS.iter().filter(|field| agrees(field, told, entry) == Some(true)).count();
            let best = (0..ours.len()).rev().max_by_key(|n| likeness(&ours[*n]));
            let nothing = Entry::default();
            // Where copies were dropped, the entry that was kept stands for all of them.
            let entry = best.map_or(&nothing, |n| if copies { ours[n] } else { ours.remove(n) });
            for (field, counts) in FIELDS.iter().zip(&mut self.fields) {
                let Some(same) = agrees(field, told, entry) else { continue };
                let theirs = theirs_of(field, told).as_str().unwrap_or_default();
                let own_word = !same && ours_of(field, entry).is_some_and(|ours| expects(bytes, &ours, theirs));
                self.own_word += usize::from(own_word);
                counts[0] += 1;
                counts[1] += usize::from(same || own_word);
                if !same && !own_word {
                    self.differences.push(format!(
                        "{name}: {field} {:?}, feedparser {}",
                        ours_of(field, entry),
                        theirs_of(field, told)
                    ));
                }
            }
        }
    }
}

/// Whether the remark at the head of a document, which says what must be read of it, has our value and not theirs.
fn expects(bytes: &[u8], ours: &str, theirs: &str) -> bool {
    let head = String::from_utf8_lossy(bytes);
    let remark = head.lines().find(|line| line.trim_start().starts_with("Expect:")).unwrap_or_default();
    remark.contains(&format!("'{ours}'")) && !remark.contains(&format!("'{theirs}'"))
}

/// Some milliseconds, on a machine that does nothing else.
const TOO_LONG: Duration = Duration::from_millis(if cfg!(debug_assertions) { 10_000 } else { 500 });

fn timed(bytes: &[u8]) -> Duration {
    let begun = Instant::now();
    let _ = read(bytes.to_vec());
    begun.elapsed()
}

/// What feedparser calls the time of an entry: `published`, or else `updated`.
fn theirs_of<'v>(field: &str, told: &'v Value) -> &'v Value {
    match field {
        "date" if told["published"].is_null() => &told["updated"],
        "date" => &told["published"],
        field => &told[field],
    }
}

fn ours_of(field: &str, entry: &Entry) -> Option<String> {
    match field {
        "title" => Some(entry.title.clone()).filter(|title| !title.is_empty()),
        "link" => entry.url.as_ref().map(ToString::to_string),
        _ => entry.published.map(|at| at.to_string()),
    }
}

/// Whether a field is the same; `None` where feedparser has none.
fn agrees(field: &str, told: &Value, entry: &Entry) -> Option<bool> {
    let theirs = theirs_of(field, told).as_str().filter(|text| !text.is_empty())?;
    // Without a link feedparser copies the id into it, also one that is no address.
    let is_id = field == "link" && told["id"] == theirs && !theirs.starts_with('/') && url::Url::parse(theirs).is_err();
    if is_id {
        return None;
    }
    let theirs = match field {
        "title" => plain(theirs),
        // Where feedparser was not told the document's address, it left the link as it stands in the document.
        "link" => address().join(theirs).map_or_else(|_| theirs.to_owned(), String::from),
        _ => theirs.to_owned(),
    };
    if field == "title" && theirs.is_empty() {
        return None;
    }
    let ours = ours_of(field, entry).map(|ours| match field {
        // Ours is plain already; theirs may show a tag as a word.
        "title" if plain(&ours) == theirs => theirs.clone(),
        // feedparser knows no parts of seconds.
        "date" => ours.split(['.', 'Z']).next().unwrap_or_default().to_owned() + "Z",
        _ => ours,
    });
    Some(ours.as_ref() == Some(&theirs))
}

/// Characters as a reader sees them: without tags, references resolved, white space made single spaces.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('<') {
        out.push_str(before);
        let tag = tail.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tail.split_once('>').filter(|_| tag) {
            Some((_, tail)) => rest = tail,
            None => {
                out.push('<');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    while let Some((number, end)) = out.find("&#").and_then(|at| Some((at, at + out[at..].find(';')?))) {
        let digits = &out[number + 2..end];
        let code = digits.strip_prefix('x').map_or_else(|| digits.parse(), |hex| u32::from_str_radix(hex, 16));
        out.replace_range(number..=end, &char::from_u32(code.unwrap()).unwrap().to_string());
    }
    for (written, meant) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
        out = out.replace(written, meant);
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Python's feedparser is a second opinion on the documents of its own tests, not the truth: `docs/conformance.md` says
/// where it is wrong, so a share must agree, not all.
#[test]
fn the_documents_of_feedparser_are_read_as_it_reads_them() {
    let Some(archive) = shared("data/feed_cases.tar.gz") else { return };
    let files: HashMap<String, Vec<u8>> = untar_gz(archive).into_iter().collect();
    let told = files.iter().find(|(name, _)| name.ends_with("feedparser_reads.jsonl")).unwrap().1;
    let mut comparison = Comparison::default();
    for line in std::str::from_utf8(told).unwrap().lines().filter(|line| !line.is_empty()) {
        let told: Value = serde_json::from_str(line).unwrap();
        let name = told["path"].as_str().unwrap();
        comparison.add(name, &told, &files[&format!("feed_cases/{name}")]);
    }
    let (table, differences) = (comparison.table(), comparison.differences.join("\n"));
    eprintln!("{table}{differences}\nslowest: {:?}", comparison.slowest);
    assert!(comparison.documents > 2_000);
    let holds = |[all, same]: [usize; 2], percent| all > 0 && same * 100 >= all * percent;
    assert!(holds(comparison.with_entries, 99), "{table}{differences}");
    assert!(comparison.fields.into_iter().all(|counts| holds(counts, 97)), "{table}{differences}");
    assert!(comparison.slowest.0 <= TOO_LONG, "{:?}", comparison.slowest);
}

/// Our own sentences as bytes of windows-1256, which has a byte for each letter.
fn windows_1256(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ءآأؤإئابةتثجحخدذرزسشصض×طظعغـفقكàلâمنهوçèéêëىي";
    let byte = |c: char| match LETTERS.chars().position(|letter| letter == c) {
        Some(n) => 0xC1 + u8::try_from(n).unwrap(),
        None => u8::try_from(c).unwrap(),
    };
    text.chars().map(byte).collect()
}

#[test]
fn t1_windows_1256_is_read_without_declaration_and_with_a_wrong_one() {
    let title = "بلدية المدينة تفتتح سوق السمك القديم بعد ترميمه";
    for declaration in [
        "",
        "<?xml version=\"1.0\"?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
        "<?xml version=\"1.0\" encoding=\"windows-1252\"?>",
        "<?xml version=\"1.0\" encoding=\"windows-1256\"?>",
        "<?xml version=\"1.0\" encoding=\"nonsense\"?>",
    ] {
        let text =
            format!("{declaration}<rss version=\"2.0\"><channel><item><title>{title}</title></item></channel></rss>");
        let parsed = read(windows_1256(&text)).unwrap();
        assert_eq!(parsed.entries[0].title, title, "{declaration}");
        assert!(parsed.charset.starts_with("windows-1256 ("), "{declaration}: {}", parsed.charset);
        let parsed = read(text.replace("utf-8", "windows-1256").into_bytes()).unwrap();
        assert_eq!((&*parsed.entries[0].title, &*parsed.charset), (title, "UTF-8 (valid UTF-8)"), "{declaration}");
    }
}

#[test]
fn t2_dates_are_read_or_said_to_be_unread_and_never_now() {
    for (written, at) in [
        ("الخميس, 13 يناير 2022 10:00:00 +0300", Some("2022-01-13T07:00:00Z")),
        ("13 كانون الثاني 2022 10:00", Some("2022-01-13T10:00:00Z")),
        ("13 جانفي 2022 10:00", Some("2022-01-13T10:00:00Z")),
        ("١٣ يناير ٢٠٢٢ ١٠:٠٠", Some("2022-01-13T10:00:00Z")),
        ("السبت ١٤ رجب ١٤٤٧", Some("2026-01-03T00:00:00Z")),
        // Absurd, in the future, and none at all.
        ("13 يناير 1822", None),
        ("0000-00-00 00:00:00", None),
        ("13 يناير 2031 10:00", None),
        ("قريبا جدا", None),
    ] {
        let text = format!("<rss><channel><item><title>خبر</title><pubDate>{written}</pubDate></item></channel></rss>");
        let entry = &read(text.into_bytes()).unwrap().entries[0];
        assert_eq!(entry.published, at.map(|at| at.parse().unwrap()), "{written}");
        assert_eq!(entry.published_text.as_deref(), Some(written));
    }
}

#[test]
fn t22_50_000_entries_are_cut_where_the_limit_says() {
    let items: String = (0..50_000).map(|n| format!("<item><title>خبر {n}</title><link>/{n}</link></item>")).collect();
    let parsed = read(format!("<rss><channel>{items}</channel></rss>").into_bytes()).unwrap();
    let limit = FeedConfig::new("feed".parse().unwrap(), address()).max_entries as usize;
    assert_eq!(parsed.entries.len(), limit.min(50_000));
    assert_eq!(parsed.notes.iter().any(|note| note.contains("max_entries")), limit < 50_000, "{:?}", parsed.notes);
}
