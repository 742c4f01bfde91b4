//! What the tests that try to make the store lose something share: a load, and a store beside that was
//! never harmed.
//!
//! In: a [`Load`], that is a seed: step `n` of it is always the same work, one transaction at most. Out: a [`Dump`], all
//! that the public interface tells of a store, record by record.
//! Promise: a store that has done the same steps has the same dump, whatever befell it between them. Nothing here knows
//! how the store works inside.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fastrand::Rng;
use rasid::dedup::{Fingerprint, Original, VerdictKind};
use rasid::id::Seq;
use rasid::item::Candidate;
use rasid::source::{PollOutcome, PollRecord, Unread};
use rasid::store::{
    Correcting, Decided, Group, ItemQuery, Judgement, MAX_GROUP, Store, StoreConfig, StoreError, Writer,
};
use rasid::text::recurring::RecurringLines;
use rasid::topic::bag::Bag;
use rasid::units::ByteSize;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{about, candidate_with, clean, copy, cursor_with, feed, id, new, recurring, revised, time};

/// How the stores of these tests are opened.
pub fn config(path: &Path) -> StoreConfig {
    // So small a front that it is sealed every few steps, and some of what is written is always in sled.
    let front = ByteSize(512 << 10);
    StoreConfig { path: path.to_owned(), cache: ByteSize::mib(8), front, ..StoreConfig::default() }
}

pub fn open(path: &Path) -> Result<(Store, Writer), StoreError> {
    rasid::store::open(&config(path))
}

/// A number from the environment, for those who have the time.
pub fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// For a test that cannot do what it is there for.
pub fn skipped(why: &str) {
    assert!(std::env::var_os("RASID_REQUIRE_ALL").is_none(), "SKIPPED: {why}");
    eprintln!("SKIPPED: {why}");
}

pub const FEEDS: [&str; 3] = ["rt", "bbc", "dw"];
pub const TOPICS: [&str; 2] = ["csto", "kazakhstan-unrest"];
const WORDS: [&str; 16] = [
    "قال",
    "الوزير",
    "اليوم",
    "إن",
    "الاتفاق",
    "الجديد",
    "سيبدأ",
    "تنفيذه",
    "في",
    "العاصمة",
    "بعد",
    "اجتماع",
    "طويل",
    "وحضره",
    "عشرات",
    "الصحفيين",
];

/// What takes a while to be made, as it is made of words: a child gets it with its orders.
#[derive(Clone, Serialize, Deserialize)]
pub struct Parts {
    print: Fingerprint,
    recurring: RecurringLines,
    bag: Bag,
}

pub const PARTS: &str = "RASID_STORE_PARTS";

pub fn parts() -> &'static Parts {
    static MADE: OnceLock<Parts> = OnceLock::new();
    MADE.get_or_init(|| match std::env::var(PARTS) {
        Ok(parts) => serde_json::from_str(&parts).unwrap(),
        Err(_) => Parts {
            print: Fingerprint::of("خبر قصير", "سجل الفريق 11 هدفا يوم الاثنين في 3 مباريات"),
            recurring: recurring(40),
            bag: Bag::read("عنوان", &WORDS.join(" ")),
        },
    })
}

/// Endless work for a store.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub seed: u64,
    /// How many steps an item stays before it may be pruned.
    pub keep: u64,
}

impl Load {
    pub fn new(keep: u64) -> Self {
        Self { seed: fastrand::u64(..), keep }
    }

    fn rng(&self, step: u64, n: u64) -> Rng {
        let bytes = [self.seed, step, n].map(u64::to_be_bytes).concat();
        Rng::with_seed(xxh3_64(&bytes))
    }

    fn text(&self, step: u64, n: u64, version: u64) -> String {
        let mut rng = self.rng(step, n + version * 1_000);
        match rng.u32(0..300) {
            // Letters at random: what does not compress is what grows.
            0..3 => (0..rng.usize(3_000..30_000)).map(|_| rng.char('ء'..='ي')).collect(),
            3 => format!("{step} {n} {version} فقرة تتكرر. ").repeat(rng.usize(2_000..8_000)),
            _ => {
                let words: Vec<_> = (0..rng.usize(5..300)).map(|_| WORDS[rng.usize(..WORDS.len())]).collect();
                format!("{} {}", rng.u64(..), words.join(" "))
            }
        }
    }

    pub fn entry(&self, step: u64, n: u64, version: u64) -> Candidate {
        let mut rng = self.rng(step, n + 500_000);
        let key = format!("{step}-{n}");
        let second = step as i64 + version as i64;
        let (of, text) = (FEEDS[rng.usize(..FEEDS.len())], self.text(step, n, version));
        let entry = candidate_with(of, &key, &text, second, parts().print.clone());
        if rng.bool() { about(entry, TOPICS[rng.usize(..TOPICS.len())]) } else { entry }
    }

