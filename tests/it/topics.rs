//! The shipped topics on real articles, and the faults of a topics file as the file's reader sees them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use rasid::id::ItemId;
use rasid::topic::{Article, Decision, TopicMatch, Topics, TopicsFile};

use crate::support::{jsonl_gz, shared};

const SHIPPED: &str = include_str!("../../config/topics.toml");

fn shipped() -> Topics {
    let file: TopicsFile = toml::from_str(SHIPPED).unwrap_or_else(|error| panic!("config/topics.toml: {error}"));
    Topics::compile(&file).unwrap_or_else(|problems| {
        let told: Vec<String> =
            problems.iter().map(|p| format!("line {}: {}", line(SHIPPED, p.span.start), p.message)).collect();
        panic!("config/topics.toml: {told:#?}")
    })
}

fn nothing_stored(_: ItemId) -> Result<Article<'static>, String> {
    Err("nothing is stored".to_owned())
}

fn line(file: &str, byte: usize) -> usize {
    file.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

fn decision(matches: &[TopicMatch], id: &str) -> Option<Decision> {
    matches.iter().find(|m| m.id.as_str() == id).map(|m| m.decision)
}

#[test]
fn the_shipped_topics_pass_their_own_tests() {
    let topics = shipped();
    let failures: Vec<String> = topics
        .run_tests(&nothing_stored)
        .iter()
        .map(|p| format!("line {}: {}", line(SHIPPED, p.span.start), p.message))
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
    for id in ["csto", "kazakhstan-unrest", "russia-ukraine"] {
        assert!(topics.ids().any(|known| known.as_str() == id), "{id}");
    }
    assert!(topics.labels().all(|(_, label)| !label.ar.is_empty() && !label.en.is_empty()));
}

#[test]
fn a_failing_test_and_a_fault_are_told_where_they_stand() {
    let file = "[[topic]]\nid = \"gas\"\nlabel = { ar = \"غاز\", en = \"Gas\" }\ngate = 'غاز OR \"أسعار الوقود\"'\n[[topic.test]]\ntext = \"لا شيء هنا\"\nexpect = \"match\"\n";
    let topics = Topics::compile(&toml::from_str(file).unwrap()).unwrap();
    let failures = topics.run_tests(&nothing_stored);
    assert_eq!(failures.len(), 1);
    assert_eq!(file.get(failures[0].span.clone()), Some("\"match\""));
    let broken = file.replace("غاز OR", "غاز OR $FUEL OR");
    let problems = Topics::compile(&toml::from_str(&broken).unwrap()).unwrap_err();
    assert_eq!(broken.get(problems[0].span.clone()), Some("$FUEL"));
}

/// Headlines in the words of January 2022, ours: each must at least be worth a look.
#[test]
fn headlines_alone_are_worth_a_look() {
    let topics = shipped();
    for (title, topic) in [
        ("الرئيس الكازاخي يقيل الحكومة على وقع الغضب من الغلاء", "kazakhstan-unrest"),
        ("قبول استقالة الحكومة في كازاخستان", "kazakhstan-unrest"),
        ("توكاييف: أوامر بإطلاق النار بلا تحذير", "kazakhstan-unrest"),
        ("إعلان حالة الطوارئ في العاصمة الكازاخية وألماتي", "kazakhstan-unrest"),
        ("وصول قوات حفظ السلام إلى كازاخستان", "kazakhstan-unrest"),
        ("بعد مضاعفة أسعار الغاز المسال.. كازاخستان تشتعل", "kazakhstan-unrest"),
        ("ألماتي: اقتحام مبنى البلدية وإشعال النار فيه", "kazakhstan-unrest"),
        ("كازاخستان تعلن اعتقال رئيس لجنة الأمن القومي السابق", "kazakhstan-unrest"),
        ("هدوء حذر في ألما آتا بعد ليلة دامية", "kazakhstan-unrest"),
        ("القوات الروسية تستعد لمغادرة قازاخستان", "kazakhstan-unrest"),
        ("أين نزارباييف؟ شائعات عن مغادرته البلاد", "kazakhstan-unrest"),
        ("بوتين يبحث مع نظيره الكازاخستاني تطورات الوضع", "kazakhstan-unrest"),
        ("قطع الإنترنت عن جميع أنحاء كازخستان", "kazakhstan-unrest"),
        ("«معاهدة الأمن الجماعي» تقرر سحب قواتها", "csto"),
        ("قوات من أرمينيا ضمن بعثة منظمة الأمن الجماعي", "csto"),
        ("ما هي CSTO ولماذا تدخلت الآن؟", "csto"),
    ] {
        let matches = topics.classify(&Article { title, ..Article::default() });
        assert!(decision(&matches, topic).is_some(), "{title}: {matches:#?}");
    }
}

#[test]
fn the_seeds_are_about_both_topics() {
    let Some(folder) = shared("seeds") else { return };
    let topics = shipped();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut evidence = BTreeMap::new();
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy().chars().take(3).collect::<String>();
        let content = fs::read_to_string(path).unwrap();
        let (title, text) = content.split_once('\n').unwrap();
        let matches = topics.classify(&Article { title, text, ..Article::default() });
        for topic in ["csto", "kazakhstan-unrest"] {
            assert_eq!(decision(&matches, topic), Some(Decision::Match), "{name} {topic}: {matches:#?}");
        }
        let scores: Vec<String> = matches.iter().map(|m| format!("{} {:?} {:.2}", m.id, m.decision, m.score)).collect();
        eprintln!("{name}: {}", scores.join(", "));
        let csto = matches.into_iter().find(|m| m.id.as_str() == "csto").unwrap();
        evidence.insert(name, csto.evidence.into_iter().map(|e| e.text).collect::<Vec<_>>());
    }
    assert_eq!(evidence.len(), 5);
    let shows = |seed: &str, place: &str| {
        assert!(evidence[seed].iter().any(|text| text.contains(place)), "{seed}: {:?}", evidence[seed])
    };
    shows("002", "سي أس تي أو");
    shows("001", "منظمة \"معاهدة الأمن الجماعي");
    shows("003", "معاهدة التعاون الجماعي");
    shows("003", "CSTO");
}

