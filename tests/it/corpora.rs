//! Corpora: folders and packs, what is refused and why, and what a text is told of them.

use std::path::Path;

use rasid::config::{self, corpora::texts_of};
use rasid::dedup::corpus::Corpus;
use serde_json::Value;

use crate::newsroom::{Answer, Server, prose};
use crate::rasid::{Home, wait_for};

/// A corpus of four documents in three kinds of files: name and content.
fn files() -> Vec<(&'static str, String)> {
    let page = format!(
        "<html lang=\"ar\"><head><title>بستان اللوز</title></head><body><nav><a href=\"/\">الرئيسية</a></nav>\
         <article><h1>بستان اللوز</h1><p>{}</p></article></body></html>",
        prose(3, 150).replace('\n', "</p><p>")
    );
    let line = |id: &str, number: u64| {
        serde_json::json!({ "id": id, "title": "خبر من الأحياء", "text": prose(number, 80) }).to_string()
    };
    vec![
        ("market.txt", format!("افتتاح السوق القديم\n\n{}\n", prose(1, 90))),
        ("orchard.html", page),
        ("more.jsonl", format!("{}\n{}\n", line("bridge", 4), line("library", 5))),
        ("README.md", "notes".to_owned()),
    ]
}

fn write(dir: &Path, files: impl IntoIterator<Item = (&'static str, String)>) {
    std::fs::create_dir_all(dir).unwrap();
    for (name, content) in files {
        std::fs::write(dir.join(name), content).unwrap();
    }
}

#[test]
fn packing_does_not_depend_on_where_and_in_which_order_texts_are_found() {
    let home = Home::new("", "");
    write(&home.path("one"), files());
    write(&home.path("two"), files().into_iter().rev());
    write(&home.path("three"), files().into_iter().map(|(name, text)| (name, text.replace('\n', "\r\n"))));
    let mut packs = Vec::new();
    for folder in ["one", "two", "three"] {
        let (dir, pack) = (home.path(folder), home.path(&format!("{folder}-out/ref.pack")));
        std::fs::create_dir(pack.parent().unwrap()).unwrap();
        home.ok(&["corpus", "pack", dir.to_str().unwrap(), "-o", pack.to_str().unwrap()]);
        assert!(!pack.with_extension("pack.new").exists());
        packs.push(std::fs::read(pack).unwrap());
    }
    assert!(packs[0] == packs[1], "the order of files");
    assert!(packs[0] == packs[2], "line endings");

    // The folder itself is the same corpus as its pack, and neither can be read back.
    let pack = &packs[0];
    let texts = texts_of(&home.path("one"), &mut Vec::new(), &mut Vec::new()).unwrap();
    assert!(Corpus::read(pack).unwrap() == Corpus::of("ref", &texts).unwrap());
    let holds = |bytes: &[u8]| pack.windows(bytes.len()).any(|window| window == bytes);
    for text in &texts {
        for word in
            text.title.split_whitespace().chain(text.text.split_whitespace()).filter(|word| word.chars().count() > 2)
        {
            let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(!holds(word.as_bytes()) && !holds(&wide), "{word} can be read in the pack");
        }
    }
    assert!(holds(b"orchard"), "ids are names, and stay");
    assert_eq!(texts.iter().find(|text| text.id == "orchard").unwrap().title, "بستان اللوز");
    assert!(!texts.iter().any(|text| text.text.contains("الرئيسية")), "a page is read as the daemon reads it");
}

fn load(home: &Home) -> Result<config::Config, Vec<String>> {
    let shown = |problem: &config::Problem| problem.to_string().replace(home.dir.path().to_str().unwrap(), "");
    config::load(home.dir.path(), &|_| None).map_err(|problems| problems.iter().map(shown).collect())
}

#[test]
fn folders_and_packs_stand_side_by_side() {
    let home = Home::new("", "");
    write(&home.path("corpus/ours"), files());
    write(&home.path("corpus/ours"), [("scan.pdf", "x".to_owned()), (".hidden", "x".to_owned())]);
    write(&home.path("corpus"), [("stray.txt", "نص".to_owned()), ("README.md", "x".to_owned())]);
    home.corpus();
    let config = load(&home).unwrap();
    let names: Vec<(&str, usize)> =
        config.corpora.iter().map(|corpus| (corpus.name.as_str(), corpus.documents.len())).collect();
    assert_eq!(names, [("ours", 4), ("seed", 5)]);
    let notes: Vec<String> = config.notes.iter().map(ToString::to_string).collect();
    let noted = |name: &str| notes.iter().filter(|note| note.contains(name)).count();
    assert_eq!((noted("scan.pdf"), noted("stray.txt"), noted("README"), noted(".hidden")), (1, 1, 0, 0), "{notes:?}");
}

#[test]
fn what_cannot_be_used_is_named_with_what_to_do() {
    let good = || files().into_iter().next().unwrap();
    let rows: [(&str, Vec<u8>, &[&str]); 8] = [
        ("corpus/a/empty.txt", b"".to_vec(), &["/corpus/a/empty.txt:1:1: ", "no words"]),
        ("corpus/a/marks.html", "<p>…</p>".into(), &["/corpus/a/marks.html:1:1: ", "no words"]),
        ("corpus/a/binary.txt", b"PK\x03\x04\0\0\0".to_vec(), &["/corpus/a/binary.txt:1:1: ", "no text"]),
        ("corpus/a/lines.jsonl", "{\"id\": 1}\n".into(), &["/corpus/a/lines.jsonl:1:1: ", "lines.jsonl:1: "]),
        (
            "corpus/a/no.jsonl",
            "{\"id\": \"n\", \"text\": \"…\"}\n".into(),
            &["/corpus/a/no.jsonl:1:1: ", "`n` has no words"],
        ),
        (
            "corpus/a/market.html",
            "<p>نص آخر</p>".into(),
            &["/corpus/a/market.txt:1:1: ", "corpus/a/market.html", "rename"],
        ),
        ("corpus/a/b c.txt", "نص من كلمات".into(), &["/corpus/a:1:1: ", "`b c` is no name"]),
        (
            "corpus/a.pack",
            Corpus::pack("a", &texts(1)).unwrap(),
            &["/corpus/a.pack:1:1: ", "named `a` already", "corpus/a;"],
        ),
    ];
    for (name, content, wanted) in rows {
        let home = Home::new("", "");
        write(&home.path("corpus/a"), [good()]);
        std::fs::write(home.path(name), content).unwrap();
        let problems = load(&home).unwrap_err();
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
        assert!(wanted.iter().all(|part| problems[0].contains(part)), "{name}: {problems:?}");
        // Packing says the same, and leaves nothing behind.
        if name.starts_with("corpus/a/") {
            let output =
                home.rasid(&["corpus", "pack", home.path("corpus/a").to_str().unwrap(), "-o", "/nowhere/x.pack"]);
            assert_eq!(output.status.code(), Some(1), "{name}");
        }
    }
    let home = Home::new("", "");
    std::fs::create_dir_all(home.path("corpus/nothing")).unwrap();
    assert!(load(&home).unwrap_err()[0].starts_with("/corpus/nothing:1:1: there is no .txt"));
}

fn texts(number: u64) -> Vec<rasid::dedup::corpus::CorpusText> {
    let text = |id: u64| rasid::dedup::corpus::CorpusText {
        id: format!("d{id}"),
        title: String::new(),
        text: prose(1_000 + id, 60),
    };
    (0..number).map(text).collect()
}

#[test]
fn a_pack_of_another_version_is_refused_with_the_command_that_remakes_it() {
    let home = Home::new("", "");
    let mut pack = Corpus::pack("old", &texts(2)).unwrap();
    pack[12] += 1;
    std::fs::create_dir(home.path("corpus")).unwrap();
    std::fs::write(home.path("corpus/old.pack"), &pack).unwrap();
    let problems = load(&home).unwrap_err();
    assert!(problems[0].contains("`rasid corpus pack DIR -o /corpus/old.pack`"), "{problems:?}");
    assert!(problems[0].contains("normalizer version"), "{problems:?}");
    // The command does what it says.
    write(&home.path("texts"), files());
    let output = home.path("corpus/old.pack");
    home.ok(&["corpus", "pack", home.path("texts").to_str().unwrap(), "-o", output.to_str().unwrap()]);
    assert!(load(&home).unwrap().corpora.get("old").is_some_and(|corpus| corpus.documents.len() == 4));
}

/// The first line of what a command prints as JSON.
fn json(output: &str) -> Value {
    serde_json::from_str(output.lines().next().unwrap()).unwrap()
}

#[test]
fn a_text_is_matched_from_wherever_it_comes() {
    let article = files().swap_remove(1).1;
    let press = Server::start(move |asked| match asked.path.as_str() {
        "/orchard" => Answer::ok("text/html; charset=utf-8", article.clone()),
        _ => Answer::status(404),
    });
    let home = Home::new("", "");
    write(&home.path("corpus/ours"), files());
    write(&home.path("given"), files());
    let given = |name: &str| home.path("given").join(name).to_str().unwrap().to_owned();
    for (source, value, document) in [
        ("--file", given("market.txt"), "market"),
        ("--file", given("orchard.html"), "orchard"),
        ("--url", press.url("/orchard"), "orchard"),
        ("--text", format!("{}\n{}", prose(1, 90), "وختم شهود روايتهم بسلام"), "market"),
    ] {
        let found = json(&home.ok(&["corpus", "match", source, &value, "--json"]));
        let best = &found["matches"][0];
        assert_eq!(best["document"], document, "{source} {value}: {found}");
        assert!(best["why"].as_str().is_some_and(|why| !why.is_empty()), "{best}");
        let passage = &best["comparison"]["passages"][0];
        assert!(passage["theirs"].is_null() && passage["words"].as_u64().unwrap() > 60, "{passage}");
        let text = home.ok(&["corpus", "match", source, &value]);
        assert!(
            text.contains("1 passage shared") && text.contains("a corpus keeps fingerprints and no text"),
            "{text}"
        );
    }
    // Every document of a file with several is matched by itself.
    let lines = home.ok(&["corpus", "match", "--file", &given("more.jsonl"), "--json"]);
    let seen: Vec<(String, String)> = lines
        .lines()
        .map(json)
        .map(|found| {
            (found["id"].as_str().unwrap().to_owned(), found["matches"][0]["document"].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(seen, [("bridge".into(), "bridge".into()), ("library".into(), "library".into())]);
}

#[test]
fn a_reload_takes_what_changed_in_a_folder() {
    let home = Home::new("", "");
    let daemon = home.daemon();
    home.wait_until_it_answers();
    let text = prose(77, 60);
    let matches =
        || json(&home.ok(&["corpus", "match", "--text", &text, "--json"]))["matches"].as_array().unwrap().len();
    assert_eq!(matches(), 0);
    write(&home.path("corpus/late"), [("one.txt", text.clone())]);
    assert_eq!(matches(), 0, "nothing is read before the daemon is told to");
    let hangup = |daemon: u32| {
        assert!(std::process::Command::new("kill").args(["-HUP", &daemon.to_string()]).status().unwrap().success());
    };
    hangup(daemon.id());
    wait_for("the corpus to be loaded", || matches() == 1);
    std::fs::remove_dir_all(home.path("corpus/late")).unwrap();
    hangup(daemon.id());
    wait_for("the corpus to be gone", || matches() == 0);
    assert!(daemon.terminate().success());
}
