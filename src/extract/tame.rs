//! Markup of any kind to markup that is safe to parse.
//!
//! In: HTML as it came. Out: the same tags and texts, written so that no two parsers read them differently, nested no
//! deeper and numbering no more than a parser bears; JSON-LD set aside; scripts, styles, comments and drawings gone.
//! Promise: linear in the input; no text outside those is lost, whatever is dropped around it.
//! Why: the HTML algorithm nests without bound (50,000 `<div>`s overflow the stack of an extractor that recurses, and a stack
//! overflow cannot be caught), and reopens every unclosed `<b>` in every paragraph that follows (a page of 1 MB becomes
//! gigabytes of tree). So depth is counted here, from above: an end tag gives back one tag of its name at most.
//! Foreign content (SVG, MathML) would nest tags that are counted as closed elsewhere; it never reaches the parser.

use std::collections::{HashMap, HashSet};

/// How deep elements may nest. The deepest of 1,429 real pages has 51; extraction takes time in proportion to this.
pub(super) const DEPTH: usize = 256;
/// How many formatting elements may be open at once; the parser reopens them in every paragraph.
const FORMATS_OPEN: usize = 8;
/// How many elements a page may have; after them, tags become spaces and line breaks.
const ELEMENTS: usize = 50_000;

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Tamed {
    pub(super) html: String,
    /// The contents of `<script type="application/ld+json">`.
    pub(super) json_ld: Vec<String>,
    /// Tags that were replaced because of the limits.
    pub(super) flattened: usize,
    /// Whether there was any tag.
    pub(super) has_tags: bool,
    /// Whether there was any tag that breaks a line.
    pub(super) has_blocks: bool,
}

/// Elements whose content is not markup and not text of the page. `title` is written again, the others go.
const RAW: [&str; 9] = ["script", "style", "iframe", "noembed", "noframes", "noscript", "xmp", "textarea", "title"];
/// Tags that go while their content stays: the parser changes its rules within them.
const BARE: [&str; 4] = ["math", "plaintext", "frameset", "frame"];
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Closed by what follows them, without an end tag.
const SELF_CLOSING: [&str; 14] =
    ["p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "html", "head", "body"];
/// What the parser reopens (the list of active formatting elements).
const FORMATS: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Tags that stand in a line of text.
const INLINE: [&str; 33] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "u", "wbr",
];

/// Whether an element breaks the line before and after it.
pub(super) fn is_block(name: &str) -> bool {
    !INLINE.contains(&name)
        && !matches!(name, "tt" | "var" | "ruby" | "rt" | "rp" | "td" | "th" | "input" | "button" | "meta" | "link")
}

/// Rewrites `html`.
pub(super) fn tame(html: &str) -> Tamed {
    let mut writer = Writer::default();
    writer.out.html.reserve(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, markup) = rest.split_at(at);
        writer.text(text);
        rest = writer.markup(markup);
    }
    writer.text(rest);
    writer.out
}

