//! All topics as written to all topics as they run, or everything that is wrong with them.
//!
//! In: [`TopicsFile`]. Out: [`Topics`], or every [`Problem`] with the bytes of the file it stands at.
//! Promise: what compiles can match; a set without entries, a threshold out of reach or a query that excludes itself is a
//! problem, not a silence. Topics do not influence one another: each compiles as it would alone.
//! Not here: the grammar ([`super::query`]) and what matching does ([`super::matcher`]).

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use serde_spanned::Spanned;

use super::config::{LikeConfig, RuleConfig, Sets, TopicConfig, TopicsFile};
use super::evaluate::{Atom, Phrase, Plan};
use super::lexicon::Lexicon;
use super::matcher::{Like, Rule, Topic, Topics};
use super::possible::{excluded, possible, within};
use super::query::{Entry, Fault, Query, parse, parse_entry};
use super::score::{MOST, hundredths};
use super::term::Term;
use crate::id::{ItemId, TopicId};

/// Something wrong in `topics.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// In bytes of the file: inside a query the very characters, where the string is written without escapes; else the
    /// string with its quotation marks.
    pub span: Range<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

/// The largest weight or threshold.
const MAX_WEIGHT: f32 = 1000.0;
/// How many sets may include one another in a row.
const MAX_INCLUDES: usize = 64;
/// The weight of a gate that is scored because there is no other rule.
const GATE_WEIGHT: f32 = 2.0;

impl Topics {
    /// Checks and compiles all topics.
    ///
    /// # Errors
    /// Every problem, in the order of the file.
    pub fn compile(file: &TopicsFile) -> Result<Self, Vec<Problem>> {
        let mut compiler = Compiler::new(file);
        compiler.check_shared_sets();
        let mut ids = BTreeSet::new();
        let mut topics = Vec::new();
        for (number, config) in file.topic.iter().enumerate() {
            if !ids.insert(config.id.get_ref().as_str()) {
                let message = format!("the topic id `{}` is used twice; give each topic its own", config.id.get_ref());
                compiler.problems.push(Problem { span: config.id.span(), message });
            }
            topics.extend(compiler.topic(number, config));
        }
        if compiler.problems.is_empty() {
            let lexicon = Lexicon::of(&compiler.terms.list);
            let triggers = compiler.triggers(&topics);
            Ok(Self::assemble(topics, lexicon, compiler.phrases.list, triggers, super::matcher::version_of(file)))
        } else {
            let mut problems = compiler.problems;
            problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
            problems.dedup();
            Err(problems)
        }
    }

    /// One query as a topic `trial` of its own, with the sets of `sets` at hand: what it finds is a match.
    ///
    /// # Errors
    /// Every problem; spans count bytes of `query`.
    pub fn trial(query: &str, sets: &Sets) -> Result<Self, Vec<Problem>> {
        Self::compile(&trial(query, sets))
    }
}

/// A file with the one topic `trial`, whose gate is `query`.
pub(super) fn trial(query: &str, sets: &Sets) -> TopicsFile {
    let spanned = |text: &str| Spanned::new(0..text.len(), text.to_owned());
    let topic = TopicConfig {
        id: spanned("trial"),
        label: super::config::Label { ar: "تجربة".to_owned(), en: "Trial".to_owned() },
        description: None,
        sets: Sets::new(),
        gate: Some(spanned(query)),
        score: Vec::new(),
        exclude: Vec::new(),
        like: None,
        threshold: Some(Spanned::new(0..0, 0.01)),
        maybe: Some(Spanned::new(0..0, 0.01)),
        title_gate: true,
        test: Vec::new(),
    };
    TopicsFile { sets: sets.clone(), topic: vec![topic] }
}

