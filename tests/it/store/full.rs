//! A disk that is full, a directory that cannot be written, a store that another process has.
//!
//! The disks are small file systems in memory, mounted in a mount namespace of this test's own, so that none is left behind.
//! Needs Linux and the right to make such a namespace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rasid::store::StoreError;

use super::child::{Child, Ended, Work};
use super::load::{Beside, Load, dump, open, setting, skipped};
use super::{candidate, clean, group, new};

/// Set within the namespace.
const INSIDE: &str = "RASID_STORE_MOUNTS";

/// Runs the body of the test of this name where file systems can be mounted.
fn with_disks(test: &str, body: fn()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let dir = tempfile::tempdir().unwrap();
    for flags in [&["--mount"][..], &["--mount", "--map-root-user"]] {
        let mut trial = Command::new("unshare");
        trial.args(flags).args(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(dir.path());
        if trial.output().is_ok_and(|output| output.status.success()) {
            let mut inside = Command::new("unshare");
            inside.args(flags).arg(std::env::current_exe().unwrap());
            inside.args([&format!("store::full::{test}"), "--exact", "--nocapture"]).env(INSIDE, "1");
            let status = inside.status().unwrap();
            assert!(status.success(), "{status}");
            return;
        }
    }
    skipped("no file system can be mounted here; how the store takes a full disk was not tested");
}

/// A file system of some bytes.
struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    fn of(bytes: u64) -> Self {
        let disk = Self { dir: tempfile::tempdir().unwrap() };
        disk.mount(&["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]);
        disk
    }

    fn mount(&self, arguments: &[&str]) {
        let Output { status, stderr, .. } =
            Command::new("mount").args(arguments).arg(self.dir.path()).output().unwrap();
        assert!(status.success(), "mount {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    }

    fn resize(&self, bytes: u64) {
        self.mount(&["-o", &format!("remount,size={bytes}")]);
    }

    fn store(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// Puts a file there that takes all that is free.
    fn fill(&self) -> PathBuf {
        let file = self.dir.path().join("filler");
        let mut out = fs::File::create(&file).unwrap();
        while std::io::Write::write(&mut out, &[1; 4_096]).is_ok_and(|written| written > 0) {}
        file
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}

/// The words of a refusal name the store and say what is wrong.
fn plain(words: &str, store: &Path) {
    assert!(words.contains(store.to_str().unwrap()), "it does not name the store: {words}");
    let says = ["exists", "room", "space", "Read-only", "read-only", "another process", "directory"];
    assert!(says.iter().any(|say| words.contains(say)), "it does not say what is wrong: {words}");
}

fn child(disk: &Disk, beside: &Beside, steps: u64) -> Ended {
    let work = Work { load: beside.load, after: beside.step, steps, readers: 0 };
    let ended = Child::at(&disk.store(), work, &[]).end(Duration::from_secs(120));
    ended.check().unwrap_or_else(|wrong| panic!("{wrong}; seed {}", beside.load.seed));
    ended.refusals().for_each(|words| plain(words, &disk.store()));
    ended
}

/// More than fit on these disks, where nothing is removed.
const MOST_STEPS: u64 = 200;

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    with_disks("a_full_disk_loses_nothing_that_was_acknowledged", || {
        let (rounds, mut steps, mut at_open, mut shut) = (setting("RASID_ROUNDS", 4), 0, 0, 0);
        // Every second store removes what is old: it may find room again in its own files, and go on for long.
        let begin = |keep| {
            let size = fastrand::u64(5 << 19..4 << 20);
            (Disk::of(size), size, Beside::new(Load::new(keep)))
        };
        let mut full = 0;
        let (mut disk, mut size, mut beside) = begin(500);
        for round in 0..rounds {
            if round > 0 && round % 6 == 0 {
                (disk, size, beside) = begin(if round % 12 == 0 { 500 } else { 15 });
            }
            let from = beside.step;
            let ended = child(&disk, &beside, MOST_STEPS);
            full += usize::from(ended.refusals().next().is_some());
            let acknowledged = ended.acknowledged();
            at_open += usize::from(acknowledged.is_none());
            steps += acknowledged.map_or(0, |step| step - from);
            // Opened while there is still no room: it says so or it opens, and harms nothing.
            shut += child(&disk, &beside, 0).refusals().count();
            // What is ahead of sled has to go into it again, which takes three times as much.
            size += fastrand::u64(6 << 19..10 << 19);
            disk.resize(size);
            let compared = beside.compare(&disk.store(), acknowledged.unwrap_or(from));
            let refusals: Vec<&str> = ended.refusals().collect();
            compared.unwrap_or_else(|wrong| panic!("round {round}, {size} bytes: {wrong}; it refused {refusals:#?}"));
        }
        assert!(full * 2 > rounds, "only {full} of {rounds} times the disk was full");
        eprintln!(
            "{rounds} disks, {full} of them full: {steps} steps acknowledged and none lost; {at_open} times nothing could \
             be written, {shut} times the full store did not open, and said so"
        );
    });
}

/// What becomes of a store's place: made bad, and mended.
struct Place {
    name: &'static str,
    /// Whether there is a store already.
    stored: bool,
    /// Whether it may open all the same.
    lenient: bool,
    spoil: fn(&Disk),
    mend: fn(&Disk),
}

const PLACES: [Place; 5] = [
    Place {
        name: "a new store on a full disk",
        stored: false,
        lenient: false,
        spoil: |disk| drop(disk.fill()),
        mend: |disk| disk.resize(32 << 20),
    },
    Place {
        name: "a store on a full disk",
        stored: true,
        lenient: true,
        spoil: |disk| drop(disk.fill()),
        mend: |disk| disk.resize(32 << 20),
    },
    Place {
        name: "a new store on a disk that is read-only",
        stored: false,
        lenient: false,
        spoil: |disk| disk.mount(&["-o", "remount,ro"]),
        mend: |disk| disk.mount(&["-o", "remount,rw"]),
    },
    Place {
        name: "a store on a disk that is read-only",
        stored: true,
        lenient: false,
        spoil: |disk| disk.mount(&["-o", "remount,ro"]),
        mend: |disk| disk.mount(&["-o", "remount,rw"]),
    },
    Place {
        name: "a file in the place of the directory",
        stored: false,
        lenient: false,
        spoil: |disk| fs::write(disk.store(), "x").unwrap(),
        mend: |disk| fs::remove_file(disk.store()).unwrap(),
    },
];

#[test]
fn a_place_that_cannot_be_used_is_refused_in_words_and_nothing_is_harmed() {
    with_disks("a_place_that_cannot_be_used_is_refused_in_words_and_nothing_is_harmed", || {
        for Place { name, stored, lenient, spoil, mend } in PLACES {
            eprintln!("{name}");
            let disk = Disk::of(16 << 20);
            let mut beside = Beside::new(Load::new(15));
            let acknowledged = if stored { child(&disk, &beside, 10).acknowledged().unwrap() } else { 0 };
            if stored {
                beside.compare(&disk.store(), acknowledged).unwrap();
            }
            spoil(&disk);
            for _ in 0..2 {
                let ended = child(&disk, &beside, 0);
                assert!(lenient || ended.refusals().next().is_some(), "{name}: it was opened");
                ended.refusals().for_each(|words| eprintln!("    {words}"));
            }
            mend(&disk);
            beside.compare(&disk.store(), acknowledged).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            child(&disk, &beside, 3);
        }
    });
}

#[test]
fn a_store_that_another_process_has_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut writer) = open(dir.path()).unwrap();
    writer.commit(group(1, vec![new(candidate("rt", "1", "نص", 1))])).unwrap();
    let before = dump(&store, 10).unwrap();
    let work = Work { load: Load::new(1), after: 0, steps: 3, readers: 0 };
    let ended = Child::at(dir.path(), work, &[]).end(Duration::from_secs(60));
    ended.check().unwrap();
    let refused: Vec<&str> = ended.refusals().collect();
    let expected = StoreError::Locked { path: dir.path().to_owned() }.to_string();
    assert_eq!(refused, [expected]);
    plain(refused[0], dir.path());
    assert_eq!(dump(&store, 10).unwrap(), before);
    clean(&store);
}
