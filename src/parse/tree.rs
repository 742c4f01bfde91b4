//! Tags to a tree, whatever their nesting.
//!
//! In: the text of a document. Out: a [`Tree`]: one element that holds all roots, and notes on what was repaired.
//! Promise: every entry that opens is in the tree, closed or not; an unclosed field ends where the next one begins, an
//! unclosed entry where the next one begins; nesting is cut at [`MAX_DEPTH`], so that walking the tree is safe.
//! Not here: cutting text into tags ([`super::markup`]), what the elements say ([`super::feed`], [`super::sitemap`]).

use std::borrow::Cow;

use super::markup::{Token, Tokens};
use super::names::{self, Role, Space};
use super::repair::{Notes, Repair};

/// The deepest nesting kept; what is deeper is flattened into it.
pub const MAX_DEPTH: usize = 100;
/// The most namespace declarations in force at one place.
const MAX_SCOPES: usize = 64;

/// An element with everything in it.
#[derive(Clone, Debug)]
pub struct Element<'a> {
    pub space: Space,
    /// As written, without its prefix.
    pub name: &'a str,
    /// As written, with prefixes, references resolved.
    pub attributes: Vec<(&'a str, Cow<'a, str>)>,
    pub nodes: Vec<Node<'a>>,
    /// By its name; kept because every tag asks for the roles of all that is open.
    role: Role,
}

/// What an element holds.
#[derive(Clone, Debug)]
pub enum Node<'a> {
    Element(Element<'a>),
    /// Characters, references resolved.
    Text(Cow<'a, str>),
    /// Characters of a CDATA section.
    Raw(&'a str),
}

impl<'a> Element<'a> {
    fn new(space: Space, name: &'a str) -> Self {
        Self { space, name, attributes: Vec::new(), nodes: Vec::new(), role: names::role(name, space) }
    }

    /// Whether it has this name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The elements directly in it.
    pub fn children(&self) -> impl Iterator<Item = &Element<'a>> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Raw(_) => None,
        })
    }

    /// The first element of this vocabulary and name directly in it.
    pub fn child(&self, space: Space, name: &str) -> Option<&Element<'a>> {
        self.children().find(|child| child.space == space && child.is(name))
    }

    /// The value of an attribute, by its name in any case.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// All characters in it, without markup.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.gather(&mut out);
        out
    }

    /// The characters directly in it, without those of elements within.
    pub fn own_text(&self) -> String {
        let own = |node: &Node<'a>| match node {
            Node::Text(text) => Some(text.to_string()),
            Node::Raw(text) => Some((*text).to_owned()),
            Node::Element(_) => None,
        };
        self.nodes.iter().filter_map(own).collect()
    }

    fn gather(&self, out: &mut String) {
        for node in &self.nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Raw(text) => out.push_str(text),
                Node::Element(element) => element.gather(out),
            }
        }
    }

    /// What stands in it as markup: the escaped or CDATA markup itself, or the elements written out again.
    pub fn markup(&self) -> String {
        let mut out = String::new();
        if self.children().next().is_none() {
            self.gather(&mut out);
        } else {
            self.write_markup(&mut out);
        }
        out
    }

    /// The elements and characters in it written out as markup, for content that was published as elements.
    pub fn written(&self) -> String {
        let mut out = String::new();
        self.write_markup(&mut out);
        out
    }

    fn write_markup(&self, out: &mut String) {
        for node in &self.nodes {
            match node {
                Node::Raw(text) => out.push_str(text),
                // Escaped markup beside real elements: written as it is, or its tags would become words.
                Node::Text(text) if text.contains("</") || text.contains("/>") => out.push_str(text),
                Node::Text(text) => escape(text, out),
                Node::Element(element) => {
                    out.push('<');
                    out.push_str(element.name);
                    for (name, value) in element.attributes.iter().filter(|(name, _)| !name.starts_with("xmlns")) {
                        out.push(' ');
                        out.push_str(name);
                        out.push_str("=\"");
                        escape(value, out);
                        out.push('"');
                    }
                    out.push('>');
                    if !names::is_void(element.name) {
                        element.write_markup(out);
                        out.push_str("</");
                        out.push_str(element.name);
                        out.push('>');
                    }
                }
            }
        }
    }
}

