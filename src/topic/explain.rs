//! What the terms of a topic reach: the forms in which each occurs in articles, and how often.
//!
//! In: the topics as written, one topic's id or a query; articles, one after another. Out: an [`Explanation`]: in how many
//! articles each rule holds; for every term as written its forms, the most frequent first; what never occurs.
//! Promise: what is counted is what matching finds; memory is bounded, however many articles there are.
//! Not here: where the articles come from, and what places are worth ([`super::score`]).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_spanned::Spanned;

use super::compile::{Compiler, Problem, trial};
use super::config::{Sets, TopicConfig, TopicsFile};
use super::evaluate::{Document, Phrase, Plan, Span};
use super::lexicon::Lexicon;
use super::query::{Entry, Query, parse, parse_entry};
use super::term::{Class, Term};
use super::{Article, Field, Topics};

/// The most different forms of one term that are told apart; what comes after them is counted together.
const MAX_FORMS: usize = 1_000;
/// The most characters kept of a form: a prefix is followed by anything.
const MAX_LETTERS: usize = 120;

/// What a topic's terms reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// How many articles were looked at.
    pub articles: u64,
    /// The gate, then the rules, in the order of the configuration.
    pub rules: Vec<RuleReach>,
    /// The sets that the rules name and the terms that they hold themselves, in the order in which the rules do.
    pub groups: Vec<Group>,
}

/// Where a rule holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleReach {
    /// What it is for.
    pub kind: RuleKind,
    /// What evidence calls it.
    pub name: String,
    /// As written.
    pub query: String,
    /// In how many articles it holds; of a rule: in how many of those that the gate holds in.
    pub articles: u64,
}

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// Without it nothing is scored.
    Gate,
    /// It speaks for the topic.
    Score,
    /// It speaks against it.
    Exclude,
}

/// The entries of a set, or the terms that stand in a rule itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// `$NAME` of a set, or the rule's name.
    pub name: String,
    /// The rules that name the set, and the sets that include it (`$NAME`).
    pub used_by: Vec<String>,
    /// In the order of the file.
    pub entries: Vec<Reach>,
}

/// What one term reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// As written.
    pub term: String,
    /// How freely it is inflected.
    pub class: TermClass,
    /// In how many articles it occurs.
    pub articles: u64,
    /// How often it occurs in them.
    pub occurrences: u64,
    /// The most frequent first.
    pub forms: Vec<Form>,
    /// Occurrences in forms that are not listed.
    pub others: u64,
}

/// A form in which a term occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// In normalized letters.
    pub form: String,
    /// As the first article had it.
    pub sample: String,
    /// How often.
    pub occurrences: u64,
}

/// How a term is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TermClass {
    /// Proclitics and inflection.
    Noun,
    /// Proclitics and the nisba.
    Place,
    /// Proclitics.
    Name,
    /// As it stands.
    Exact,
    /// Anything after it.
    Prefix,
    /// One letter more, less or other.
    OneEdit,
    /// Letters of another alphabet, or digits: as it stands.
    Foreign,
    /// Several words.
    Phrase,
    /// A part of the address.
    Url,
    /// A feed.
    Feed,
    /// A language.
    Language,
}

/// A topic whose reach is being counted.
pub struct Explain {
    lexicon: Lexicon,
    phrases: Vec<Phrase>,
    gate: Option<Plan>,
    /// With their plans.
    rules: Vec<(RuleReach, Plan)>,
    groups: Vec<(Group, Vec<Counted>)>,
    articles: u64,
}

/// One term while it is counted.
struct Counted {
    plan: Plan,
    /// By the normalized form.
    forms: HashMap<String, (String, u64)>,
    others: u64,
}

impl Explain {
    /// The topic `id` of `file`. None where there is no such topic, or where `file` has problems in it.
    pub fn of(file: &TopicsFile, id: &str) -> Option<Self> {
        let number = file.topic.iter().position(|topic| topic.id.get_ref() == id)?;
        let config = file.topic.get(number)?;
        let mut gatherer =
            Gatherer { file, number, compiler: Compiler::new(file), groups: Vec::new(), keys: Vec::new() };
        let topic = gatherer.compiler.topic(number, config)?;
        // A topic without rules has its gate as one.
        let own = topic.rules.len().saturating_sub(config.score.len() + config.exclude.len());
        let mut plans = topic.gate.iter().chain(topic.rules.iter().skip(own).map(|rule| &rule.plan));
        let mut rules = Vec::new();
        for (kind, name, query) in written(config) {
            gatherer.query(name, query.get_ref());
            let rule = RuleReach { kind, name: name.to_owned(), query: query.get_ref().clone(), articles: 0 };
            rules.push((rule, plans.next()?.clone()));
        }
        let Gatherer { compiler, groups, .. } = gatherer;
        Some(Self {
            lexicon: Lexicon::of(&compiler.terms.list),
            phrases: compiler.phrases.list,
            gate: topic.gate.clone(),
            rules,
            groups: groups.into_iter().filter(|(group, _)| !group.entries.is_empty()).collect(),
            articles: 0,
        })
    }

