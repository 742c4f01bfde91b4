//! Articles to topics.
//!
//! In: compiled topics, an [`Article`]. Out: [`TopicMatch`]es.
//! Promise: the words are read once for all topics; only topics with a word of their gate in the article are looked at, so
//! the cost grows with the article; evidence adds up to the score.
//! Not here: what is wrong with a configuration ([`super::compile`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::bag::{Background, Count, Terms};
use super::compile::Problem;
use super::config::{Expectation, Label, TestConfig, TopicsFile};
use super::evaluate::{Document, Phrase, Plan, Span};
use super::lexicon::Lexicon;
use super::like::Learned;
use super::models::{Liked, Models};
use super::score::{MOST, contribution, evidence, hundredths, shared_out, shown};
use super::{Article, Decision, Field, TopicMatch};
use crate::id::{ItemId, TopicId};

/// Goes up when the same configuration can give other results.
const RULES_VERSION: u32 = 2;
/// The strongest terms of a model that are shown as evidence.
const REASONS: usize = 5;

/// All topics, compiled. The default has none.
///
/// What is compiled is shared with the same topics that have learned something else.
#[derive(Default)]
pub struct Topics {
    topics: Arc<Vec<Topic>>,
    lexicon: Arc<Lexicon>,
    phrases: Arc<Vec<Phrase>>,
    /// For each term the topics whose gate it may open.
    opened_by: Arc<Vec<Vec<usize>>>,
    /// Topics whose gate asks for no word.
    always: Arc<Vec<usize>>,
    /// Of the topics as written.
    written: u64,
    models: Models,
    version: u64,
}

/// One topic, compiled.
pub struct Topic {
    pub(super) id: TopicId,
    pub(super) label: Label,
    pub(super) description: Option<String>,
    /// Where there is none, only likeness opens the topic.
    pub(super) gate: Option<Plan>,
    pub(super) rules: Vec<Rule>,
    /// In hundredths.
    pub(super) threshold: i64,
    pub(super) maybe: i64,
    pub(super) title_gate: bool,
    pub(super) like: Option<Like>,
    pub(super) tests: Vec<TestConfig>,
}

/// Where a topic's examples are, and what likeness to them weighs.
#[derive(Clone, Debug, PartialEq)]
pub struct Like {
    /// What likeness adds where it is enough by itself.
    pub weight: f32,
    /// Texts, relative to `topics.toml`; `*` stands for any part of a file's name.
    pub files: Vec<String>,
    /// Stored items.
    pub items: Vec<ItemId>,
    /// Packed corpora, by name.
    pub corpora: Vec<String>,
}

/// What an article is like, and its terms.
#[derive(Default)]
struct Likeness {
    terms: Terms,
    /// Each of them once, with its damped count.
    counted: Vec<Count>,
    liked: Vec<Liked>,
}

/// A weighted query.
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) plan: Plan,
    pub(super) weight: f32,
}

impl Topic {
    /// Its id.
    pub fn id(&self) -> &TopicId {
        &self.id
    }

    /// What people see.
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// What belongs to it, where that is written.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The score from which it is a match.
    pub fn threshold(&self) -> f32 {
        shown(self.threshold)
    }

    /// Where its examples are, where it learns from any.
    pub fn like(&self) -> Option<&Like> {
        self.like.as_ref()
    }

    /// Whether any `[[topic.test]]` is about it.
    pub fn is_tested(&self) -> bool {
        !self.tests.is_empty()
    }

    /// The score from which it is worth a look.
    pub fn maybe(&self) -> f32 {
        shown(self.maybe)
    }
}