/// Writes `text` so that it reads as characters wherever it stands in a document.
pub fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| matches!(b, b'&' | b'<' | b'>' | b'"')) {
        out.push_str(rest.get(..at).unwrap_or_default());
        out.push_str(match rest.as_bytes().get(at) {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            _ => "&quot;",
        });
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// A document as read.
pub struct Tree<'a> {
    /// Holds the roots; has no name.
    pub top: Element<'a>,
    /// The first element of all, whether known or not.
    pub first: Option<&'a str>,
    pub notes: Notes,
}

/// Reads a text as a tree. `max_entries` bounds what is kept; reading stops behind it.
pub fn read(text: &str, max_entries: usize) -> Tree<'_> {
    let mut builder = Builder {
        stack: vec![Element::new(Space::Other, "")],
        scopes: Vec::new(),
        flattened: 0,
        entries: 0,
        in_sitemap: false,
        notes: Notes::default(),
    };
    let mut tokens = Tokens::of(text);
    let (mut known, mut first, mut junk) = (false, None, false);
    loop {
        let before = tokens.position();
        let Some(token) = tokens.next() else { break };
        match token {
            Token::Start { name, attributes, empty } => {
                first = first.or(Some(name));
                let root = names::is_root(local(name));
                // Outside of all roots only another root counts; the rest is what servers print around a feed.
                if builder.stack.len() == 1 && !root {
                    junk = true;
                    continue;
                }
                let prolog = text.get(..before).unwrap_or_default().trim_start();
                if !known && (junk || !(prolog.is_empty() || prolog.starts_with('<'))) {
                    builder.notes.add(Repair::JunkBefore);
                }
                known = true;
                if names::is_entry(local(name)) && builder.entries >= max_entries {
                    builder.notes.cut_entries = Some(max_entries);
                    break;
                }
                builder.start(name, attributes, empty);
            }
            Token::End(name) => builder.end(name),
            Token::Text(text) => builder.node(Node::Text(text)),
            Token::Raw(text) => builder.node(Node::Raw(text)),
        }
    }
    let mut notes = tokens.notes;
    // What stood around the feed (a whole web page, perhaps) is no fault of the feed.
    let open = builder.stack.len() > 1;
    if open && builder.notes.cut_entries.is_none() {
        builder.notes.add(Repair::Truncated);
    }
    builder.close_to(1);
    notes.join(&builder.notes);
    let top = builder.stack.pop().unwrap_or_else(|| Element::new(Space::Other, ""));
    Tree { top, first, notes }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

struct Builder<'a> {
    /// The open elements; the first holds the roots and never closes.
    stack: Vec<Element<'a>>,
    /// Declared prefixes: the depth of the declaring element, the prefix (empty: the default) and what it means.
    scopes: Vec<(usize, &'a str, Space)>,
    /// Open elements that were too deep to keep.
    flattened: usize,
    entries: usize,
    in_sitemap: bool,
    notes: Notes,
}

impl<'a> Builder<'a> {
    fn space(&mut self, name: &str) -> Space {
        let (prefix, _) = name.split_once(':').unwrap_or(("", name));
        if let Some((_, _, space)) = self.scopes.iter().rev().find(|(_, known, _)| *known == prefix) {
            return *space;
        }
        if prefix.is_empty() {
            return Space::Rss;
        }
        let known = names::space_of_prefix(prefix);
        if known.is_some() {
            self.notes.add(Repair::UndeclaredPrefix);
        }
        known.unwrap_or(Space::Other)
    }

    fn declare(&mut self, attributes: &[(&'a str, Cow<'a, str>)]) {
        let depth = self.stack.len();
        for (name, address) in attributes {
            let prefix = match name.split_once(':') {
                None if *name == "xmlns" => "",
                Some(("xmlns", prefix)) => prefix,
                _ => continue,
            };
            let space = names::space_of_address(address).or_else(|| match prefix {
                // A default namespace that nobody knows is one that somebody gave to RSS.
                "" => Some(Space::Rss),
                prefix => names::space_of_prefix(prefix),
            });
            if self.scopes.len() < MAX_SCOPES {
                self.scopes.push((depth, prefix, space.unwrap_or(Space::Other)));
            }
        }
    }

    /// Puts the innermost element into the one around it.
    fn close(&mut self) {
        if self.stack.len() > 1
            && let Some(done) = self.stack.pop()
        {
            let depth = self.stack.len();
            self.scopes.retain(|(at, _, _)| *at < depth);
            self.node(Node::Element(done));
        }
    }

