//! The store: durable commits beside SQLite, reading, opening, memory, bytes on the disk, and what a dictionary would save.
//!
//! In: made-up news ([`store_items`]); for the dictionary real articles, too, where they are beside the checkout. Out: tables
//! on standard output. What waits for a disk cannot be timed by the processor: times are those that pass, so beside other
//! work only ratios of one run mean something. Files are read from the system's page cache where it has them.
//! Arguments: the parts to run (`commits`, `pages`, `open`, `disk`, `dictionary`), all where there is none. Environment:
//! `RASID_ITEMS`, how many items (100000); `RASID_CACHE`, the store's cache and SQLite's in MiB (256); `RASID_STORE`, a
//! directory in which `pages` and `open` keep a store between runs; `RASID_CHECKPOINT`, see [`store_sqlite`].
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a program for measuring"
)]

mod made_up;
mod store_disk;
mod store_items;
mod store_sqlite;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Instant;

use rasid::id::Seq;
use rasid::store::{Group, ItemQuery, MAX_GROUP, Store, StoreConfig, Writer, open};
use rasid::units::ByteSize;

use store_items::{FEEDS, Stream, TOPICS, at, feed, topic};
use store_sqlite::Sqlite;

/// Items in one transaction, where the store takes so many.
pub const GROUP: usize = if MAX_GROUP < 256 { MAX_GROUP } else { 256 };
/// Groups of one slice; the two stores take turns slice by slice.
const SLICE: usize = 8;
/// Slices, and commits in each, of items that are stored one by one.
const SINGLE: (usize, usize) = (16, 64);
/// Pages that are read of each kind.
const PAGES: usize = 200;
const PAGE: usize = 100;
/// Processes that open the store, one after another.
const OPENINGS: usize = 3;
/// The most items that an opened store takes for the measurement of memory; of a smaller one a fifth of what it has.
const LOAD: usize = 20_000;
/// How the process that opens the store is told what it is for.
const CHILD: &str = "opened-by-itself";

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [child, path] = arguments.as_slice()
        && child == CHILD
    {
        opened_by_itself(Path::new(path));
        return std::process::ExitCode::SUCCESS;
    }
    let parts = ["commits", "pages", "open", "disk", "dictionary"];
    if let Some(other) = arguments.iter().find(|argument| !parts.contains(&argument.as_str())) {
        println!("`{other}` is no part; there are: {}", parts.join(", "));
        return std::process::ExitCode::from(2);
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    let items = number("RASID_ITEMS", 100_000);
    println!("{items} items, groups of {GROUP}, a cache of {} MiB", cache().0 >> 20);
    if wanted("commits") {
        commits(items);
    }
    if wanted("pages") || wanted("open") {
        let filled = Filled::new(items);
        if wanted("pages") {
            pages(&filled.path);
        }
        if wanted("open") {
            openings(&filled.path);
        }
    }
    if wanted("disk") {
        store_disk::disk(items);
    }
    if wanted("dictionary") {
        store_disk::dictionary();
    }
    std::process::ExitCode::SUCCESS
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

fn cache() -> ByteSize {
    ByteSize::mib(number("RASID_CACHE", 256) as u64)
}

pub fn opened(path: &Path) -> (Store, Writer) {
    open(&StoreConfig { path: path.to_owned(), cache: cache(), ..StoreConfig::default() }).unwrap()
}

/// On the disk that has the build: the system's directory for temporary files may be one in memory.
pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

pub fn heading(heading: &str, columns: &[&str]) {
    println!("\n{heading}");
    println!("{:<44}{}", "", columns.iter().map(|column| format!("{column:>16}")).collect::<String>());
}

pub fn row(name: &str, cells: &[String]) {
    println!("{name:<44}{}", cells.iter().map(|cell| format!("{cell:>16}")).collect::<String>());
}

/// The value that this share of all is below; sorts them.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

fn median(values: &[f64]) -> f64 {
    quantile(&mut values.to_vec(), 0.5)
}

fn seconds(run: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    run();
    begun.elapsed().as_secs_f64()
}

/// Durable commits, the two stores by turns.
fn commits(items: usize) {
    let (ours, theirs) = (directory(), directory());
    let (store, mut writer) = opened(ours.path());
    let connection = store_sqlite::connect(&theirs.path().join("items.sqlite"), cache().0);
    let mut sqlite = Sqlite::new(&connection);
    let mut stream = Stream::new(7, 0);
    let mut turn = |slice: usize, groups: Vec<Group>| {
        let count: usize = groups.iter().map(|group| group.items.len()).sum();
        let copies = groups.clone();
        let ours = || {
            for group in copies {
                writer.commit(group).unwrap();
            }
        };
        let theirs = || groups.iter().for_each(|group| sqlite.commit(group));
        // Whoever is first in one slice is second in the next.
        let (ours, theirs) = if slice.is_multiple_of(2) {
            let ours = seconds(ours);
            (ours, seconds(theirs))
        } else {
            let theirs = seconds(theirs);
            (seconds(ours), theirs)
        };
        (count as f64 / ours, count as f64 / theirs)
    };
    let slices = (items / (GROUP * SLICE)).max(4);
    let grouped: Vec<(f64, f64)> =
        (0..slices).map(|slice| turn(slice, (0..SLICE).map(|_| stream.group(GROUP)).collect())).collect();
    let single: Vec<(f64, f64)> =
        (0..SINGLE.0).map(|slice| turn(slice, (0..SINGLE.1).map(|_| stream.group(1)).collect())).collect();
    let first = store.log(Seq(0), PAGE).unwrap();
    let json: usize = first.iter().map(|record| serde_json::to_vec(&record.item).unwrap().len()).sum();
    let stats = store.stats().unwrap();
    assert_eq!(stats.items + stats.duplicates, sqlite.items());
    println!(
        "\n{} items are stored in both, {:.1} KB each as JSON; an fsync takes {:.2} ms",
        sqlite.items(),
        json as f64 / first.len() as f64 / 1e3,
        sync(ours.path()) * 1e3
    );
    heading("Durable commits, items/s", &["rasid", "SQLite", "rasid : SQLite", "worst", "best"]);
    let show = |name: &str, slices: &[(f64, f64)]| {
        let of = |each: fn(&(f64, f64)) -> f64| slices.iter().map(each).collect::<Vec<_>>();
        let mut ratios = of(|(ours, theirs)| ours / theirs);
        let (ours, theirs) = (median(&of(|slice| slice.0)), median(&of(|slice| slice.1)));
        let cells = [0.5, 0.0, 1.0].map(|share| format!("{:.2}", quantile(&mut ratios, share)));
        row(name, &[vec![format!("{ours:.0}"), format!("{theirs:.0}")], cells.to_vec()].concat());
    };
    show(&format!("groups of {GROUP}, {slices} slices"), &grouped);
    show("the last quarter of them", &grouped[grouped.len() * 3 / 4..]);
    show(&format!("one by one, {} slices", single.len()), &single);
}

/// The median of what it takes to have 4 KB more of a file on the disk.
fn sync(directory: &Path) -> f64 {
    use std::io::Write as _;
    let mut file = std::fs::File::create(directory.join("sync")).unwrap();
    let once = |_| {
        file.write_all(&[7; 4_096]).unwrap();
        seconds(|| file.sync_data().unwrap())
    };
    median(&(0..50).map(once).collect::<Vec<_>>())
}

/// A store with so many items, which is closed.
struct Filled {
    path: PathBuf,
    _directory: Option<tempfile::TempDir>,
}

impl Filled {
    fn new(items: usize) -> Self {
        let kept = std::env::var_os("RASID_STORE").map(PathBuf::from);
        let directory = kept.is_none().then(directory);
        let path = kept.unwrap_or_else(|| directory.as_ref().unwrap().path().to_owned());
        let (store, mut writer) = opened(&path);
        if store.stats().unwrap().last_seq < items as u64 {
            assert_eq!(store.stats().unwrap().last_seq, 0, "{} has fewer items; remove it", path.display());
            let taken = seconds(|| {
                write(Stream::new(7, 0), items, |group| {
                    writer.commit(group).unwrap();
                });
            });
            println!("\na store is filled in {taken:.0} s, {:.0} items/s", items as f64 / taken);
        }
        Self { path, _directory: directory }
    }
}

/// Makes the items on a thread of its own and hands them over in groups.
pub fn write(mut stream: Stream, items: usize, mut each: impl FnMut(Group)) -> Stream {
    let (sender, groups) = mpsc::sync_channel(2);
    let end = stream.next + items;
    let maker = std::thread::spawn(move || {
        while stream.next < end && sender.send(stream.group(GROUP.min(end - stream.next))).is_ok() {}
        stream
    });
    groups.iter().for_each(&mut each);
    maker.join().unwrap()
}

/// One kind of reading, at a random position.
type Reading = (&'static str, Box<dyn Fn(&mut fastrand::Rng) -> usize>);

/// The kinds of reading that are measured; each says how many items it got.
fn readings(store: &Store) -> Vec<Reading> {
    let last = store.stats().unwrap().last_seq;
    let until = move |rng: &mut fastrand::Rng| Some(at(usize::try_from(rng.u64(last / 10..last)).unwrap()));
    let (by_topic, by_feed, log) = (store.clone(), store.clone(), store.clone());
    let page = |store: &Store, query: ItemQuery| store.items(&ItemQuery { limit: PAGE, ..query }).unwrap().items.len();
    vec![
        (
            "a page of 100 by topic and time",
            Box::new(move |rng| {
                let topic = Some(topic(rng.usize(0..TOPICS)));
                page(&by_topic, ItemQuery { topic, until: until(rng), ..ItemQuery::default() })
            }),
        ),
        (
            "a page of 100 by feed and time",
            Box::new(move |rng| {
                let feed = Some(feed(rng.usize(0..FEEDS)));
                page(&by_feed, ItemQuery { feed, until: until(rng), ..ItemQuery::default() })
            }),
        ),
        (
            "100 records of the log",
            Box::new(move |rng| log.log(Seq(rng.u64(0..last - PAGE as u64)), PAGE).unwrap().len()),
        ),
    ]
}

fn pages(path: &Path) {
    let (store, writer) = opened(path);
    let mut rng = fastrand::Rng::with_seed(11);
    heading("Reading, ms", &["median", "p99", "worst", "items each"]);
    let show = |name: &str, read: &mut dyn FnMut(usize) -> usize| {
        let mut got = 0;
        let mut times: Vec<f64> = (0..PAGES).map(|n| seconds(|| got += read(n)) * 1e3).collect();
        let cells = [0.5, 0.99, 1.0].map(|share| format!("{:.3}", quantile(&mut times, share)));
        row(name, &[cells.to_vec(), vec![format!("{:.1}", got as f64 / PAGES as f64)]].concat());
    };
    for (name, read) in readings(&store) {
        show(name, &mut |_| read(&mut rng));
    }
    let last = store.stats().unwrap().last_seq;
    let ids: Vec<_> = (0..PAGES).map(|_| store.log(Seq(rng.u64(0..last)), 1).unwrap()[0].id).collect();
    // They were read a moment ago: whatever the store has in its cache of them is to go.
    drop((store, writer));
    let (store, _writer) = opened(path);
    show("one item by id", &mut |n| usize::from(store.item(ids[n]).unwrap().is_some()));
}

/// Opens the store in processes of their own, one after another; each reads it and writes to it once it is open.
fn openings(path: &Path) {
    let child = |_| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.arg(CHILD).arg(path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).unwrap();
        told.split_whitespace().map(|number| number.parse().unwrap()).collect::<Vec<f64>>()
    };
    let told: Vec<Vec<f64>> = (0..OPENINGS).map(child).collect();
    let columns: Vec<String> = (1..=OPENINGS).map(|n| format!("process {n}")).collect();
    heading("Opening, each in a process of its own", &columns.iter().map(String::as_str).collect::<Vec<_>>());
    let names = [
        "seconds until it is open",
        "resident before, MiB",
        "resident when it is open, MiB",
        "after 600 pages at random places, MiB",
        "after items were written, too, MiB",
        "the most ever, MiB",
        "the most beyond the cache, MiB",
    ];
    for (n, name) in names.iter().enumerate() {
        row(name, &told.iter().map(|told| format!("{:.2}", told[n])).collect::<Vec<_>>());
    }
}

/// What a process of its own measures: a line of numbers.
fn opened_by_itself(path: &Path) {
    // What makes the items is there before, so that it does not count as the store's.
    drop(Stream::new(13, 0).group(GROUP));
    let before = status("VmRSS:");
    let begun = Instant::now();
    let (store, mut writer) = opened(path);
    let took = begun.elapsed().as_secs_f64();
    let open = status("VmRSS:");
    let mut rng = fastrand::Rng::with_seed(17);
    for (_, read) in readings(&store) {
        for _ in 0..PAGES {
            read(&mut rng);
        }
    }
    let read = status("VmRSS:");
    let next = usize::try_from(store.stats().unwrap().last_seq).unwrap();
    write(Stream::new(next as u64, next), LOAD.min(next / 5), |group| {
        writer.commit(group).unwrap();
    });
    let written = status("VmRSS:");
    let most = status("VmHWM:");
    let beyond = most - before - cache().0 as f64 / f64::from(1 << 20);
    println!("{took} {before} {open} {read} {written} {most} {beyond}");
}

/// MiB, from the system's word on this process.
fn status(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