#[derive(Default)]
struct Writer {
    out: Tamed,
    /// Open elements by name, and how many they are.
    open: HashMap<String, usize>,
    depth: usize,
    formats: usize,
    elements: usize,
    /// Start tags that were dropped and whose end tags are still to come.
    dropped: HashMap<String, usize>,
    /// Elements whose end tag does not come any more; looking for it again and again would be quadratic.
    unended: HashSet<String>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.out.html.push_str(text);
    }

    /// `markup` begins with `<`. Returns what follows the piece that was dealt with.
    fn markup<'a>(&mut self, markup: &'a str) -> &'a str {
        let after = markup.strip_prefix('<').unwrap_or_default();
        if let Some(comment) = after.strip_prefix("!--") {
            return after_comment(comment);
        }
        if let Some(section) = after.strip_prefix("![CDATA[") {
            // Outside foreign content a browser hides it; a feed that writes it means text.
            let (text, rest) = section.split_once("]]>").unwrap_or((section, ""));
            self.escaped(text);
            return rest;
        }
        if after.starts_with(['!', '?']) {
            return after.split_once('>').map_or("", |(_, rest)| rest);
        }
        match Tag::read(after) {
            Read::Tag(tag, rest) => self.tag(&tag, rest),
            Read::Text => {
                // `3 < 5`, `<ب`, `<name@host>`: no tag, so it is text.
                self.text("&lt;");
                after
            }
            // A tag that the end of the input cuts.
            Read::Cut => "",
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' => self.out.html.push_str("&lt;"),
                '&' => self.out.html.push_str("&amp;"),
                c => self.out.html.push(c),
            }
        }
    }

    fn tag<'a>(&mut self, tag: &Tag<'_>, rest: &'a str) -> &'a str {
        let name = tag.name.as_str();
        self.out.has_tags = true;
        self.out.has_blocks |= is_block(name) && !RAW.contains(&name);
        if RAW.contains(&name) || name == "svg" {
            return if tag.end { rest } else { self.raw(tag, rest) };
        }
        if BARE.contains(&name) {
            return rest;
        }
        if tag.end {
            self.end(name)
        } else {
            self.start(tag)
        }
        rest
    }

    fn raw<'a>(&mut self, tag: &Tag<'_>, rest: &'a str) -> &'a str {
        let name = tag.name.as_str();
        if name == "svg" && tag.closed {
            return rest;
        }
        let ended = if self.unended.contains(name) { None } else { until_end(rest, name) };
        let Some((content, rest)) = ended else {
            self.unended.insert(name.to_owned());
            // Never closed: a drawing or a title loses its tag only, a script takes the rest, as in a browser.
            return if matches!(name, "script" | "style") { "" } else { rest };
        };
        let is_json_ld = || {
            tag.attributes
                .iter()
                .any(|(key, value)| *key == "type" && value.trim().eq_ignore_ascii_case("application/ld+json"))
        };
        match name {
            "title" => {
                self.out.html.push_str("<title>");
                // Entities are resolved in a title, tags are not.
                self.out.html.push_str(&content.replace('<', "&lt;"));
                self.out.html.push_str("</title>");
            }
            "script" if is_json_ld() => self.out.json_ld.push(content.to_owned()),
            _ => {}
        }
        rest
    }

    /// Parts of a table that stand in none, or in one that was dropped: the parser would drop the tags and glue the cells together.
    fn stray_cell(&mut self, name: &str) -> bool {
        let stray = matches!(name, "tr" | "td" | "th" | "thead" | "tbody" | "tfoot" | "caption")
            && (self.open.get("table").is_none_or(|open| *open == 0)
                || self.dropped.get("table").is_some_and(|left| *left > 0));
        if stray {
            if matches!(name, "td" | "th") {
                self.space();
            } else {
                self.break_for(name);
            }
        }
        stray
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        if self.stray_cell(name) {
            return;
        }
        let counted = !VOID.contains(&name) && !SELF_CLOSING.contains(&name);
        let is_format = FORMATS.contains(&name);
        let full = self.elements >= ELEMENTS;
        // At the bottom nothing opens any more, paragraphs neither: many of them so deep cost the extractor dearly.
        let bottom = self.depth >= DEPTH && !VOID.contains(&name);
        let too_deep = bottom || (is_format && self.formats >= FORMATS_OPEN);
        if full || too_deep {
            self.out.flattened += 1;
            if counted {
                *self.dropped.entry(name.to_owned()).or_default() += 1;
            }
            self.break_for(name);
            return;
        }
        self.elements += 1;
        if counted {
            *self.open.entry(name.to_owned()).or_default() += 1;
            self.depth += levels(name);
            self.formats += usize::from(is_format);
        }
        tag.write(&mut self.out.html);
    }

    fn end(&mut self, name: &str) {
        if (VOID.contains(&name) && name != "br") || self.stray_cell(name) {
            return;
        }
        if let Some(left) = self.dropped.get_mut(name).filter(|left| **left > 0) {
            *left -= 1;
            self.break_for(name);
            return;
        }
        let counted = !VOID.contains(&name) && !SELF_CLOSING.contains(&name);
        if counted {
            let Some(left) = self.open.get_mut(name).filter(|left| **left > 0) else { return };
            *left -= 1;
            self.depth -= levels(name);
            self.formats -= usize::from(FORMATS.contains(&name));
        } else if self.elements >= ELEMENTS || self.depth >= DEPTH {
            self.break_for(name);
            return;
        }
        self.out.html.push_str("</");
        self.out.html.push_str(name);
        self.out.html.push('>');
    }

    fn space(&mut self) {
        if !self.out.html.ends_with([' ', '\n']) {
            self.out.html.push(' ');
        }
    }

    /// What keeps the words around a dropped tag apart.
    fn break_for(&mut self, name: &str) {
        match name {
            _ if FORMATS.contains(&name) || INLINE.contains(&name) => {}
            // One break is as good as many, which cost the extractor dearly.
            _ if self.out.html.trim_end().ends_with("<br>") => {}
            _ if self.elements >= ELEMENTS * 2 => self.space(),
            _ => {
                self.elements += 1;
                self.out.html.push_str("<br>");
            }
        }
    }
}

