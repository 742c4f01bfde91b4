//! An index whose writer was killed.

use rasid::dedup::{Verdict, VerdictKind};

use super::{NEW, World, candidate};

#[test]
fn a_commit_that_was_cut_off_is_done_again() {
    let mut world = World::new();
    for (title, text) in [("افتتاح مكتبة", "في الحي القديم"), ("أمطار على الساحل", "منذ الصباح")]
    {
        world.add(title, text);
    }
    world.catch_up();
    let meta = world.index().join("meta.json");
    let before = std::fs::read(&meta).unwrap();
    let mut revised = candidate(1, "إغلاق مكتبة", "في الحي القديم");
    revised.hash = 77;
    world.commit(revised, Verdict { kind: VerdictKind::Revision, ..NEW });
    world.catch_up();
    assert_eq!(world.titles(&[("q", "مكتبة")]), ["إغلاق مكتبة"]);
    // As it is left by a kill after all files were written, and before the one that names them.
    std::fs::write(&meta, before).unwrap();
    world.reopen();
    world.catch_up();
    assert_eq!(world.titles(&[("q", "مكتبة")]), ["إغلاق مكتبة"]);
    assert_eq!(world.titles(&[("q", "أمطار")]), ["أمطار على الساحل"]);
}