impl Topics {
    pub(super) fn assemble(
        topics: Vec<Topic>,
        lexicon: Lexicon,
        phrases: Vec<Phrase>,
        triggers: Vec<Option<BTreeSet<u32>>>,
        version: u64,
    ) -> Self {
        let (mut opened_by, mut always): (Vec<Vec<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
        for (topic, terms) in triggers.into_iter().enumerate() {
            let Some(terms) = terms else {
                always.push(topic);
                continue;
            };
            for term in terms {
                let term = term as usize;
                if opened_by.len() <= term {
                    opened_by.resize_with(term + 1, Vec::new);
                }
                opened_by[term].push(topic);
            }
        }
        Self {
            topics: Arc::new(topics),
            lexicon: Arc::new(lexicon),
            phrases: Arc::new(phrases),
            opened_by: Arc::new(opened_by),
            always: Arc::new(always),
            written: version,
            models: Models::default(),
            version,
        }
    }

    /// These topics with what they have learned, instead of what they had learned before. What is learned for a topic that
    /// is not there, or that does not learn, is left out.
    pub fn with_learned(&self, background: &Background, learned: &BTreeMap<TopicId, Learned>) -> Self {
        let mut models = Vec::new();
        let mut version = self.written;
        for (at, topic) in self.topics.iter().enumerate().filter(|(_, topic)| topic.like.is_some()) {
            models.extend(learned.get(&topic.id).map(|learned| (at, learned.clone())));
        }
        if !models.is_empty() {
            // Serializing plain numbers into memory has no way to fail.
            let bytes = postcard::to_stdvec(&(self.written, background, &models)).unwrap_or_default();
            version = xxhash_rust::xxh3::xxh3_64(&bytes);
        }
        Self {
            topics: Arc::clone(&self.topics),
            lexicon: Arc::clone(&self.lexicon),
            phrases: Arc::clone(&self.phrases),
            opened_by: Arc::clone(&self.opened_by),
            always: Arc::clone(&self.always),
            written: self.written,
            models: if models.is_empty() { Models::default() } else { Models::new(background, models) },
            version,
        }
    }

    /// The topics that `article` is about (match or maybe), best first: matches before maybes, then by score, then in the
    /// order of the configuration.
    pub fn classify(&self, article: &Article<'_>) -> Vec<TopicMatch> {
        let document = Document::read(*article, &self.lexicon);
        let mut open: Vec<usize> = self.always.to_vec();
        open.extend(document.terms().filter_map(|term| self.opened_by.get(term as usize)).flatten());
        let likeness = self.likeness(&document);
        open.extend(likeness.liked.iter().map(|liked| liked.topic));
        open.sort_unstable();
        open.dedup();
        let judged = open.into_iter().filter_map(|topic| self.judge(topic, &document, &likeness));
        let mut matches: Vec<TopicMatch> = judged.collect();
        matches.sort_by(|a, b| b.decision.cmp(&a.decision).then_with(|| b.score.total_cmp(&a.score)));
        matches
    }

    /// What the article is like.
    fn likeness(&self, document: &Document<'_>) -> Likeness {
        if self.models.is_empty() {
            return Likeness::default();
        }
        let terms = document.learnable();
        let counted = terms.counted();
        let liked = self.models.ask(&counted);
        Likeness { terms, counted, liked }
    }

    fn judge(&self, number: usize, document: &Document<'_>, likeness: &Likeness) -> Option<TopicMatch> {
        let liked = likeness.liked.iter().find(|liked| liked.topic == number);
        let topic = self.topics.get(number)?;
        let gate = topic.gate.as_ref().map_or_else(Vec::new, |gate| document.find(gate, &self.phrases));
        if gate.is_empty() && liked.is_none_or(|liked| liked.strength < 1.0) {
            return None;
        }
        let learned = topic
            .like
            .as_ref()
            .zip(liked)
            .map_or(0, |(like, liked)| hundredths(f64::from(like.weight) * f64::from(liked.strength.min(MOST))));
        let weighed: Vec<(&Rule, i64, Vec<Span>)> = topic
            .rules
            .iter()
            .map(|rule| {
                let spans = document.find(&rule.plan, &self.phrases);
                (rule, contribution(rule.weight, &spans), spans)
            })
            .filter(|(_, contribution, _)| *contribution != 0)
            .collect();
        let score: i64 = weighed.iter().map(|(_, contribution, _)| contribution).sum::<i64>() + learned;
        let penalized = weighed.iter().any(|(rule, ..)| rule.weight < 0.0);
        let in_title: Vec<Span> = gate.into_iter().filter(|span| span.field == Field::Title).collect();
        let by_title = topic.title_gate && !penalized && !in_title.is_empty() && score < topic.maybe;
        let decision = if score >= topic.threshold {
            Decision::Match
        } else if score >= topic.maybe || by_title {
            Decision::Maybe
        } else {
            return None;
        };
        let mut shown_places = Vec::new();
        if by_title {
            shown_places.extend(evidence("gate", 0, &in_title, document));
        }
        for (rule, contribution, spans) in &weighed {
            shown_places.extend(evidence(&rule.name, *contribution, spans, document));
        }
        if learned != 0 {
            let reasons = self.models.reasons(number, &likeness.counted);
            let terms: Vec<u32> = reasons.iter().take(REASONS).map(|(term, _)| *term).collect();
            let places = document.places(&likeness.terms, &terms).into_iter().zip(reasons);
            let places: Vec<(Span, f32)> = places.filter_map(|(span, (_, adds))| Some((span?, adds))).collect();
            shown_places.extend(shared_out("like", learned, &places, document));
        }
        Some(TopicMatch { id: topic.id.clone(), decision, score: shown(score), evidence: shown_places })
    }

    /// The topics' ids, in the order of the configuration.
    pub fn ids(&self) -> impl Iterator<Item = &TopicId> + '_ {
        self.topics.iter().map(|topic| &topic.id)
    }

