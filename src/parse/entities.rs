//! Character references, and plain lines out of markup.
//!
//! In: text as published, with `&nbsp;`, `&#1593;`, stray `&` and tags. Out: the text a reader sees.
//! Promise: nothing but a reference or a tag is touched; what is not a known reference stays as it stands; no reference
//! that a document declares itself is ever expanded (entity bombs). Linear in the length of the text.
//! Not here: the plain text of whole articles ([`crate::extract::html`]).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::repair::{Notes, Repair};

/// The named references of HTML 4 and those of HTML 5 that feeds use, each with its code point.
const NAMED: &str = "\
    AElig 198 Aacute 193 Acirc 194 Agrave 192 Alpha 913 Aring 197 Atilde 195 Auml 196 Beta 914 Ccedil 199 Chi \
    935 Dagger 8225 Delta 916 ETH 208 Eacute 201 Ecirc 202 Egrave 200 Epsilon 917 Eta 919 Euml 203 Gamma 915 \
    Iacute 205 Icirc 206 Igrave 204 Iota 921 Iuml 207 Kappa 922 Lambda 923 Mu 924 Ntilde 209 Nu 925 OElig 338 \
    Oacute 211 Ocirc 212 Ograve 210 Omega 937 Omicron 927 Oslash 216 Otilde 213 Ouml 214 Phi 934 Pi 928 Prime \
    8243 Psi 936 Rho 929 Scaron 352 Sigma 931 THORN 222 Tau 932 Theta 920 Uacute 218 Ucirc 219 Ugrave 217 \
    Upsilon 933 Uuml 220 Xi 926 Yacute 221 Yuml 376 Zeta 918 aacute 225 acirc 226 acute 180 aelig 230 agrave 224 \
    alefsym 8501 alpha 945 amp 38 and 8743 ang 8736 aring 229 asymp 8776 atilde 227 auml 228 bdquo 8222 beta 946 \
    brvbar 166 bull 8226 cap 8745 ccedil 231 cedil 184 cent 162 chi 967 circ 710 clubs 9827 cong 8773 copy 169 \
    crarr 8629 cup 8746 curren 164 dArr 8659 dagger 8224 darr 8595 deg 176 delta 948 diams 9830 divide 247 \
    eacute 233 ecirc 234 egrave 232 empty 8709 emsp 8195 ensp 8194 epsilon 949 equiv 8801 eta 951 eth 240 euml \
    235 euro 8364 exist 8707 fnof 402 forall 8704 frac12 189 frac14 188 frac34 190 frasl 8260 gamma 947 ge 8805 \
    gt 62 hArr 8660 harr 8596 hearts 9829 hellip 8230 iacute 237 icirc 238 iexcl 161 igrave 236 image 8465 infin \
    8734 int 8747 iota 953 iquest 191 isin 8712 iuml 239 kappa 954 lArr 8656 lambda 955 lang 9001 laquo 171 larr \
    8592 lceil 8968 ldquo 8220 le 8804 lfloor 8970 lowast 8727 loz 9674 lrm 8206 lsaquo 8249 lsquo 8216 lt 60 \
    macr 175 mdash 8212 micro 181 middot 183 minus 8722 mu 956 nabla 8711 nbsp 160 ndash 8211 ne 8800 ni 8715 \
    not 172 notin 8713 nsub 8836 ntilde 241 nu 957 oacute 243 ocirc 244 oelig 339 ograve 242 oline 8254 omega \
    969 omicron 959 oplus 8853 or 8744 ordf 170 ordm 186 oslash 248 otilde 245 otimes 8855 ouml 246 para 182 \
    part 8706 permil 8240 perp 8869 phi 966 pi 960 piv 982 plusmn 177 pound 163 prime 8242 prod 8719 prop 8733 \
    psi 968 quot 34 rArr 8658 radic 8730 rang 9002 raquo 187 rarr 8594 rceil 8969 rdquo 8221 real 8476 reg 174 \
    rfloor 8971 rho 961 rlm 8207 rsaquo 8250 rsquo 8217 sbquo 8218 scaron 353 sdot 8901 sect 167 shy 173 sigma \
    963 sigmaf 962 sim 8764 spades 9824 sub 8834 sube 8838 sum 8721 sup 8835 sup1 185 sup2 178 sup3 179 supe \
    8839 szlig 223 tau 964 there4 8756 theta 952 thetasym 977 thinsp 8201 thorn 254 tilde 732 times 215 trade \
    8482 uArr 8657 uacute 250 uarr 8593 ucirc 251 ugrave 249 uml 168 upsih 978 upsilon 965 uuml 252 weierp 8472 \
    xi 958 yacute 253 yen 165 yuml 255 zeta 950 zwj 8205 zwnj 8204 apos 39 comma 44 period 46 colon 58 semi 59 \
    lpar 40 rpar 41 excl 33 quest 63 num 35 dollar 36 percnt 37 ast 42 plus 43 equals 61 sol 47 bsol 92 lowbar \
    95 commat 64 lsqb 91 lbrack 91 rsqb 93 rbrack 93 lcub 123 rcub 125 lbrace 123 rbrace 125 vert 124 verbar 124 \
    grave 96 Tab 9 NewLine 10 NonBreakingSpace 160 hyphen 8208 dash 8208 horbar 8213 star 9734 starf 9733 \
    bigstar 9733 phone 9742 check 10003 cross 10007 NBSP 160 AMP 38 LT 60 GT 62 QUOT 34 COPY 169 REG 174 TRADE \
    8482 nldr 8229 mldr 8230 rsquor 8217 ldquor 8222 rdquor 8221 lsquor 8218 caron 711 inodot 305 Scedil 350 \
    scedil 351 Gbreve 286 gbreve 287 Idot 304";
