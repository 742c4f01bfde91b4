//! The ladder, on bytes that are made here from our own sentences.

use encoding_rs::{WINDOWS_1251, WINDOWS_1252};
use proptest::prelude::*;

use super::*;

const ARABIC: &str = "أعلنت وزارة الخارجية أن الوفد وصل إلى العاصمة مساء أمس لإجراء محادثات حول التجارة والحدود";

fn encode(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    let (bytes, _, lossy) = encoding.encode(text);
    assert!(!lossy, "{text} cannot be written in {}", encoding.name());
    bytes.into_owned()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

fn utf32(text: &str, bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|c| bytes(c as u32)).collect()
}

fn xml(declared: &str, text: &str) -> String {
    let declaration = if declared.is_empty() { String::new() } else { format!(" encoding=\"{declared}\"") };
    format!("<?xml version=\"1.0\"{declaration}?><rss><channel><title>{text}</title></channel></rss>")
}

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    hints: Hints<'static>,
    want: (&'static str, Why),
}

fn cases() -> Vec<Case> {
    let none = Hints::default();
    let http = |http| Hints { http: Some(http), ..Hints::default() };
    let case = |name, bytes, hints, charset, why| Case { name, bytes, hints, want: (charset, why) };
    let (w1256, iso) = (WINDOWS_1256, ISO_8859_6);
    let html = |meta: &str| format!("<html><head>{meta}<title>{ARABIC}</title></head></html>");
    vec![
        case("UTF-8, nothing said", xml("", ARABIC).into(), none, "UTF-8", Why::ValidUtf8),
        case("UTF-8 declared", xml("utf-8", ARABIC).into(), none, "UTF-8", Why::ValidUtf8),
        case("UTF-8 declared windows-1256", xml("windows-1256", ARABIC).into(), none, "UTF-8", Why::ValidUtf8),
        case("UTF-8, HTTP windows-1256", xml("", ARABIC).into(), http("windows-1256"), "UTF-8", Why::ValidUtf8),
        case("UTF-8 with a mark", format!("\u{FEFF}{}", xml("", ARABIC)).into(), none, "UTF-8", Why::Bom),
        case("1256 declared", encode(&xml("windows-1256", ARABIC), w1256), none, "windows-1256", Why::Declared),
        case("1256 by an odd label", encode(&xml("win1256", ARABIC), w1256), none, "windows-1256", Why::Declared),
        case("1256 by HTTP", encode(&xml("", ARABIC), w1256), http("cp1256"), "windows-1256", Why::Http),
        case("1256, nothing said", encode(&xml("", ARABIC), w1256), none, "windows-1256", Why::Detected),
        case("1256 declared UTF-8", encode(&xml("utf-8", ARABIC), w1256), none, "windows-1256", Why::Detected),
        case("1256, HTTP UTF-8", encode(&xml("", ARABIC), w1256), http("utf-8"), "windows-1256", Why::Detected),
        case("1256, HTTP latin1", encode(&xml("", ARABIC), w1256), http("iso-8859-1"), "windows-1256", Why::Detected),
        case(
            "1256 declared, HTTP latin1",
            encode(&xml("windows-1256", ARABIC), w1256),
            http("iso-8859-1"),
            "windows-1256",
            Why::Declared,
        ),
        case("1256 declared 1252", encode(&xml("windows-1252", ARABIC), w1256), none, "windows-1256", Why::Detected),
        case("1256 declared 8859-6", encode(&xml("iso-8859-6", ARABIC), w1256), none, "windows-1256", Why::Detected),
        case(
            "1256 after a UTF-8 mark",
            [b"\xEF\xBB\xBF".to_vec(), encode(&xml("", ARABIC), w1256)].concat(),
            none,
            "windows-1256",
            Why::Detected,
        ),
        case("8859-6 declared", encode(&xml("iso-8859-6", ARABIC), iso), none, "ISO-8859-6", Why::Declared),
        case("8859-6, nothing said", encode(&xml("", ARABIC), iso), none, "ISO-8859-6", Why::Detected),
        case("8859-6 declared 1256", encode(&xml("windows-1256", ARABIC), iso), none, "ISO-8859-6", Why::Detected),
        case("8859-6 declared UTF-8", encode(&xml("UTF-8", ARABIC), iso), none, "ISO-8859-6", Why::Detected),
        case("two words", encode("<title>أخبار العالم</title>", w1256), none, "windows-1256", Why::Detected),
        case("a page", encode(&html("<meta charset=windows-1256>"), w1256), none, "windows-1256", Why::Declared),
        case(
            "a page in the long form",
            encode(&html("<META http-equiv=\"Content-Type\" content=\"text/html; charset=Windows-1256\" />"), w1256),
            none,
            "windows-1256",
            Why::Declared,
        ),
        case(
            "a page declared UTF-8",
            encode(&html("<meta charset=\"utf-8\">"), w1256),
            none,
            "windows-1256",
            Why::Detected,
        ),
        case(
            "JSON",
            encode(&format!("{{\"title\": \"{ARABIC}\"}}"), w1256),
            http("utf-8"),
            "windows-1256",
            Why::Detected,
        ),
        case(
            "UTF-16LE with a mark",
            [vec![0xFF, 0xFE], utf16(&xml("utf-16", ARABIC), u16::to_le_bytes)].concat(),
            none,
            "UTF-16LE",
            Why::Bom,
        ),
        case(
            "UTF-16BE with a mark",
            [vec![0xFE, 0xFF], utf16(&xml("utf-16", ARABIC), u16::to_be_bytes)].concat(),
            none,
            "UTF-16BE",
            Why::Bom,
        ),
        case("UTF-16LE without", utf16(&xml("utf-8", ARABIC), u16::to_le_bytes), none, "UTF-16LE", Why::Bom),
        case(
            "UTF-16BE without",
            utf16(&format!("\n {}", xml("", ARABIC)), u16::to_be_bytes),
            none,
            "UTF-16BE",
            Why::Bom,
        ),
        case("UTF-16LE of plain text", utf16(ARABIC, u16::to_le_bytes), none, "UTF-16LE", Why::Bom),
        case(
            "UTF-32LE with a mark",
            [vec![0xFF, 0xFE, 0, 0], utf32(&xml("", ARABIC), u32::to_le_bytes)].concat(),
            none,
            "UTF-32LE",
            Why::Bom,
        ),
        case("UTF-32BE without", utf32(&xml("", ARABIC), u32::to_be_bytes), none, "UTF-32BE", Why::Bom),
        case(
            "configured beats all",
            encode(&xml("utf-8", ARABIC), w1256),
            Hints { configured: Some("windows-1256"), http: Some("utf-8"), tld: None },
            "windows-1256",
            Why::Configured,
        ),
        case(
            "configured nonsense is passed over",
            encode(&xml("", ARABIC), w1256),
            Hints { configured: Some("klingon"), http: Some("windows-1256"), tld: None },
            "windows-1256",
            Why::Http,
        ),
        case(
            "a TLD that is no label",
            encode(&xml("", ARABIC), w1256),
            Hints { configured: None, http: None, tld: Some("X.Y é") },
            "windows-1256",
            Why::Detected,
        ),
        case("ASCII", b"<rss/>".to_vec(), http("windows-1256"), "UTF-8", Why::ValidUtf8),
        case("nothing", Vec::new(), none, "UTF-8", Why::ValidUtf8),
    ]
}

