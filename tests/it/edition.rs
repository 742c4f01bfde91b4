//! Feeds of made-up Arabic news, for whoever needs many: the tests that damage them, the bench that times their reading.
//!
//! In: a seed and a number. Out: [`Story`] values, and documents of RSS, RDF and Atom that hold them.
//! Promise: the same seed gives the same bytes; no two stories of an edition share a headline or an address; every
//! sentence is put together here from words of our own.

use std::fmt::Write as _;

use fastrand::Rng;

const WHO: &[&str] = &[
    "بلدية المدينة",
    "وزارة الزراعة",
    "جمعية الصيادين",
    "مجلس الطلبة",
    "هيئة الموانئ",
    "نادي القراءة",
    "شركة المياه",
    "اتحاد المزارعين",
    "متحف البحر",
    "فريق الإنقاذ",
    "لجنة الأسواق",
    "مكتبة الحي",
    "إدارة الحدائق",
    "نقابة الخبازين",
];
const DID: &[&str] = &[
    "تعلن افتتاح",
    "تؤجل",
    "تراجع خطة",
    "تنشر تقريرا عن",
    "تبدأ ترميم",
    "تدعو إلى زيارة",
    "تستعد لتوسيع",
    "توقع عقد",
    "تناقش كلفة",
    "ترفع ميزانية",
    "توقف مؤقتا",
    "تعيد تشغيل",
];
const WHAT: &[&str] = &[
    "السد الجديد",
    "سوق السمك القديم",
    "محطة القطار الشمالية",
    "مدرسة الحرف اليدوية",
    "جسر المشاة",
    "مزرعة الزيتون",
    "خط الحافلات الليلي",
    "معرض الكتاب الصغير",
    "مستشفى الأطفال",
    "ملعب الحي الغربي",
    "منارة الميناء",
    "طاحونة القمح",
];
const WHERE: &[&str] = &[
    "قرب الميناء",
    "في قلب البلدة",
    "على ضفة النهر",
    "عند سفح الجبل",
    "في حي النخيل",
    "خلف السوق الكبير",
    "على طريق الساحل",
    "في القرية العليا",
    "بجوار الجامعة",
    "وسط الواحة",
];
const WHEN: &[&str] = &[
    "صباح الأحد",
    "مساء الاثنين",
    "مع بداية الشتاء",
    "بعد عطلة العيد",
    "خلال أسبوعين",
    "قبل نهاية العام",
    "في الساعة العاشرة",
    "بعد طول انتظار",
    "للمرة الثالثة",
    "رغم الأمطار",
];
const WHY: &[&str] = &[
    "لأن السكان طلبوا ذلك مرارا",
    "بعد دراسة استمرت عاما كاملا",
    "وسط ترحيب من التجار",
    "بكلفة أقل من المتوقع",
    "على أن تعلن التفاصيل لاحقا",
    "وقال المشرفون إن العمل يسير بهدوء",
    "فيما طالب آخرون بمزيد من الوقت",
    "واتفق الجميع على موعد جديد",
    "ولم تذكر أسباب أخرى",
    "وحضر الحفل عشرات من الأهالي",
];

/// One piece of news, in plain text but for its body.
pub struct Story {
    pub title: String,
    pub link: String,
    /// As RSS and RDF write it and as Atom does.
    pub date: [String; 2],
    pub summary: String,
    /// Paragraphs of HTML.
    pub body: String,
}

