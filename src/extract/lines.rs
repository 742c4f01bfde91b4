//! Pieces of text to lines: white space collapsed, paragraphs apart, rows of links told from prose.
//!
//! In: texts, breaks and links in the order of the document. Out: lines joined by line feeds.
//! Promise: every character that is not white space comes out, in order; of an article, whole lines are left out that only
//! invite elsewhere or are none of it ([`super::furniture`]). Marks of direction and joining are characters.

use super::furniture::{folded, is_furniture};

/// Lines in the making.
#[derive(Debug, Default)]
pub(super) struct Lines {
    done: Vec<Line>,
    line: Line,
    space: bool,
    /// Links that are open.
    links: usize,
}

/// One line.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) text: String,
    /// Characters that are not white space, and how many of them are links.
    pub(super) chars: usize,
    pub(super) linked: usize,
}

/// What invites a reader elsewhere, folded as [`folded`] does.
const INVITATIONS: [&str; 16] = [
    "اقرا ايضا",
    "اقرا المزيد",
    "اقرا كذلك",
    "شاهد ايضا",
    "شاهد المزيد",
    "طالع ايضا",
    "طالع المزيد",
    "انظر ايضا",
    "مواضيع ذات صله",
    "موضوعات ذات صله",
    "مقالات ذات صله",
    "اخبار ذات صله",
    "مواضيع متعلقه",
    "اخبار متعلقه",
    "read also",
    "read more",
];

impl Lines {
    /// Takes text over. Line feeds break lines where `keep_breaks`.
    pub(super) fn text(&mut self, text: &str, keep_breaks: bool) {
        for c in text.chars() {
            if keep_breaks && matches!(c, '\n' | '\u{2028}' | '\u{2029}') {
                self.end_line();
            } else if c.is_whitespace() || c == '\0' {
                self.space = true;
            } else {
                if std::mem::take(&mut self.space) && !self.line.text.is_empty() {
                    self.line.text.push(' ');
                }
                self.line.text.push(c);
                self.line.chars += 1;
                self.line.linked += usize::from(self.links > 0);
            }
        }
    }

    /// Keeps what follows apart from what came.
    pub(super) fn gap(&mut self) {
        self.space = true;
    }

    pub(super) fn end_line(&mut self) {
        self.space = false;
        if !self.line.text.is_empty() {
            self.done.push(std::mem::take(&mut self.line));
        }
    }

    pub(super) fn link(&mut self, opens: bool) {
        self.links = if opens { self.links + 1 } else { self.links.saturating_sub(1) };
    }

    /// Characters that are not white space, and how many of them are links.
    pub(super) fn size(&self) -> (usize, usize) {
        let all = || self.done.iter().chain([&self.line]);
        (all().map(|line| line.chars).sum(), all().map(|line| line.linked).sum())
    }

    /// All lines.
    pub(super) fn finish(mut self) -> String {
        self.end_line();
        joined(self.done.iter())
    }

    /// The lines without those that only invite elsewhere (an invitation that is a link but for itself, or an invitation
    /// alone with the links under it), and without furniture.
    pub(super) fn into_article(mut self) -> Vec<Line> {
        self.end_line();
        let mut invited = false;
        self.done.retain(|line| {
            let invitation = invitation_length(&line.text);
            let linked_only = line.linked > 0 && line.linked == line.chars;
            let drop = match invitation {
                Some(length) => line.chars - line.linked <= length + 2,
                None => invited && linked_only,
            };
            invited = drop;
            !drop && !is_furniture(&line.text)
        });
        self.done
    }

    /// All lines, as they are.
    pub(super) fn into_lines(mut self) -> Vec<Line> {
        self.end_line();
        self.done
    }
}

/// Lines to a text.
pub(super) fn joined<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    lines.map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// How many characters the invitation has that `line` begins with.
fn invitation_length(line: &str) -> Option<usize> {
    let line = line.trim_start_matches(|c: char| !c.is_alphabetic());
    let start = folded(&line.chars().take(32).collect::<String>());
    let found = INVITATIONS.iter().find(|invitation| start.starts_with(**invitation))?;
    // Marks that folding drops are characters of the line.
    Some(found.chars().filter(|c| !c.is_whitespace()).count() + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_collapses_and_lines_stand_apart() {
        let mut lines = Lines::default();
        lines.text("  خبر \u{a0}\t أول\n", false);
        lines.end_line();
        lines.end_line();
        lines.text("سطر\n\n سطر", true);
        lines.gap();
        lines.text("\u{2067}عزل\u{2069}", true);
        assert_eq!(lines.finish(), "خبر أول\nسطر\nسطر \u{2067}عزل\u{2069}");
    }

    #[test]
    fn invitations_go_and_prose_stays() {
        let mut lines = Lines::default();
        let mut line = |plain: &str, link: &str, after: &str| {
            lines.text(plain, false);
            lines.link(true);
            lines.text(link, false);
            lines.link(false);
            lines.text(after, false);
            lines.end_line();
        };
        line("قال الوزير إن", "الاتفاق", "سيوقع غدا");
        line("إقرأ أيضاً: ", "خبر آخر", "");
        line("", "اقرأ المزيد عن كذا", "");
        line("اقرأ أيضا كتاب الوزير الذي صدر أمس عن", "دار النشر", "في العاصمة");
        line("مواضيع ذات صلة", "", "");
        line("", "خبر أول", "");
        line("", "خبر ثان", "");
        line("وأضاف أن", "", "المشروع بدأ");
        line("", "رابط وحده", "");
        line("شارك المقال", "", "");
        let expected = "قال الوزير إنالاتفاقسيوقع غدا\nاقرأ أيضا كتاب الوزير الذي صدر أمس عندار النشرفي العاصمة\n\
                        وأضاف أنالمشروع بدأ\nرابط وحده";
        assert_eq!(joined(lines.into_article().iter()), expected);
    }
}
