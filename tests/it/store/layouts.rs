//! What the store's directory holds: sealed files, backups, stores of older layouts, and what is set aside.

use std::fs;
use std::path::{Path, PathBuf};

use rasid::item::LogKind;
use rasid::store::{ItemQuery, StoreConfig, StoreError, repair, restore};
use rasid::units::ByteSize;

use super::{Seq, about, candidate, clean, copy, group, id, new, opened, refused, revised, time};
use rasid::dedup::VerdictKind;
use rasid::store::{Store, Writer};

fn quiet() -> impl FnMut(&str, u64, u64) {
    |_, _, _| {}
}

fn config(path: &Path) -> StoreConfig {
    StoreConfig { path: path.to_owned(), cache: ByteSize::mib(8), ..StoreConfig::default() }
}

/// Groups of new items, copies and revisions, from the number `from` on.
fn fill(writer: &mut Writer, from: usize, groups: usize) {
    for n in (from..).step_by(20).take(groups) {
        let items = (n..n + 20).map(|n| {
            let text = format!("افتتح الوزير {n} مركزا صحيا في القرى الجبلية يوم الخميس. ").repeat(10 + n % 5);
            let entry = about(candidate(["rt", "bbc"][n % 2], &n.to_string(), &text, n as i64), "health");
            match n % 10 {
                4 => copy(
                    VerdictKind::Near,
                    id(&candidate(["rt", "bbc"][(n - 1) % 2], &(n - 1).to_string(), "", 0)),
                    entry,
                ),
                8 => revised(candidate(["rt", "bbc"][n % 2], &(n - 8).to_string(), &text, n as i64)),
                _ => new(entry),
            }
        });
        writer.commit(group(n as i64, items.collect())).unwrap();
    }
}

fn everything(store: &Store) -> Vec<String> {
    let mut query = ItemQuery { duplicates: true, limit: 500, ..ItemQuery::default() };
    let mut lines = Vec::new();
    loop {
        let page = store.items(&query).unwrap();
        lines.extend(page.items.iter().map(|item| serde_json::to_string(item).unwrap()));
        query.after = Some(match page.next {
            Some(next) => next,
            None => return lines,
        });
    }
}

fn files(path: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    paths.sort();
    paths
}

/// The directory of the newest part.
fn front(path: &Path) -> PathBuf {
    let fronts = files(path, "").into_iter().filter(|path| path.join("wal").exists());
    fronts.max().expect("the newest part")
}

fn size(path: &Path) -> u64 {
    if path.is_dir() { files(path, "").iter().map(|path| size(path)).sum() } else { path.metadata().unwrap().len() }
}

#[test]
fn what_is_full_is_sealed_and_read_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    fill(&mut writer, 0, 30);
    let before = everything(&store);
    store.compact(&mut quiet()).unwrap();
    assert!(!files(dir.path(), ".bulk").is_empty() && !files(dir.path(), ".index").is_empty());
    assert_eq!(everything(&store), before);
    clean(&store);
    // Older records are changed, newer ones added; the log goes on.
    fill(&mut writer, 600, 10);
    writer.prune(time(100), 256).unwrap();
    let (before, log) = (everything(&store), store.log(Seq(0), 500).unwrap());
    drop((store, writer));
    let (store, mut writer) = opened(dir.path());
    assert_eq!((everything(&store), store.log(Seq(0), 500).unwrap()), (before.clone(), log));
    store.compact(&mut quiet()).unwrap();
    assert_eq!(everything(&store), before);
    clean(&store);
    let removed = store.log(Seq(0), 500).unwrap().iter().filter(|record| record.item.is_none()).count();
    assert!(removed > 0 && store.log(Seq(600), 500).unwrap().iter().any(|record| record.kind == LogKind::Removed));
    fill(&mut writer, 900, 1);
    clean(&store);
}

#[test]
fn what_is_removed_frees_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    fill(&mut writer, 0, 100);
    store.compact(&mut quiet()).unwrap();
    let full = size(dir.path());
    while writer.prune(time(1_500), 256).unwrap() > 0 {}
    clean(&store);
    let report = store.compact(&mut quiet()).unwrap();
    assert_eq!(report.after_bytes, store.size_on_disk().unwrap());
    let left = size(dir.path());
    // The log stays, and has grown by what it tells of the removal.
    assert!(left * 5 < full * 2, "{left} of {full} bytes are left of a quarter of the items");
    clean(&store);
    while writer.prune(time(5_000), 256).unwrap() > 0 {}
    store.compact(&mut quiet()).unwrap();
    assert_eq!(everything(&store).len(), 0);
    clean(&store);
}