#[test]
fn articles_of_another_year_are_not_about_the_unrest() {
    let Some(path) = shared("data/articles_dev.jsonl.gz") else { return };
    let topics = shipped();
    let articles: Vec<_> = jsonl_gz(path).collect();
    let field = |article: &serde_json::Value, name: &str| article[name].as_str().unwrap_or_default().to_owned();
    let articles: Vec<[String; 6]> = articles
        .iter()
        .map(|a| ["title", "summary", "text", "id", "label", "source"].map(|name| field(a, name)))
        .collect();
    let (mut found, mut maybes, mut by_label) = (Vec::new(), Vec::new(), BTreeMap::<(String, String), usize>::new());
    let begin = Instant::now();
    for [title, summary, text, id, label, source] in &articles {
        let matches = topics.classify(&Article { title, summary, text, feed: source, ..Article::default() });
        for m in matches {
            if m.decision == Decision::Match {
                *by_label.entry((m.id.to_string(), label.clone())).or_default() += 1;
            }
            if matches!(m.id.as_str(), "csto" | "kazakhstan-unrest") {
                let told = format!("{id} {} {:.2}", m.id, m.score);
                if m.decision == Decision::Match { found.push(told) } else { maybes.push(told) }
            }
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!(
        "{} articles, {:.0} a second; matches {found:?}; maybes {maybes:#?}; by section {}",
        articles.len(),
        articles.len() as f64 / seconds,
        by_label.iter().map(|((topic, label), n)| format!("\n{topic} {label} {n}")).collect::<String>()
    );
    assert!(articles.len() >= 8_000);
    assert!(found.len() <= 3, "{found:?}");
}