fn sentence(rng: &mut Rng) -> String {
    let mut pick = |words: &[&'static str]| words[rng.usize(..words.len())];
    format!("{} {} {} {} {}، {}.", pick(WHO), pick(DID), pick(WHAT), pick(WHERE), pick(WHEN), pick(WHY))
}

/// So many stories with so many paragraphs each.
pub fn stories(seed: u64, count: usize, paragraphs: usize) -> Vec<Story> {
    let mut rng = Rng::with_seed(seed);
    let story = |n: usize| {
        let mut body = String::new();
        for paragraph in 0..paragraphs {
            let text: Vec<String> = (0..3).map(|_| sentence(&mut rng)).collect();
            let _ = match paragraph % 4 {
                1 => writeln!(
                    body,
                    "<p>{} <a href=\"https://paper.example/tag/{n}?a=1&amp;b=2\">المزيد</a></p>",
                    text.join(" ")
                ),
                2 => writeln!(body, "<p><strong>{}</strong> «{}»</p>", text[0], text[1..].join(" ")),
                _ => writeln!(body, "<p>{}</p>", text.join(" ")),
            };
        }
        let (day, hour, minute) = (1 + n / 60 % 19, n / 60 % 24, n % 60);
        let mut pick = |words: &[&'static str]| words[rng.usize(..words.len())];
        Story {
            title: format!("{} {} {} {}، الخبر {n}", pick(WHO), pick(DID), pick(WHAT), pick(WHERE)),
            link: format!("https://paper.example/news/{seed}/{n}"),
            date: [
                format!("{day:02} Nov 2026 {hour:02}:{minute:02}:00 +0300"),
                format!("2026-11-{day:02}T{hour:02}:{minute:02}:00+03:00"),
            ],
            summary: sentence(&mut rng),
            body,
        }
    };
    (1..=count).map(story).collect()
}

/// How a document writes the markup of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    Cdata,
    Escaped,
}

impl Markup {
    fn of(self, html: &str) -> String {
        match self {
            Self::Cdata => format!("<![CDATA[{html}]]>"),
            Self::Escaped => escaped(html),
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// RSS 2.0 with the extensions that newspapers use.
pub fn rss(stories: &[Story], markup: Markup) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:media=\"http://search.yahoo.com/mrss/\">\n<channel>\n\
         <title>صحيفة الميناء</title>\n<link>https://paper.example/</link>\n<description>أخبار البلدة</description>\n<language>ar</language>\n",
    );
    for (n, Story { title, link, date, summary, body }) in stories.iter().enumerate() {
        let (summary, body) = (markup.of(&format!("<p>{summary}</p>")), markup.of(body));
        let _ = write!(
            out,
            "<item>\n<title>{title}</title>\n<link>{link}</link>\n<guid isPermaLink=\"false\">paper-{n}</guid>\n<pubDate>{}</pubDate>\n\
             <dc:creator>سلمى الحداد</dc:creator>\n<category>محليات</category>\n<media:content url=\"https://paper.example/{n}.jpg\" medium=\"image\"/>\n\
             <description>{summary}</description>\n<content:encoded>{body}</content:encoded>\n</item>\n",
            date[0]
        );
    }
    out + "</channel>\n</rss>\n"
}

/// RSS 1.0.
pub fn rdf(stories: &[Story], markup: Markup) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel rdf:about=\"https://paper.example/\">\n\
         <title>صحيفة الميناء</title>\n<link>https://paper.example/</link>\n</channel>\n",
    );
    for Story { title, link, date, summary, .. } in stories {
        let summary = markup.of(&format!("<p>{summary}</p>"));
        let _ = write!(
            out,
            "<item rdf:about=\"{link}\">\n<title>{title}</title>\n<link>{link}</link>\n<dc:date>{}</dc:date>\n\
             <dc:creator>سلمى الحداد</dc:creator>\n<description>{summary}</description>\n</item>\n",
            date[1]
        );
    }
    out + "</rdf:RDF>\n"
}

/// Atom 1.0.
pub fn atom(stories: &[Story], markup: Markup) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"ar\">\n\
         <title>صحيفة الميناء</title>\n<link href=\"https://paper.example/\"/>\n<id>tag:paper.example,2026:all</id>\n",
    );
    for (n, Story { title, link, date, summary, body }) in stories.iter().enumerate() {
        let (summary, body) = (markup.of(&format!("<p>{summary}</p>")), markup.of(body));
        let _ = write!(
            out,
            "<entry>\n<title>{title}</title>\n<link rel=\"alternate\" type=\"text/html\" href=\"{link}\"/>\n<id>tag:paper.example,2026:{n}</id>\n\
             <updated>{}</updated>\n<author><name>سلمى الحداد</name></author>\n<summary type=\"html\">{summary}</summary>\n\
             <content type=\"html\">{body}</content>\n</entry>\n",
            date[1]
        );
    }
    out + "</feed>\n"
}