/// How deep an element nests its content: between a table and a word stand body, row and cell, which are not counted.
fn levels(name: &str) -> usize {
    if name == "table" { 4 } else { 1 }
}

fn after_comment(comment: &str) -> &str {
    if let Some(rest) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
        return rest;
    }
    let mut from = 0;
    while let Some(found) = comment.get(from..).and_then(|rest| rest.find("--")) {
        let after = comment.get(from + found + 2..).unwrap_or_default();
        if let Some(rest) = after.strip_prefix('>').or_else(|| after.strip_prefix("!>")) {
            return rest;
        }
        from += found + 1;
    }
    ""
}

/// What stands before the end tag of `name`, and what follows it.
fn until_end<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find("</")) {
        let at = from + found;
        let tail = text.get(at + 2..)?;
        let named = tail.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let after = tail.get(name.len()..).unwrap_or_default();
        if named && after.starts_with(|c: char| c == '>' || c == '/' || c.is_ascii_whitespace()) {
            let rest = after.split_once('>').map_or("", |(_, rest)| rest);
            return text.get(..at).map(|content| (content, rest));
        }
        from = at + 2;
    }
    None
}

struct Tag<'a> {
    /// In lower case.
    name: String,
    end: bool,
    /// `<br/>`.
    closed: bool,
    /// Names in lower case where they are ASCII; values as written.
    attributes: Vec<(std::borrow::Cow<'a, str>, &'a str)>,
}

enum Read<'t, 'r> {
    Tag(Tag<'t>, &'r str),
    Text,
    Cut,
}