    /// An entry of this step or of one before, which may be stored, pruned or never have been there.
    fn former(&self, rng: &mut Rng, step: u64) -> Candidate {
        self.entry(step.saturating_sub(rng.u64(0..6)), rng.u64(0..8), 0)
    }

    fn decided(&self, rng: &mut Rng, step: u64, n: u64) -> Decided {
        match rng.u32(0..20) {
            0..3 => {
                let of = self.former(rng, step);
                let key = format!("twin {step}-{n}");
                let twin = candidate_with("dw", &key, &of.content.text, step as i64, parts().print.clone());
                copy(VerdictKind::Exact, id(&of), twin)
            }
            3..5 => copy(VerdictKind::Near, id(&self.former(rng, step)), self.entry(step, n, 0)),
            5 => copy(VerdictKind::Expands, id(&self.former(rng, step)), self.entry(step, n, 0)),
            6..8 => revised(self.entry(step.saturating_sub(rng.u64(0..6)), rng.u64(0..8), step)),
            // The same again, as after a crash.
            8 => new(self.former(rng, step)),
            _ => new(self.entry(step, n, 0)),
        }
    }

    fn group(&self, rng: &mut Rng, step: u64) -> Group {
        let items = match rng.u32(0..10) {
            0..3 => 1,
            3..8 => rng.u64(2..20),
            8 => rng.u64(20..MAX_GROUP as u64),
            _ => MAX_GROUP as u64,
        };
        let items = (0..items).map(|n| self.decided(rng, step, n)).collect();
        let of = feed(FEEDS[rng.usize(..FEEDS.len())]);
        let outcome =
            PollOutcome { status: Some(200), notes: vec!["م".repeat(rng.usize(..3_000))], ..PollOutcome::default() };
        let poll = PollRecord {
            at: time(step as i64),
            took_ms: 5,
            outcome,
            next: time(step as i64 + 900),
            rule: "عادي".to_owned(),
        };
        let poll = rng.bool().then_some(poll);
        let unread = Unread {
            at: time(step as i64),
            url: "https://rt.example/feed".parse().unwrap(),
            status: 200,
            content_type: None,
            charset: None,
            cut: None,
            length: 1,
            bytes: (0..rng.usize(..20_000)).map(|_| rng.u8(..)).collect(),
            error: None,
        };
        let unread = if rng.u32(0..8) == 0 { vec![(of.clone(), unread)] } else { vec![] };
        let cursors = vec![(of, cursor_with(step, rng.usize(..300), parts().recurring.clone()), poll)];
        Group { items, cursors, unread, at: Some(time(step as i64)), ..Group::default() }
    }

    /// Does one step. Whether something was certainly written for it.
    pub fn step(&self, writer: &mut Writer, step: u64) -> Result<bool, StoreError> {
        let mut rng = self.rng(step, 0);
        let at = time(step as i64);
        match rng.u32(0..20) {
            0..3 if step > self.keep => {
                return Ok(writer.prune(time((step - self.keep) as i64), 256)? > 0);
            }
            3..5 => {
                let (item, why) = (id(&self.former(&mut rng, step)), rng.bool().then(|| "رأي محرر".to_owned()));
                let correcting = match rng.u32(0..3) {
                    0 => Correcting::Split { item, why },
                    1 => {
                        let of = Original::Item(id(&self.former(&mut rng, step)));
                        Correcting::Join { item, of, alike: None, why }
                    }
                    _ => Correcting::Forget { item },
                };
                return match writer.correct(at, correcting) {
                    Ok(_) => Ok(true),
                    // It made no sense.
                    Err(StoreError::Query(_)) => Ok(false),
                    Err(error) => Err(error),
                };
            }
            5 => {
                let of = self.former(&mut rng, step);
                let topic = TOPICS[rng.usize(..TOPICS.len())].parse().unwrap();
                let (item, title, bag) = (id(&of), of.content.title, parts().bag.clone());
                writer.judge(&[Judgement { topic, item, yes: rng.bool(), at, title, bag }], &[])?;
            }
            _ => {
                writer.commit(self.group(&mut rng, step))?;
            }
        }
        Ok(true)
    }
}

/// All that a store tells: the name of each record, and a hash of what it says.
pub type Dump = BTreeMap<String, u64>;

fn hash(of: &impl Debug) -> u64 {
    xxh3_64(format!("{of:?}").as_bytes())
}