/// Things numbered in the order they come, each once.
pub(super) struct Numbered<T> {
    pub(super) list: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T: Clone + Eq + std::hash::Hash> Numbered<T> {
    fn new() -> Self {
        Self { list: Vec::new(), numbers: HashMap::new() }
    }

    fn number(&mut self, thing: T) -> u32 {
        *self.numbers.entry(thing.clone()).or_insert_with(|| {
            self.list.push(thing);
            u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// A set is known by the topic that has it (none: shared) and its name.
type SetKey = (Option<usize>, String);

pub(super) struct Compiler<'f> {
    file: &'f TopicsFile,
    problems: Vec<Problem>,
    pub(super) terms: Numbered<Term>,
    pub(super) phrases: Numbered<Phrase>,
    /// `None`: has a problem, which was told.
    sets: HashMap<SetKey, Option<Vec<Atom>>>,
}

impl<'f> Compiler<'f> {
    pub(super) fn new(file: &'f TopicsFile) -> Self {
        let (problems, sets) = (Vec::new(), HashMap::new());
        Self { file, problems, terms: Numbered::new(), phrases: Numbered::new(), sets }
    }

    /// Sets that no topic uses are checked as well: a fault there waits for the first who does.
    fn check_shared_sets(&mut self) {
        for name in self.file.sets.keys() {
            self.set(&(None, name.clone()), &mut Vec::new());
        }
    }

    pub(super) fn topic(&mut self, number: usize, config: &TopicConfig) -> Option<Topic> {
        for name in config.sets.keys() {
            self.set(&(Some(number), name.clone()), &mut Vec::new());
        }
        let id = match config.id.get_ref().parse::<TopicId>() {
            Ok(id) => Some(id),
            Err(message) => {
                self.problems.push(Problem { span: config.id.span(), message });
                None
            }
        };
        let gate = match &config.gate {
            Some(gate) => self.query(number, gate).map(Some),
            None if config.like.is_some() => Some(None),
            None => {
                let message = "a topic needs a gate, or examples under [topic.like]; write gate = '…'".to_owned();
                self.problems.push(Problem { span: config.id.span(), message });
                None
            }
        };
        let like = config.like.as_ref().map(|like| self.like(config, like));
        let mut rules = Vec::new();
        for (rule, penalty) in config.score.iter().map(|r| (r, false)).chain(config.exclude.iter().map(|r| (r, true))) {
            rules.extend(self.rule(number, rule, penalty));
        }
        let sound = rules.len() == config.score.len() + config.exclude.len();
        let gate = gate?;
        if let (Some(gate), None) = (&gate, &config.like) {
            self.contradictions(config, gate, &rules);
        }
        if config.score.is_empty()
            && let Some(gate) = &gate
        {
            rules.insert(0, Rule { name: "gate".to_owned(), plan: gate.clone(), weight: GATE_WEIGHT });
        }
        for item in config.test.iter().filter_map(|test| test.item.as_ref()) {
            if let Err(message) = item.get_ref().parse::<ItemId>() {
                self.problems.push(Problem { span: item.span(), message: message.to_string() });
            }
        }
        for test in config.test.iter().filter(|test| test.item.is_some() && test.has_fields()) {
            let message = "`item` stands alone in a test: its fields are those stored; leave out the others".to_owned();
            self.problems.push(Problem { span: test.item.as_ref().map_or(0..0, Spanned::span), message });
        }
        let learned = like.as_ref().map_or(0.0, |like| like.weight);
        let (threshold, maybe) = self.thresholds(config, &rules, learned, sound)?;
        let topic = Topic {
            id: id?,
            label: config.label.clone(),
            description: config.description.clone(),
            gate,
            rules,
            threshold,
            maybe,
            title_gate: config.title_gate,
            like,
            tests: config.test.clone(),
        };
        sound.then_some(topic)
    }

    fn rule(&mut self, topic: usize, config: &RuleConfig, penalty: bool) -> Option<Rule> {
        let plan = self.query(topic, &config.q);
        let weight = *config.w.get_ref();
        let wrong = if !(0.01..=MAX_WEIGHT).contains(&weight.abs()) {
            Some(format!("the weight {weight} is out of range; write a number from 0.01 to {MAX_WEIGHT}"))
        } else if penalty && weight > 0.0 {
            Some(format!(
                "the weight {weight} of an exclude rule is positive; write -{weight}, or move the rule to score"
            ))
        } else if !penalty && weight < 0.0 {
            Some(format!("the weight {weight} of a score rule is negative; move the rule to [[topic.exclude]]"))
        } else {
            None
        };
        if let Some(message) = wrong {
            self.problems.push(Problem { span: config.w.span(), message });
            return None;
        }
        let name = config.name.clone().unwrap_or_else(|| config.q.get_ref().clone());
        plan.map(|plan| Rule { name, plan, weight })
    }

    /// Rules that ask for what the gate excludes. Rules that have a problem of their own are missing from `rules`.
    fn contradictions(&mut self, config: &TopicConfig, gate: &Plan, rules: &[Rule]) {
        let all: Vec<&RuleConfig> = config.score.iter().chain(&config.exclude).collect();
        if all.len() != rules.len() {
            return;
        }
        let excluded = excluded(gate);
        for (config, _) in all.iter().zip(rules).filter(|(_, rule)| within(&rule.plan, &excluded)) {
            let message =
                "this can never add anything: it asks for what the gate excludes with NOT; take it out here or there";
            let span = locate(&config.q, &(0..config.q.get_ref().len()));
            self.problems.push(Problem { span, message: message.to_owned() });
        }
    }

    /// What likeness to the examples weighs, and where the examples are.
    fn like(&mut self, config: &TopicConfig, like: &LikeConfig) -> Like {
        let threshold = config.threshold.as_ref().map_or(1.0, |threshold| *threshold.get_ref());
        let weight = like.w.as_ref().map_or(threshold, |w| *w.get_ref());
        if let Some(w) = like.w.as_ref().filter(|_| !(0.01..=MAX_WEIGHT).contains(&weight)) {
            let message = format!("the weight {weight} is out of range; write a number from 0.01 to {MAX_WEIGHT}");
            self.problems.push(Problem { span: w.span(), message });
        }
        for item in &like.items {
            if let Err(message) = item.get_ref().parse::<ItemId>() {
                self.problems.push(Problem { span: item.span(), message: message.to_string() });
            }
        }
        let files = like.files.iter().map(|file| file.get_ref().clone()).collect();
        let items = like.items.iter().filter_map(|item| item.get_ref().parse().ok()).collect();
        let corpora = like.corpus.iter().map(|name| name.get_ref().clone()).collect();
        Like { weight, files, items, corpora }
    }

    /// In hundredths. `sound`: no rule is missing for a problem of its own.
    fn thresholds(&mut self, config: &TopicConfig, rules: &[Rule], learned: f32, sound: bool) -> Option<(i64, i64)> {
        let mut wrong = Vec::new();
        for value in [&config.threshold, &config.maybe].into_iter().flatten() {
            if !(0.01..=MAX_WEIGHT).contains(value.get_ref()) {
                let message = format!(
                    "the threshold {} is out of range; write a number from 0.01 to {MAX_WEIGHT}",
                    value.get_ref()
                );
                wrong.push(Problem { span: value.span(), message });
            }
        }
        let threshold = config.threshold.as_ref().map_or(1.0, |threshold| *threshold.get_ref());
        let maybe = config.maybe.as_ref().map_or(threshold / 2.0, |maybe| *maybe.get_ref());
        let span = |value: &Option<Spanned<f32>>| value.as_ref().map_or(config.id.span(), Spanned::span);
        let most = MOST * (learned + rules.iter().map(|rule| rule.weight.max(0.0)).sum::<f32>());
        if sound && threshold >= most {
            let message = format!(
                "the threshold {threshold} can never be reached: all score rules together stay below {most}; lower it or add weight"
            );
            wrong.push(Problem { span: span(&config.threshold), message });
        }
        if maybe > threshold {
            let message = format!("maybe = {maybe} is above the threshold {threshold}; it must not be");
            wrong.push(Problem { span: span(&config.maybe), message });
        }
        let fine = wrong.is_empty();
        self.problems.append(&mut wrong);
        fine.then(|| (hundredths(f64::from(threshold)), hundredths(f64::from(maybe))))
    }

    /// Compiles one query of a topic; `None` where there is a problem, which is told.
    fn query(&mut self, topic: usize, text: &Spanned<String>) -> Option<Plan> {
        let (tree, faults) = parse(text.get_ref());
        let fine = faults.is_empty();
        self.tell(text, faults);
        let mut faults = Vec::new();
        let plan = self.plan(topic, &tree?, &mut faults);
        let fine = fine && plan.is_some() && faults.is_empty();
        self.tell(text, faults);
        let plan = plan.filter(|_| fine)?;
        if let Err(why) = possible(&plan) {
            let message = format!("this can never match: {why}");
            self.problems.push(Problem { span: locate(text, &(0..text.get_ref().len())), message });
            return None;
        }
        Some(plan)
    }

    fn tell(&mut self, text: &Spanned<String>, faults: Vec<Fault>) {
        let problem = |fault: Fault| Problem { span: locate(text, &fault.at), message: fault.message };
        self.problems.extend(faults.into_iter().map(problem));
    }

    fn plan(&mut self, topic: usize, tree: &Query, faults: &mut Vec<Fault>) -> Option<Plan> {
        Some(match tree {
            Query::Words { words, gaps, .. } => Plan::Any(vec![self.atom(words, *gaps)?]),
            Query::Set { name, at } => {
                let config = &self.file.topic[topic];
                let own = config.sets.contains_key(name);
                if !own && !self.file.sets.contains_key(name) {
                    let known: Vec<String> =
                        config.sets.keys().chain(self.file.sets.keys()).map(|name| format!("${name}")).collect();
                    let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
                    let message = format!("no set is called `${name}`; known here: {known}");
                    faults.push(Fault { at: at.0.clone(), message });
                    return None;
                }
                let atoms = self.set(&(own.then_some(topic), name.clone()), &mut Vec::new())?;
                if atoms.is_empty() {
                    let message = format!("the set `${name}` has no entries, so this can never match; add terms to it");
                    faults.push(Fault { at: at.0.clone(), message });
                    return None;
                }
                Plan::Any(atoms)
            }
            Query::Or(any) => Plan::Or(self.plans(topic, any, faults)?),
            Query::And { all, none } => {
                // Both, so that the faults of both are told.
                let (all, none) = (self.plans(topic, all, faults), self.plans(topic, none, faults));
                Plan::And { all: all?, none: none? }
            }
            Query::Near { first, then } => {
                let first = self.plan(topic, first, faults);
                let rest: Vec<_> = then.iter().map(|(near, tree)| (*near, self.plan(topic, tree, faults))).collect();
                let rest: Option<Vec<_>> = rest.into_iter().map(|(near, plan)| Some((near, plan?))).collect();
                Plan::Near { first: Box::new(first?), then: rest? }
            }
            Query::In(part, tree) => Plan::In(*part, Box::new(self.plan(topic, tree, faults)?)),
            Query::Test { field, value } => Plan::Test { field: *field, value: value.clone() },
        })
    }

    fn plans(&mut self, topic: usize, trees: &[Query], faults: &mut Vec<Fault>) -> Option<Vec<Plan>> {
        let plans: Vec<Option<Plan>> = trees.iter().map(|tree| self.plan(topic, tree, faults)).collect();
        plans.into_iter().collect()
    }

    pub(super) fn atom(&mut self, words: &[Term], gaps: u32) -> Option<Atom> {
        let numbers: Vec<u32> = words.iter().map(|term| self.terms.number(term.clone())).collect();
        match numbers.as_slice() {
            [] => None,
            [term] => Some(Atom::Term(*term)),
            _ => Some(Atom::Phrase(self.phrases.number(Phrase { words: numbers, gaps }))),
        }
    }

    /// The entries of a set and of those it includes; `path` is how it was reached.
    fn set(&mut self, key: &SetKey, path: &mut Vec<SetKey>) -> Option<Vec<Atom>> {
        if let Some(known) = self.sets.get(key) {
            return known.clone();
        }
        let (topic, name) = key;
        let own = topic.and_then(|topic| self.file.topic.get(topic)).map(|config| &config.sets);
        let entries = own.unwrap_or(&self.file.sets).get(name)?;
        path.push(key.clone());
        let (mut atoms, mut fine) = (BTreeSet::new(), true);
        for text in entries {
            let (entry, faults) = parse_entry(text.get_ref());
            fine &= faults.is_empty();
            self.tell(text, faults);
            match entry {
                Some(Entry::Words { words, gaps }) => atoms.extend(self.atom(&words, gaps)),
                Some(Entry::Include(other)) => {
                    let included = self.include(text, &other, own, *topic, path);
                    fine &= included.is_some();
                    atoms.extend(included.into_iter().flatten());
                }
                None => fine = false,
            }
        }
        path.pop();
        let set = fine.then(|| atoms.into_iter().collect::<Vec<_>>());
        self.sets.insert(key.clone(), set.clone());
        set
    }

    fn include(
        &mut self,
        text: &Spanned<String>,
        other: &str,
        own: Option<&Sets>,
        topic: Option<usize>,
        path: &mut Vec<SetKey>,
    ) -> Option<Vec<Atom>> {
        let is_own = own.is_some_and(|own| own.contains_key(other));
        let key = (topic.filter(|_| is_own), other.to_owned());
        let problem = if !is_own && !self.file.sets.contains_key(other) {
            format!("no set is called `${other}`; define it under [sets] or in the topic")
        } else if let Some(at) = path.iter().position(|step| *step == key) {
            let round: Vec<String> = path.iter().skip(at).chain([&key]).map(|(_, name)| format!("${name}")).collect();
            format!("the sets include one another in a circle: {}; take one of them out", round.join(" → "))
        } else if path.len() >= MAX_INCLUDES {
            format!("more than {MAX_INCLUDES} sets include one another in a row; list the terms in fewer sets")
        } else {
            return self.set(&key, path);
        };
        self.problems.push(Problem { span: locate(text, &(0..text.get_ref().len())), message: problem });
        None
    }

    /// For each topic the terms of which at least one must stand in an article; `None`: the gate asks for no word.
    fn triggers(&self, topics: &[Topic]) -> Vec<Option<BTreeSet<u32>>> {
        let none = || Some(BTreeSet::new());
        topics.iter().map(|topic| topic.gate.as_ref().map_or_else(none, |gate| self.trigger(gate))).collect()
    }

    fn trigger(&self, plan: &Plan) -> Option<BTreeSet<u32>> {
        let fewest = |plans: &mut dyn Iterator<Item = &Plan>| {
            plans.filter_map(|plan| self.trigger(plan)).min_by_key(BTreeSet::len)
        };
        match plan {
            Plan::Any(atoms) => Some(atoms.iter().filter_map(|atom| self.anchor(*atom)).collect()),
            Plan::Or(plans) => plans.iter().try_fold(BTreeSet::new(), |mut all, plan| {
                all.extend(self.trigger(plan)?);
                Some(all)
            }),
            Plan::And { all, .. } => fewest(&mut all.iter()),
            Plan::Near { first, then } => {
                fewest(&mut std::iter::once(&**first).chain(then.iter().map(|(_, plan)| plan)))
            }
            Plan::In(_, plan) => self.trigger(plan),
            Plan::Test { .. } => None,
        }
    }

    /// A term, or the longest word of a phrase, which is likely the rarest.
    fn anchor(&self, atom: Atom) -> Option<u32> {
        match atom {
            Atom::Term(term) => Some(term),
            Atom::Phrase(phrase) => {
                let words = &self.phrases.list.get(phrase as usize)?.words;
                words.iter().copied().max_by_key(|term| self.terms.list.get(*term as usize).map(Term::letters))
            }
        }
    }
}

/// Bytes of a string's value to bytes of the file.
pub(super) fn locate(text: &Spanned<String>, at: &Range<usize>) -> Range<usize> {
    let (span, value) = (text.span(), text.get_ref());
    // What one backslash each would have escaped; as many bytes more could also be a longer quotation mark.
    // Counted where it matters alone: a long query may have a fault in every word.
    let escapable = || value.chars().filter(|c| matches!(c, '"' | '\\') || c.is_control()).count();
    let offset = match span.len().checked_sub(value.len()) {
        Some(0) => 0,
        Some(2) => 1,
        Some(6) if escapable() != 4 => 3,
        // The line feed after an opening ''' is not part of the value.
        Some(7) if escapable() != 5 => 4,
        _ => return span,
    };
    if at.is_empty() && at.start >= value.len() {
        // "Here at the end" is shown on the closing quotation mark.
        let end = span.start + offset + value.len();
        return end..(end + 1).min(span.end.max(end));
    }
    span.start + offset + at.start..span.start + offset + at.end
}