static TABLE: LazyLock<HashMap<&'static str, char>> = LazyLock::new(|| {
    let mut words = NAMED.split_ascii_whitespace();
    std::iter::from_fn(|| Some((words.next()?, words.next()?.parse().ok().and_then(char::from_u32)?))).collect()
});

/// What the references 128 to 159 mean: nobody writes C1 controls, everybody windows-1252 (HTML, §13.2.5.80).
const WINDOWS_1252: [u32; 32] = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D,
    0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,
    0x017E, 0x0178,
];

/// The longest reference looked for, in bytes; what is longer is not one.
const LONGEST: usize = 32;

/// What a reference at the beginning of a text stands for.
enum Reference {
    /// A character, and how many bytes it took.
    Char(char, usize),
    /// One that no document may have (a control character, a surrogate): dropped.
    Illegal(usize),
    /// Shaped like a reference, but of no known name: stays.
    Unknown(usize),
    /// Only an ampersand.
    Bare,
}

fn reference(text: &str) -> Reference {
    let bytes = text.as_bytes();
    let end = bytes.iter().take(LONGEST).skip(1).position(|b| !b.is_ascii_alphanumeric() && *b != b'#').map(|n| n + 1);
    let end = end.unwrap_or(bytes.len().min(LONGEST));
    let closed = bytes.get(end) == Some(&b';');
    let taken = end + usize::from(closed);
    let Some(name) = text.get(1..end).filter(|name| !name.is_empty()) else { return Reference::Bare };
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        // A number too large for its type is a number all the same.
        let digits = number.trim_start_matches(['x', 'X']);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Reference::Bare;
        }
        let code = code.unwrap_or(u32::MAX);
        let code = code.checked_sub(128).and_then(|n| WINDOWS_1252.get(n as usize)).copied().unwrap_or(code);
        return match char::from_u32(code).filter(|c| is_legal(*c)) {
            Some(c) => Reference::Char(c, taken),
            None => Reference::Illegal(taken),
        };
    }
    match TABLE.get(name) {
        Some(c) if closed => Reference::Char(*c, taken),
        _ if closed => Reference::Unknown(taken),
        _ => Reference::Bare,
    }
}

/// Whether XML 1.0 lets a character stand in a document.
pub fn is_legal(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Resolves the character references of `text` once, and counts what was wrong with them.
pub fn resolve<'a>(text: &'a str, notes: &mut Notes) -> Cow<'a, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, _)) = rest.split_once('&') {
        out.push_str(before);
        let at = rest.get(before.len()..).unwrap_or_default();
        let taken = match reference(at) {
            Reference::Char(c, taken) => {
                out.push(c);
                if !matches!(c, '&' | '<' | '>' | '"' | '\'') && at.as_bytes().get(1) != Some(&b'#') {
                    notes.add(Repair::NamedEntity);
                }
                taken
            }
            Reference::Illegal(taken) => {
                notes.add(Repair::IllegalReference);
                taken
            }
            Reference::Unknown(taken) => {
                notes.add(Repair::UnknownEntity);
                out.push_str(at.get(..taken).unwrap_or_default());
                taken
            }
            Reference::Bare => {
                notes.add(Repair::BareAmpersand);
                out.push('&');
                1
            }
        };
        rest = at.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Tags that stand in headlines. Others are left: `س < ص` and `<غير مؤكد>` are words.
const INLINE: &[&str] = &[
    "a",
    "abbr",
    "applet",
    "audio",
    "b",
    "bdi",
    "bdo",
    "big",
    "blink",
    "blockquote",
    "br",
    "center",
    "cite",
    "code",
    "del",
    "div",
    "em",
    "embed",
    "font",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "iframe",
    "img",
    "ins",
    "li",
    "link",
    "mark",
    "meta",
    "nobr",
    "noscript",
    "object",
    "ol",
    "p",
    "param",
    "pre",
    "q",
    "s",
    "script",
    "small",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "tt",
    "u",
    "ul",
    "video",
];