#[test]
fn what_sled_lost_is_made_again_from_what_was_written_ahead() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage); 7] = [
        ("stray snapshot", |sled| fs::write(sled.join("snap.00000000000FFFFF.generating"), b"torn").unwrap()),
        ("damaged snapshot", |sled| fs::write(sled.join("snap.00000000000FFFFF"), b"no snapshot").unwrap()),
        ("missing data", |sled| fs::remove_file(sled.join("db")).unwrap()),
        ("empty data", |sled| fs::write(sled.join("db"), b"").unwrap()),
        ("garbage", |sled| {
            let data = fs::read(sled.join("db")).unwrap();
            fs::write(sled.join("db"), data.iter().map(|byte| byte ^ 0x55).collect::<Vec<u8>>()).unwrap();
        }),
        ("cut", |sled| fs::File::options().write(true).open(sled.join("db")).unwrap().set_len(24 << 10).unwrap()),
        ("no directory", |sled| fs::remove_dir_all(sled).unwrap()),
    ];
    for (name, damage) in cases {
        let dir = tempfile::tempdir().unwrap();
        let (store, mut writer) = opened(dir.path());
        fill(&mut writer, 0, 3);
        let before = everything(&store);
        drop((store, writer));
        damage(&front(dir.path()).join("sled"));
        let (store, mut writer) = opened(dir.path());
        assert_eq!(everything(&store), before, "{name}");
        clean(&store);
        fill(&mut writer, 60, 1);
        clean(&store);
        // What sled takes for an empty directory is filled again; what it cannot read is kept.
        let aside = files(dir.path(), "").iter().any(|path| path.to_string_lossy().contains("damaged-sled"));
        assert!(aside || name != "damaged snapshot", "{name}: it is set aside");
    }
}

#[test]
fn damage_of_sealed_files_is_named_and_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    fill(&mut writer, 0, 10);
    store.compact(&mut quiet()).unwrap();
    let before = everything(&store);
    drop((store, writer));
    let bulk = files(dir.path(), ".bulk").remove(0);
    let mut bytes = fs::read(&bulk).unwrap();
    let at = bytes.len() / 3;
    bytes[at] ^= 0x10;
    fs::write(&bulk, &bytes).unwrap();
    let (store, writer) = opened(dir.path());
    let name = bulk.file_name().unwrap().to_str().unwrap().to_owned();
    let problems = store.verify().unwrap();
    assert!(problems.iter().any(|problem| problem.contains(&name)), "{problems:?}");
    drop((store, writer));
    let report = repair(&config(dir.path()), &mut quiet()).unwrap();
    assert!(report.lost.iter().any(|lost| lost.contains(&name)), "{:?}", report.lost);
    let aside = report.set_aside.unwrap();
    assert_eq!(fs::read(aside.join(&name)).unwrap(), bytes, "what was damaged is kept as it was");
    let (store, mut writer) = opened(dir.path());
    clean(&store);
    let after = everything(&store);
    let missing = before.iter().filter(|line| !after.contains(line)).count();
    assert!(missing <= 2, "{missing} of {} items are not as they were: {:?}", before.len(), report.lost);
    fill(&mut writer, 200, 1);
    clean(&store);
}

#[test]
fn an_interrupted_repair_is_gone_on_from() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(dir.path());
    fill(&mut writer, 0, 3);
    let before = everything(&store);
    drop((store, writer));
    // One that was not complete is no store; one that was complete takes the place of the old one.
    fs::create_dir(dir.path().join("repaired.new")).unwrap();
    fs::write(dir.path().join("repaired.new/MANIFEST"), "half").unwrap();
    assert_eq!(everything(&opened(dir.path()).0), before);
    let elsewhere = tempfile::tempdir().unwrap();
    let (store, mut writer) = opened(elsewhere.path());
    fill(&mut writer, 500, 1);
    let other = everything(&store);
    drop((store, writer));
    let new = dir.path().join("repaired.new");
    let copied = |from: &Path, to: &Path| {
        fn all(from: &Path, to: &Path) {
            fs::create_dir_all(to).unwrap();
            for path in files(from, "") {
                let to = to.join(path.file_name().unwrap());
                if path.is_dir() {
                    all(&path, &to);
                } else {
                    fs::copy(&path, &to).unwrap();
                }
            }
        }
        all(from, to);
    };
    copied(elsewhere.path(), &new);
    fs::write(new.join("COMPLETE"), "damaged\n").unwrap();
    let (store, _writer) = opened(dir.path());
    assert_eq!(everything(&store), other);
    clean(&store);
    assert!(dir.path().join("damaged/MANIFEST").exists() && !new.exists());
}