#[test]
fn t1_arabic_comes_out_whatever_is_said() {
    for Case { name, bytes, hints, want } in cases() {
        let decoded = decode(&bytes, hints);
        assert_eq!((decoded.charset, decoded.why), want, "{name}");
        assert_eq!(decoded.bad, 0, "{name}");
        let whole = decoded.text.contains(ARABIC) || decoded.text.contains("أخبار العالم") || decoded.text.is_ascii();
        assert!(whole, "{name}: {}", decoded.text);
        assert!(!decoded.text.starts_with('\u{FEFF}'), "{name}");
    }
}

#[test]
fn other_alphabets_are_believed() {
    let french = "<p>Le président français a été réélu à Orléans, où la fête fut très animée</p>";
    let russian = "<p>Правительство сообщило о новых переговорах с соседями в столице</p>";
    let http = |http| Hints { http: Some(http), ..Hints::default() };
    for (text, encoding, hints) in [
        (french, WINDOWS_1252, http("windows-1252")),
        (french, WINDOWS_1252, http("iso-8859-1")),
        (french, WINDOWS_1252, Hints { tld: Some("fr"), ..Hints::default() }),
        (russian, WINDOWS_1251, http("windows-1251")),
        (russian, WINDOWS_1251, Hints::default()),
    ] {
        let decoded = decode(&encode(text, encoding), hints);
        assert_eq!((decoded.text.as_str(), decoded.charset), (text, encoding.name()));
    }
}