/// Everything; of the log the last `records`.
///
/// What an item is (`item`) and what it is to others (`standing`) are two records: the second changes with the others.
pub fn dump(store: &Store, records: u64) -> Result<Dump, StoreError> {
    let mut dump = Dump::new();
    let mut put = |name: String, of: u64| assert!(dump.insert(name.clone(), of).is_none(), "{name}: it is there twice");
    let mut query = ItemQuery { duplicates: true, limit: 500, ..ItemQuery::default() };
    loop {
        let page = store.items(&query)?;
        for mut item in page.items {
            let id = item.id;
            // As a hash: to print the letters of a long text takes longer than all the rest.
            item.content.text = xxh3_64(item.content.text.as_bytes()).to_string();
            let words = (&item.feed, &item.content, item.stored_at, item.revision, &item.topics, item.seq);
            put(format!("item {id}"), hash(&words));
            let standing = (&item.verdict, item.superseded_by, &item.judged, &item.copies, &item.story);
            put(format!("standing {id}"), hash(&standing));
            put(format!("known {id}"), hash(&(store.known(id)?, store.key(id)?)));
            for revision in store.revisions(id)? {
                put(format!("revision {} of {id}", revision.revision), hash(&revision));
            }
        }
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    let last = store.durable().borrow().0;
    let mut after = Seq(last.saturating_sub(records).max(store.log_begins()?.0 - 1));
    while after.0 < last {
        let page = store.log(after, 500)?;
        let Some(end) = page.last() else { break };
        after = end.seq;
        for record in page {
            let item = record.item.as_ref().map(|item| item.id);
            put(format!("log {}", record.seq.0), hash(&(record.at, record.kind, record.id, &record.lost, item)));
        }
    }
    for name in FEEDS {
        let feed = feed(name);
        put(format!("cursor {name}"), hash(&store.cursor(&feed)?));
        put(format!("polls {name}"), hash(&store.polls(&feed)?));
        put(format!("unread {name}"), hash(&store.unread(&feed)?));
    }
    for said in store.corrections()? {
        put(format!("correction {}", said.item), hash(&said));
    }
    for name in TOPICS {
        for judgement in store.judgements(&name.parse().unwrap())? {
            put(format!("judgement {name} {}", judgement.item), hash(&judgement));
        }
    }
    let mut prints = vec![];
    store.fingerprints(time(-1), &mut |id, at, print| prints.push((id, hash(&(at, print)))))?;
    prints.into_iter().for_each(|(id, print)| put(format!("fingerprint {id}"), print));
    let stats = store.stats()?;
    put("counts".to_owned(), hash(&(stats.items, stats.duplicates, stats.revisions, &stats.by_feed, &stats.by_topic)));
    put("end of the log".to_owned(), last);
    Ok(dump)
}

/// How two dumps differ, in at most so many words; none where they do not.
pub fn difference(expected: &Dump, found: &Dump, most: usize) -> Option<String> {
    let mut wrong = vec![];
    for (name, hash) in expected {
        match found.get(name) {
            None => wrong.push(format!("{name} is missing")),
            Some(other) if other != hash => wrong.push(format!("{name} is another")),
            Some(_) => {}
        }
    }
    wrong.extend(found.keys().filter(|name| !expected.contains_key(*name)).map(|name| format!("{name} is too much")));
    let all = wrong.len();
    wrong.truncate(most);
    (all > 0).then(|| format!("{all} differences: {}", wrong.join(", ")))
}

/// Records of the log that are compared after each kill; `verify` looks at them all.
const LAST_RECORDS: u64 = 500;

/// A store that does the same steps and that nobody harms.
pub struct Beside {
    pub load: Load,
    /// The last step that it has done.
    pub step: u64,
    store: Store,
    writer: Writer,
    _dir: tempfile::TempDir,
}

impl Beside {
    pub fn new(load: Load) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, writer) = open(dir.path()).unwrap();
        Self { load, step: 0, store, writer, _dir: dir }
    }

    fn to(&mut self, step: u64) -> Dump {
        while self.step < step {
            self.step += 1;
            self.load.step(&mut self.writer, self.step).unwrap();
        }
        dump(&self.store, LAST_RECORDS).unwrap()
    }

    /// Opens the store at `path`, whose last acknowledged step is given: it must be clean and have done just that step, or
    /// the one after it, which was done and not acknowledged yet. This store is then where that one is.
    pub fn compare(&mut self, path: &Path, acknowledged: u64) -> Result<(), String> {
        let (store, _writer) = open(path).map_err(|error| format!("it does not open: {error}"))?;
        clean(&store);
        let found = dump(&store, LAST_RECORDS).map_err(|error| format!("it is not read: {error}"))?;
        let Some(before) = difference(&self.to(acknowledged), &found, 8) else { return Ok(()) };
        let Some(after) = difference(&self.to(acknowledged + 1), &found, 8) else { return Ok(()) };
        Err(format!(
            "it is neither after step {acknowledged} ({before}) nor after the next ({after}); seed {}",
            self.load.seed
        ))
    }
}

/// A directory that stays where a test fails, for whoever looks why.
pub struct Kept(Option<tempfile::TempDir>);

impl Kept {
    pub fn new() -> Self {
        Self(Some(tempfile::tempdir().unwrap()))
    }

    pub fn path(&self) -> PathBuf {
        self.0.as_ref().unwrap().path().join("store")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(dir) = self.0.take().filter(|_| std::thread::panicking()) {
            eprintln!("the store is left in {}", dir.keep().display());
        }
    }
}