#[test]
fn a_second_backup_copies_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let (path, backup, back) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("back"));
    let (store, mut writer) = opened(&path);
    fill(&mut writer, 0, 20);
    store.compact(&mut quiet()).unwrap();
    let first = store.backup(&backup, &mut quiet()).unwrap();
    assert!(first.verified && first.copied_bytes == first.total_bytes && first.seq == store.durable().borrow().0);
    fill(&mut writer, 400, 2);
    let (before, second) = (everything(&store), store.backup(&backup, &mut quiet()).unwrap());
    assert!(second.copied_bytes * 3 < second.total_bytes, "{second:?}");
    // What comes after it is not in it.
    fill(&mut writer, 800, 1);
    let restored = restore(&backup, &config(&back), &mut quiet()).unwrap();
    assert_eq!((restored.seq, restored.total_bytes), (second.seq, second.total_bytes));
    let (again, mut other) = opened(&back);
    assert_eq!(everything(&again), before);
    clean(&again);
    fill(&mut other, 900, 1);
    clean(&again);

    let refusal = |outcome: Result<rasid::store::BackupReport, StoreError>| outcome.unwrap_err().to_string();
    assert!(refusal(restore(&backup, &config(&back), &mut quiet())).contains("not empty"));
    assert!(refusal(restore(dir.path(), &config(&dir.path().join("x")), &mut quiet())).contains("no backup"));
    assert!(refusal(store.backup(dir.path(), &mut quiet())).contains("not empty"));
    let stranger = opened(&dir.path().join("stranger")).0;
    assert!(refusal(stranger.backup(&backup, &mut quiet())).contains("another store"));
    let file = files(&backup, ".bulk").remove(0);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert!(refusal(restore(&backup, &config(&dir.path().join("y")), &mut quiet())).contains("damaged"));
    // The next backup mends it.
    assert!(store.backup(&backup, &mut quiet()).unwrap().copied_files >= 1);
    restore(&backup, &config(&dir.path().join("z")), &mut quiet()).unwrap();
    clean(&opened(&dir.path().join("z")).0);
}

fn unpacked(fixture: &Path, name: &str) -> Vec<u8> {
    let packed = fs::read(fixture.join(format!("{name}.zst"))).unwrap();
    zstd::stream::decode_all(packed.as_slice()).unwrap()
}

#[test]
fn a_store_of_the_first_layout_is_made_one_of_this_and_kept() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stores/schema-1");
    let dir = tempfile::tempdir().unwrap();
    let generation = dir.path().join("gen-000001");
    fs::create_dir(&generation).unwrap();
    fs::write(generation.join("db"), unpacked(&fixture, "db")).unwrap();
    fs::copy(fixture.join("conf"), generation.join("conf")).unwrap();
    fs::write(dir.path().join("CURRENT"), "gen-000001\n").unwrap();
    let expected = String::from_utf8(unpacked(&fixture, "expected.ndjson")).unwrap();
    let mut expected: Vec<&str> = expected.lines().collect();
    let by_feed = expected.pop().unwrap();
    let mut told = Vec::new();
    let config = config(dir.path());
    let (store, mut writer) =
        rasid::store::open_with(&config, &mut |doing, done, _| told.push(format!("{doing} {done}"))).unwrap();
    assert_eq!(everything(&store), expected);
    assert_eq!(serde_json::to_string(&store.stats().unwrap().by_feed).unwrap(), by_feed);
    assert_eq!(store.cursor(&super::feed("rt")).unwrap(), Some(super::cursor(2, 50)));
    assert_eq!(store.durable().borrow().0, 68);
    clean(&store);
    assert!(dir.path().join("before-schema-2/gen-000001/db").exists(), "the old one is the backup");
    fill(&mut writer, 1_000, 1);
    drop((store, writer));
    clean(&opened(dir.path()).0);

    // Where the old one cannot be read, nothing is begun in its place.
    let broken = tempfile::tempdir().unwrap();
    fs::create_dir(broken.path().join("gen-000001")).unwrap();
    fs::write(broken.path().join("gen-000001/db"), b"").unwrap();
    fs::write(broken.path().join("CURRENT"), "gen-000001\n").unwrap();
    let error = refused(broken.path()).to_string();
    assert!(error.contains("missing or empty") && error.contains("backup"), "{error}");
    fs::write(broken.path().join("CURRENT"), "../elsewhere").unwrap();
    assert!(refused(broken.path()).to_string().contains("names no generation"));
}

/// Files of a fixture, each compressed, in their directories.
fn unpack_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in files(from, "") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match name.strip_suffix(".zst") {
            Some(name) => fs::write(to.join(name), unpacked(from, name)).unwrap(),
            None => unpack_all(&path, &to.join(name)),
        }
    }
}

#[test]
fn a_store_of_this_layout_stays_readable() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stores/schema-2");
    let dir = tempfile::tempdir().unwrap();
    unpack_all(&fixture.join("store"), dir.path());
    let expected = String::from_utf8(unpacked(&fixture, "expected.ndjson")).unwrap();
    let (store, mut writer) = opened(dir.path());
    assert_eq!(everything(&store), expected.lines().collect::<Vec<_>>());
    clean(&store);
    fill(&mut writer, 5_000, 1);
    store.compact(&mut quiet()).unwrap();
    clean(&store);
}