#[test]
fn a_few_bad_bytes_do_not_unseat_utf8() {
    let whole = xml("", ARABIC).into_bytes();
    // A letter cut in half, a stray byte of another charset, a document cut in the second letter of its second word.
    let cut_letter = whole.iter().position(|b| *b >= 0xD8).unwrap();
    let mut halved = whole.clone();
    halved.remove(cut_letter + 1);
    let stray = [whole.clone(), b"\x93".to_vec()].concat();
    let truncated = whole[..cut_letter + 14].to_vec();
    for (bytes, tail) in [(halved, "وزارة"), (stray, ARABIC), (truncated, "أعلنت")] {
        let decoded = decode(&bytes, Hints { http: Some("windows-1256"), ..Hints::default() });
        assert_eq!((decoded.charset, decoded.why, decoded.bad), ("UTF-8", Why::ValidUtf8, 1));
        assert!(decoded.text.contains(tail), "{}", decoded.text);
    }
}

#[test]
fn a_stray_mark_of_windows_1252_is_that_mark() {
    for (bytes, want) in [
        (&[b"\xD9\x82\xD8\xA7\xD9\x84 \x93".as_slice(), "نعم".as_bytes(), b"\x94 "].concat(), "قال “نعم” "),
        (&["عام 2024".as_bytes(), b"\x96", "2025 كان".as_bytes()].concat(), "عام 2024–2025 كان"),
        (&["الوزير".as_bytes(), b" \x97 ", "أمس".as_bytes()].concat(), "الوزير — أمس"),
        (&["كلمة ".as_bytes(), b"it\x92s", " هنا".as_bytes()].concat(), "كلمة it’s هنا"),
        (&["كلمة ".as_bytes(), b"(\x85)", " هنا".as_bytes()].concat(), "كلمة (…) هنا"),
        // The second halves of ل and of a shadda: their first halves are lost, no mark was meant.
        (&["كلا".as_bytes(), b"\x84", "كلمة".as_bytes()].concat(), "كلا\u{FFFD}كلمة"),
        (&["شد".as_bytes(), b"\x91", " كلمة".as_bytes()].concat(), "شد\u{FFFD} كلمة"),
        // Two of them beside each other, one that windows-1252 does not have, a first half.
        (&["كلمة ".as_bytes(), b"\x93\x94", " هنا".as_bytes()].concat(), "كلمة \u{FFFD}\u{FFFD} هنا"),
        (&["كلمة ".as_bytes(), b"\x81", " هنا".as_bytes()].concat(), "كلمة \u{FFFD} هنا"),
        (&["كلمة ".as_bytes(), b"\xD8", " هنا".as_bytes()].concat(), "كلمة \u{FFFD} هنا"),
    ] {
        let decoded = decode(bytes, Hints::default());
        assert_eq!((decoded.text.as_str(), decoded.charset), (want, "UTF-8"));
        assert!(decoded.bad > 0);
    }
}

#[test]
fn labels_and_reasons_have_names() {
    assert_eq!(charset("CP1256"), Some("windows-1256"));
    assert_eq!(charset(" \"utf8\" "), Some("UTF-8"));
    assert_eq!(charset("klingon"), None);
    assert_eq!(Why::Detected.to_string(), "detected");
    assert_eq!(format!("{:>9}", Why::Declared), " declared");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_some_text(bytes in prop::collection::vec(any::<u8>(), 0..200), http in prop::option::of("[a-z0-9-]{0,12}|utf-16le|gbk"), tld in prop::option::of(".{0,4}")) {
        decode(&bytes, Hints { configured: None, http: http.as_deref(), tld: tld.as_deref() });
    }

    #[test]
    fn utf8_comes_out_as_it_went_in(text in "<[ -~ء-ي]{1,200}") {
        prop_assert_eq!(decode(text.as_bytes(), Hints { http: Some("windows-1256"), ..Hints::default() }).text, text);
    }
}