    /// A query as a topic of its own, with `sets` at hand.
    ///
    /// # Errors
    /// What is wrong with it; spans count bytes of `query`.
    pub fn query(query: &str, sets: &Sets) -> Result<Self, Vec<Problem>> {
        let file = trial(query, sets);
        Topics::compile(&file)?;
        Self::of(&file, "trial").ok_or_else(Vec::new)
    }

    /// Counts one more article.
    pub fn read(&mut self, article: &Article<'_>) {
        self.articles += 1;
        let document = Document::read(*article, &self.lexicon);
        let open = self.gate.as_ref().is_none_or(|gate| !document.find(gate, &self.phrases).is_empty());
        for (rule, plan) in self.rules.iter_mut().filter(|_| open) {
            rule.articles += u64::from(!document.find(plan, &self.phrases).is_empty());
        }
        for (group, counted) in &mut self.groups {
            for (reach, counted) in group.entries.iter_mut().zip(counted) {
                let spans = document.find(&counted.plan, &self.phrases);
                reach.articles += u64::from(!spans.is_empty());
                reach.occurrences += spans.len() as u64;
                spans.into_iter().for_each(|span| counted.add(&document, span));
            }
        }
    }

    /// What was counted, with at most `most` forms of each term.
    pub fn finish(&self, most: usize) -> Explanation {
        let group = |(group, counted): &(Group, Vec<Counted>)| {
            let mut group = group.clone();
            for (reach, counted) in group.entries.iter_mut().zip(counted) {
                (reach.forms, reach.others) = counted.most(most);
            }
            group
        };
        Explanation {
            articles: self.articles,
            rules: self.rules.iter().map(|(rule, _)| rule.clone()).collect(),
            groups: self.groups.iter().map(group).collect(),
        }
    }
}

impl Counted {
    fn add(&mut self, document: &Document<'_>, span: Span) {
        let cut = |text: &str| text.chars().take(MAX_LETTERS).collect::<String>();
        let form = cut(&document.normalized(span));
        if let Some((_, count)) = self.forms.get_mut(&form) {
            *count += 1;
        } else if self.forms.len() < MAX_FORMS {
            self.forms.insert(form, (cut(document.original(span).2), 1));
        } else {
            self.others += 1;
        }
    }

    /// The most frequent forms, and how many occurrences the others have.
    fn most(&self, most: usize) -> (Vec<Form>, u64) {
        let form = |(form, (sample, count)): (&String, &(String, u64))| Form {
            form: form.clone(),
            sample: sample.clone(),
            occurrences: *count,
        };
        let mut forms: Vec<Form> = self.forms.iter().map(form).collect();
        forms.sort_by(|a, b| b.occurrences.cmp(&a.occurrences).then_with(|| a.form.cmp(&b.form)));
        let rest = forms.split_off(most.min(forms.len()));
        (forms, self.others + rest.iter().map(|form| form.occurrences).sum::<u64>())
    }
}

/// The queries of a topic with what they are for and what they are called.
fn written(config: &TopicConfig) -> impl Iterator<Item = (RuleKind, &str, &Spanned<String>)> {
    let gate = config.gate.iter().map(|gate| (RuleKind::Gate, "gate", gate));
    let score = config.score.iter().map(|rule| (RuleKind::Score, rule));
    let exclude = config.exclude.iter().map(|rule| (RuleKind::Exclude, rule));
    let rules = score.chain(exclude);
    gate.chain(rules.map(|(kind, rule)| (kind, rule.name.as_deref().unwrap_or(rule.q.get_ref()), &rule.q)))
}

/// Walks the queries of a topic and numbers what stands in them.
struct Gatherer<'f> {
    file: &'f TopicsFile,
    number: usize,
    compiler: Compiler<'f>,
    groups: Vec<(Group, Vec<Counted>)>,
    /// Which set each group is: the topic's own or a shared one, and its name. None: a rule's own terms.
    keys: Vec<Option<(bool, String)>>,
}