    /// All topics, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Topic> + '_ {
        self.topics.iter()
    }

    /// The ids with what people see, in the order of the configuration.
    pub fn labels(&self) -> impl Iterator<Item = (&TopicId, &Label)> + '_ {
        self.topics.iter().map(|topic| (&topic.id, &topic.label))
    }

    /// The topic `id`.
    pub fn get(&self, id: &TopicId) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.id == *id)
    }

    /// How many topics there are.
    pub fn len(&self) -> usize {
        self.topics.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// A number that changes when the same article may get other topics; comments, spacing and tests do not count.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The stored items that tests are about.
    pub fn tested_items(&self) -> BTreeSet<ItemId> {
        let tests = self.topics.iter().flat_map(|topic| &topic.tests);
        tests.filter_map(|test| test.item.as_ref()?.get_ref().parse().ok()).collect()
    }

    /// The `[[topic.test]]`s that fail; `stored` gives the fields of an item, or says why it cannot. Each failure points at
    /// its `expect`, or at the `item` that is not there.
    pub fn run_tests<'a>(&self, stored: &dyn Fn(ItemId) -> Result<Article<'a>, String>) -> Vec<Problem> {
        self.tested(stored).failed
    }

    /// As [`Topics::run_tests`], and those that cannot be judged yet.
    pub fn tested<'a>(&self, stored: &dyn Fn(ItemId) -> Result<Article<'a>, String>) -> Tested {
        let mut tested = Tested::default();
        for (topic, test) in self.topics.iter().flat_map(|topic| topic.tests.iter().map(move |test| (topic, test))) {
            match self.run_test(topic, test, stored) {
                Ok(()) => {}
                Err(Failure::Sure(problem)) => tested.failed.push(problem),
                Err(Failure::Untaught(problem)) => tested.untaught.push(problem),
            }
        }
        tested
    }

    fn run_test<'a>(
        &self,
        topic: &Topic,
        test: &TestConfig,
        stored: &dyn Fn(ItemId) -> Result<Article<'a>, String>,
    ) -> Result<(), Failure> {
        let article = match &test.item {
            None => Article {
                title: &test.title,
                summary: "",
                text: &test.text,
                url: &test.url,
                feed: &test.feed,
                language: &test.lang,
            },
            Some(item) => item.get_ref().parse().and_then(stored).map_err(|why| {
                let message = format!("topic `{}`: the item {} cannot be tested: {why}", topic.id, item.get_ref());
                Failure::Sure(Problem { span: item.span(), message })
            })?,
        };
        let document = Document::read(article, &self.lexicon);
        let number = self.topics.iter().position(|other| other.id == topic.id);
        let found = number.and_then(|number| self.judge(number, &document, &self.likeness(&document)));
        let (got, wanted) = (Expectation::from(found.as_ref().map(|found| found.decision)), *test.expect.get_ref());
        // Likeness only ever adds: what the rules reach by themselves is certain, what they do not reach is open.
        let open = topic.like.is_some() && number.is_none_or(|number| !self.models.knows(number));
        let (rank, span) = (|of: Expectation| of as u8, test.expect.span());
        if open && got != Expectation::Match && rank(got) <= rank(wanted) {
            let id = &topic.id;
            let message = format!(
                "topic `{id}`: not judged: it learns from examples and has learned nothing yet, and by its gate and rules \
                 alone this is {got}; let the daemon run until `rasid topics list` shows what `{id}` has learned"
            );
            return Err(Failure::Untaught(Problem { span, message }));
        }
        if got == wanted {
            return Ok(());
        }
        let what = if test.item.is_some() { "item" } else { "text" };
        let why = found.map_or_else(String::new, |found| {
            let places: Vec<String> =
                found.evidence.iter().map(|e| format!("{:+.2} {} «{}»", e.weight, e.rule, e.text)).collect();
            format!(" (score {:.2}: {})", found.score, places.join(", "))
        });
        let message =
            format!("topic `{}`: this {what} gives {got}, not {wanted}{why}; change the topic or the test", topic.id);
        Err(Failure::Sure(Problem { span, message }))
    }
}

/// What came of the topics' own tests.
#[derive(Clone, Debug, Default)]
pub struct Tested {
    /// Those that failed.
    pub failed: Vec<Problem>,
    /// Those that nothing is known of before their topic has learned from its examples.
    pub untaught: Vec<Problem>,
}

enum Failure {
    Sure(Problem),
    Untaught(Problem),
}

/// Says how much there is, not all of it: the compiled form is for no one to read.
impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.ids().map(TopicId::as_str).collect();
        f.debug_struct("Topics").field("ids", &ids).field("version", &self.version).finish_non_exhaustive()
    }
}

/// A hash of everything in `file` that results depend on.
pub(super) fn version_of(file: &TopicsFile) -> u64 {
    let mut file = file.clone();
    file.topic.iter_mut().for_each(|topic| topic.test.clear());
    let versions = (RULES_VERSION, crate::text::normalize::VERSION);
    // Serializing plain strings and numbers into memory has no way to fail.
    let bytes = postcard::to_stdvec(&(versions, file)).unwrap_or_default();
    xxhash_rust::xxh3::xxh3_64(&bytes)
}