/// Whether a name is one of an HTML element that may stand in a headline or a teaser.
pub fn is_inline(name: &str) -> bool {
    INLINE.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// One line of plain text: HTML tags dropped, references resolved (twice, because headlines are often escaped twice),
/// white space made single spaces.
pub fn line(markup: &str) -> String {
    if !markup.contains(['<', '&']) {
        return collapse(markup);
    }
    let mut notes = Notes::default();
    let mut text = strip_tags(markup);
    // Where real tags stood, an escaped one is a word: `<p>about the &lt;br&gt; tag</p>`.
    let was_markup = text.len() != markup.len();
    for _ in 0..2 {
        let Cow::Owned(resolved) = resolve(&text, &mut notes) else { break };
        let resolved = if was_markup { Cow::Borrowed(&*resolved) } else { strip_tags(&resolved) }.into_owned();
        let done = resolved == *text;
        text = Cow::Owned(resolved);
        if done {
            break;
        }
    }
    collapse(&text)
}

/// White space made single spaces, none at the ends.
pub fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn strip_tags(text: &str) -> Cow<'_, str> {
    if !text.contains('<') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let body = after.strip_prefix('/').unwrap_or(after);
        let name_end = body.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(body.len());
        let name = body.get(..name_end).unwrap_or_default();
        // Up to the next angle bracket only, so that a row of `<a <a <a` costs no more than its length.
        let tail = body.get(name_end..).unwrap_or_default();
        let tail = tail.find(['<', '>']).and_then(|at| tail.get(at..)).and_then(|tail| tail.strip_prefix('>'));
        match tail {
            Some(tail) if is_inline(name) => {
                // `كلمة<br>كلمة` are two words; `<b>ك</b>لمة` is one.
                if matches!(name.to_ascii_lowercase().as_str(), "br" | "p" | "div" | "li" | "hr" | "h1" | "h2" | "h3") {
                    out.push(' ');
                }
                rest = tail;
                if body.len() == after.len() && ["script", "style"].iter().any(|raw| raw.eq_ignore_ascii_case(name)) {
                    // What stands in these is for the browser; to the next tag that could be its end.
                    rest = tail.find("</").and_then(|end| tail.get(end..)).unwrap_or_default();
                }
            }
            _ => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_once_and_nothing_else_is_touched() {
        for (given, expected) in [
            ("قال&nbsp;الوزير", "قال\u{a0}الوزير"),
            ("&laquo;نعم&raquo; &ndash; &#1593;&#x639;", "«نعم» – عع"),
            ("ربح & خسارة &زيادة; &", "ربح & خسارة &زيادة; &"),
            ("&amp;quot;", "&quot;"),
            ("&bomb; &lol9;", "&bomb; &lol9;"),
            ("أ&#0;ب&#xD800;ج&#99999999999;د", "أبجد"),
            ("&#146;&#x96;", "’–"),
            ("a?x=1&copy=2&lt", "a?x=1&copy=2&lt"),
            ("&#;&#x;&#xzz;", "&#;&#x;&#xzz;"),
        ] {
            assert_eq!(resolve(given, &mut Notes::default()), expected, "{given}");
        }
    }

    #[test]
    fn headlines_become_plain_lines() {
        for (given, expected) in [
            ("  خبر\n <b>عاجل</b> ", "خبر عاجل"),
            ("&amp;quot;القمة&amp;quot; تبدأ", "\"القمة\" تبدأ"),
            ("&lt;b&gt;نص&lt;/b&gt;", "نص"),
            ("سطر<br/>سطر", "سطر سطر"),
            ("<p>حكاية الوسم &lt;br&gt; القديم</p>", "حكاية الوسم <br> القديم"),
            ("&lt;b&gt;&amp;lt;i&amp;gt;خبر&lt;/b&gt;", "خبر"),
            ("أ<script>f('x')</script>ب<style>p{}</style>", "أب"),
            ("درجة الحرارة < 5 و > 1", "درجة الحرارة < 5 و > 1"),
            ("<غير مؤكد> انفجار", "<غير مؤكد> انفجار"),
            ("<a href=\"x\">رابط</a", "رابط</a"),
        ] {
            assert_eq!(line(given), expected, "{given}");
        }
    }

    #[test]
    fn the_table_is_whole() {
        assert!(TABLE.len() > 300, "{}", TABLE.len());
        assert_eq!(TABLE.get("hellip"), Some(&'…'));
    }
}