impl Gatherer<'_> {
    fn query(&mut self, rule: &str, query: &str) {
        let (Some(tree), _) = parse(query) else { return };
        let mut terms = Vec::new();
        self.walk(rule, query, &tree, &mut terms);
        if !terms.is_empty() {
            let group = self.group(None, rule, None);
            for (term, class, plan) in terms {
                self.add(group, &term, class, plan);
            }
        }
    }

    fn walk(&mut self, rule: &str, query: &str, tree: &Query, terms: &mut Vec<(String, TermClass, Plan)>) {
        match tree {
            Query::Words { words, gaps, at } => {
                let written = query.get(at.0.clone()).unwrap_or_default();
                if let Some(atom) = self.compiler.atom(words, *gaps) {
                    terms.push((written.to_owned(), class(words), Plan::Any(vec![atom])));
                }
            }
            Query::Set { name, .. } => {
                let own = self.sets(true).is_some_and(|sets| sets.contains_key(name));
                self.set(own, name, rule);
            }
            Query::Or(any) => any.iter().for_each(|tree| self.walk(rule, query, tree, terms)),
            Query::And { all, none } => {
                all.iter().chain(none).for_each(|tree| self.walk(rule, query, tree, terms));
            }
            Query::Near { first, then } => {
                self.walk(rule, query, first, terms);
                then.iter().for_each(|(_, tree)| self.walk(rule, query, tree, terms));
            }
            Query::In(_, tree) => self.walk(rule, query, tree, terms),
            Query::Test { field, value } => {
                let class = match field {
                    Field::Url => TermClass::Url,
                    Field::Feed => TermClass::Feed,
                    _ => TermClass::Language,
                };
                terms.push((tree.to_string(), class, Plan::Test { field: *field, value: value.clone() }));
            }
        }
    }

    fn sets(&self, own: bool) -> Option<&Sets> {
        if own { self.file.topic.get(self.number).map(|topic| &topic.sets) } else { Some(&self.file.sets) }
    }

    /// The set and those that it includes. There are no circles: what has one does not compile.
    fn set(&mut self, own: bool, name: &str, used_by: &str) {
        let known = self.groups.len();
        let group = self.group(Some((own, name.to_owned())), &format!("${name}"), Some(used_by));
        if group < known {
            return;
        }
        let entries: Vec<String> = self
            .sets(own)
            .and_then(|sets| sets.get(name))
            .map_or_else(Vec::new, |entries| entries.iter().map(|entry| entry.get_ref().clone()).collect());
        for text in entries {
            match parse_entry(&text).0 {
                Some(Entry::Words { words, gaps }) => {
                    if let Some(atom) = self.compiler.atom(&words, gaps) {
                        self.add(group, text.trim(), class(&words), Plan::Any(vec![atom]));
                    }
                }
                Some(Entry::Include(other)) => {
                    let own = own && self.sets(true).is_some_and(|sets| sets.contains_key(&other));
                    self.set(own, &other, &format!("${name}"));
                }
                None => {}
            }
        }
    }

    /// The number of the group, which is made where it is new.
    fn group(&mut self, key: Option<(bool, String)>, name: &str, used_by: Option<&str>) -> usize {
        let known = self.keys.iter().position(|known| key.is_some() && *known == key);
        let number = known.unwrap_or_else(|| {
            let group = Group { name: name.to_owned(), used_by: Vec::new(), entries: Vec::new() };
            self.groups.push((group, Vec::new()));
            self.keys.push(key);
            self.groups.len() - 1
        });
        if let (Some((group, _)), Some(used_by)) = (self.groups.get_mut(number), used_by)
            && group.used_by.last().is_none_or(|last| last != used_by)
        {
            group.used_by.push(used_by.to_owned());
        }
        number
    }

    fn add(&mut self, group: usize, term: &str, class: TermClass, plan: Plan) {
        if let Some((group, counted)) = self.groups.get_mut(group) {
            let term = term.to_owned();
            group.entries.push(Reach { term, class, articles: 0, occurrences: 0, forms: Vec::new(), others: 0 });
            counted.push(Counted { plan, forms: HashMap::new(), others: 0 });
        }
    }
}

fn class(words: &[Term]) -> TermClass {
    match words {
        [word] => match word.class() {
            Class::Noun => TermClass::Noun,
            Class::Place => TermClass::Place,
            Class::Name => TermClass::Name,
            Class::Exact => TermClass::Exact,
            Class::Prefix => TermClass::Prefix,
            Class::Fuzzy => TermClass::OneEdit,
            Class::Foreign => TermClass::Foreign,
        },
        _ => TermClass::Phrase,
    }
}