    fn close_to(&mut self, length: usize) {
        while self.stack.len() > length.max(1) {
            self.close();
        }
    }

    fn node(&mut self, node: Node<'a>) {
        let top_level = self.stack.len() == 1;
        let Some(top) = self.stack.last_mut() else { return };
        match node {
            Node::Element(_) => top.nodes.push(node),
            Node::Text(_) | Node::Raw(_) if !top_level => top.nodes.push(node),
            // Text around the roots is nobody's.
            Node::Text(_) | Node::Raw(_) => {}
        }
    }

    fn is_entry(&self, role: Role) -> bool {
        role == Role::Entry || (role == Role::Place && self.in_sitemap)
    }

    /// Where on the stack the innermost entry is.
    fn entry(&self) -> Option<usize> {
        self.stack.iter().rposition(|open| self.is_entry(open.role))
    }

    fn start(&mut self, name: &'a str, attributes: Vec<(&'a str, Cow<'a, str>)>, empty: bool) {
        let local = local(name);
        if names::is_any_sitemap(local) {
            self.in_sitemap = true;
        }
        let role = names::role(local, Space::Other);
        if self.is_entry(role) {
            self.make_room_for_entry();
            self.entries += usize::from(role == Role::Entry);
        } else {
            self.make_room_for_field(local);
        }
        if self.stack.len() >= MAX_DEPTH {
            self.notes.add(Repair::TooDeep);
            self.flattened += usize::from(!empty);
            return;
        }
        self.declare(&attributes);
        let mut element = Element::new(self.space(name), local);
        element.attributes = attributes;
        self.stack.push(element);
        if empty || names::is_void(local) {
            self.close();
        }
    }

    /// Closes whatever is open in the way of a new entry.
    fn make_room_for_entry(&mut self) {
        self.flattened = 0;
        if let Some(open) = self.entry() {
            self.notes.add(Repair::UnclosedEntry);
            self.close_to(open);
        }
        let container = self.stack.iter().rposition(|open| open.role == Role::Container);
        let depth = container.map_or(1, |at| at + 1);
        if self.stack.get(depth).is_some_and(is_field) {
            self.notes.add(Repair::UnclosedTag);
            self.close_to(depth);
        }
    }

    /// Closes a field that was left open when the next one begins.
    fn make_room_for_field(&mut self, next: &str) {
        if !names::begins_field(next) {
            return;
        }
        let first = self.entry().unwrap_or(0) + 1;
        let inner = self.stack.get(first..).unwrap_or_default();
        let Some(at) = inner.iter().rposition(is_field) else { return };
        let (Some(field), directly) = (inner.get(at), at + 1 == inner.len()) else { return };
        let plain = field.attribute("type").is_none_or(|kind| !kind.to_ascii_lowercase().contains("xml"));
        let unclosed = if field.role == Role::Line {
            field.space != Space::Xhtml
        } else {
            plain && (!names::is_also_html(next) || (directly && field.children().next().is_none()))
        };
        if unclosed {
            self.notes.add(Repair::UnclosedTag);
            self.close_to(first + at);
        }
    }

    fn end(&mut self, name: &'a str) {
        let local = local(name);
        let role = names::role(local, Space::Other);
        let outer = role == Role::Container || self.is_entry(role);
        if self.flattened > 0 && !outer {
            self.flattened -= 1;
            return;
        }
        // A field's end tag says nothing of what lies around the entry.
        let floor = if outer { 1 } else { self.entry().map_or(1, |at| at + 1) };
        let open = self.stack.iter().rposition(|open| open.is(local)).filter(|at| *at >= floor);
        match open {
            Some(at) => {
                if at + 1 < self.stack.len() {
                    self.notes.add(Repair::UnclosedTag);
                }
                self.flattened = 0;
                self.close_to(at);
            }
            None if names::is_void(local) || self.stack.len() == 1 => {}
            None => {
                self.notes.add(Repair::UnmatchedEnd);
                // `<title>…</tittle>`: the end tag of a line field, misspelt.
                let line = self.stack.len() > floor && self.stack.last().is_some_and(|top| top.role == Role::Line);
                if line && !super::entities::is_inline(local) && !outer {
                    self.close();
                }
            }
        }
    }
}

/// Whether an open element is a field that ends where the next one begins.
fn is_field(open: &Element<'_>) -> bool {
    matches!(open.role, Role::Line | Role::Markup)
}