impl<'a> Tag<'a> {
    /// Reads what follows a `<`, as the tokenizer of the HTML standard does.
    fn read(text: &'a str) -> Read<'a, 'a> {
        let (end, named) = text.strip_prefix('/').map_or((false, text), |named| (true, named));
        let length =
            named.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_'))).unwrap_or(named.len());
        let (name, mut rest) = named.split_at(length);
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Read::Text;
        }
        if rest.is_empty() {
            return Read::Cut;
        }
        if !rest.starts_with(|c: char| c == '>' || c == '/' || c.is_ascii_whitespace()) {
            return Read::Text;
        }
        let mut tag = Tag { name: name.to_ascii_lowercase(), end, closed: false, attributes: Vec::new() };
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
            if let Some(after) = rest.strip_prefix('>') {
                return Read::Tag(tag, after);
            }
            if let Some(after) = rest.strip_prefix('/') {
                tag.closed = after.starts_with('>');
                rest = after;
                continue;
            }
            if rest.is_empty() {
                return Read::Cut;
            }
            // An equals sign in the first place belongs to the name.
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let is_over = |c: char| c == '=' || c == '>' || c == '/' || c.is_ascii_whitespace();
            let length = rest.get(first..).and_then(|tail| tail.find(is_over)).map_or(rest.len(), |at| at + first);
            let (key, after) = rest.split_at(length);
            let (value, after) = match after.trim_start_matches(|c: char| c.is_ascii_whitespace()).strip_prefix('=') {
                None => ("", after),
                Some(value) => match Self::value(value) {
                    Some(read) => read,
                    None => return Read::Cut,
                },
            };
            tag.attributes.push((key.to_ascii_lowercase().into(), value));
            rest = after;
        }
    }

    fn value(text: &str) -> Option<(&str, &str)> {
        let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace());
        match text.chars().next()? {
            '>' => Some(("", text)),
            quote @ ('"' | '\'') => text.get(1..)?.split_once(quote),
            _ => text.find(|c: char| c == '>' || c.is_ascii_whitespace()).map(|at| text.split_at(at)),
        }
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (key, value) in &self.attributes {
            if !key.is_empty() && !key.contains(['"', '\'', '<', '=', '\0']) {
                out.push(' ');
                out.push_str(key);
                out.push_str("=\"");
                out.push_str(&value.replace('"', "&quot;"));
                out.push('"');
            }
        }
        out.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_written_again() {
        for (html, expected) in [
            ("نص", "نص"),
            ("<P Class=a id='b' x>نص</P>", "<p class=\"a\" id=\"b\" x=\"\">نص</p>"),
            ("<a title='\"' href=/x/y>x</a>", "<a title=\"&quot;\" href=\"/x/y\">x</a>"),
            ("<br/><br />", "<br><br>"),
            ("أ <!-- <b> --> ب <!--> ج <!---> د <!-- x --!> ه", "أ  ب  ج  د  ه"),
            ("أ <script>if (a<b) '</div>'</script> ب", "أ  ب"),
            ("أ <STYLE>p{}</STYLE  > ب <svg><tr><tr></svg> ج", "أ  ب  ج"),
            ("3 < 5 <ب> <name@host> <3", "3 &lt; 5 &lt;ب> &lt;name@host> &lt;3"),
            ("<title>أ <b> &amp; ب</title>", "<title>أ &lt;b> &amp; ب</title>"),
            ("<math><mi>س</mi></math>", "<mi>س</mi>"),
            ("أ</div>ب", "أب"),
            ("أ <b cl", "أ "),
            ("<![CDATA[أ <b> & ب]]>", "أ &lt;b> &amp; ب"),
            ("<!DOCTYPE html><?xml version='1'?>أ", "أ"),
        ] {
            assert_eq!(tame(html).html, expected, "{html}");
        }
    }

    #[test]
    fn json_ld_is_set_aside() {
        let tamed = tame("<script type=\"application/ld+json\">{\"a\":\"</b>\"}</script><script>x</script>نص");
        assert_eq!((tamed.json_ld, tamed.html), (vec!["{\"a\":\"</b>\"}".to_owned()], "نص".to_owned()));
    }

    #[test]
    fn t22_depth_and_number_are_bounded() {
        let deep = tame(&format!("{}نص{}", "<div>".repeat(50_000), "</div>".repeat(50_000)));
        assert_eq!(deep.html.matches("<div>").count(), DEPTH);
        assert_eq!(deep.html.matches("</div>").count(), DEPTH);
        assert!(deep.html.contains("نص") && deep.flattened > 0);
        // End tags of other names give nothing back.
        let crossed = tame(&"<div></span><section></b>".repeat(5_000));
        assert!(crossed.html.matches("<div>").count() + crossed.html.matches("<section>").count() <= DEPTH);
        assert!(tame(&"<b>".repeat(1_000)).html.matches("<b>").count() <= FORMATS_OPEN);
        assert!(tame(&"<p>س".repeat(400_000)).html.matches('<').count() <= ELEMENTS * 2);
        // A page that closes nothing that needs no closing is not deep.
        let list = tame(&"<ul><li>س<li>ص</ul><p>ض".repeat(2_000));
        assert_eq!(list.flattened, 0);
    }
}
