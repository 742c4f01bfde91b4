//! `corpus/`: packs, and folders of texts, to what new texts are compared with.
//!
//! In: a directory with `NAME.pack` files and `NAME/` folders. Out: loaded [`Corpora`]; for packing, the texts of one folder.
//! Promise: a folder gives the same corpus as the pack that is made of it; every file that cannot be used is named, with
//! what to do; what is passed over is noted.
//! Not here: the format of packs and of texts ([`crate::dedup::corpus`]).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::report::Problem;
use crate::dedup::Fingerprint;
use crate::dedup::corpus::{Corpora, Corpus, CorpusText, documents_of};
use crate::text::decode::{Hints, decode};

/// The files that texts are read from, by the ends of their names.
const TEXTS: [&str; 5] = ["txt", "html", "htm", "jsonl", "ndjson"];

/// What a directory holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// By name.
    pub(super) corpora: Vec<Corpus>,
    /// The names of what cannot be used, and why.
    pub(super) unusable: Vec<(String, String)>,
    sound: bool,
}

impl Found {
    /// What was loaded; none where anything could not be.
    pub(super) fn loaded(self) -> Option<Corpora> {
        self.sound.then(|| Corpora::new(self.corpora))
    }
}

/// Loads every pack and every folder of the directory. Without the directory there is none.
pub(super) fn read(dir: &Path, problems: &mut Vec<Problem>, notes: &mut Vec<Problem>) -> Found {
    let before = problems.len();
    let mut unusable = Vec::new();
    let mut corpora: BTreeMap<String, (PathBuf, Corpus)> = BTreeMap::new();
    for path in entries(dir, problems) {
        let known = problems.len();
        let corpus = if path.is_dir() {
            from_folder(&path, problems, notes)
        } else if ends_with(&path, &["pack"]) {
            from_pack(&path, problems)
        } else {
            if ends_with(&path, &TEXTS) {
                notes.push(Problem::of_file(
                    &path,
                    "this text is not read: a corpus is a folder of texts, so put it into one, whose name is the corpus's",
                ));
            }
            None
        };
        let Some(corpus) = corpus else {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            unusable.extend(problems.get(known).map(|problem| (name, problem.message.clone())));
            continue;
        };
        match corpora.get(&corpus.name) {
            Some((known, _)) => {
                let message = format!(
                    "there is a corpus named `{}` already: {}; remove or rename one of them",
                    corpus.name,
                    known.display()
                );
                problems.push(Problem::of_file(&path, message));
            }
            None => {
                corpora.insert(corpus.name.clone(), (path, corpus));
            }
        }
    }
    let corpora = corpora.into_values().map(|(_, corpus)| corpus).collect();
    Found { corpora, unusable, sound: problems.len() == before }
}

fn from_pack(file: &Path, problems: &mut Vec<Problem>) -> Option<Corpus> {
    let read = std::fs::read(file).map_err(|error| format!("this pack cannot be read: {error}"));
    match read.and_then(|bytes| Corpus::read(&bytes).map_err(|error| error.of_file(&file.to_string_lossy()))) {
        Ok(corpus) => Some(corpus),
        Err(message) => {
            problems.push(Problem::of_file(file, message));
            None
        }
    }
}

fn from_folder(folder: &Path, problems: &mut Vec<Problem>, notes: &mut Vec<Problem>) -> Option<Corpus> {
    let texts = texts_of(folder, problems, notes)?;
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match Corpus::of(name, &texts) {
        Ok(corpus) => Some(corpus),
        Err(error) => {
            problems.push(Problem::of_file(folder, error.to_string()));
            None
        }
    }
}

/// The texts of a folder, whatever the order in which the file system lists them. Blocking. `None` where one of them cannot
/// be used, or there is none, which is then among `problems`; files that are passed over are among `notes`.
pub fn texts_of(folder: &Path, problems: &mut Vec<Problem>, notes: &mut Vec<Problem>) -> Option<Vec<CorpusText>> {
    let before = problems.len();
    let mut texts: Vec<CorpusText> = Vec::new();
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for file in entries(folder, problems) {
        if !ends_with(&file, &TEXTS) || file.is_dir() {
            if !is_readme(&file) {
                let what = if file.is_dir() { "folder" } else { "file" };
                let message = format!("this {what} is not read: a corpus is made of .txt, .html and .jsonl files");
                notes.push(Problem::of_file(&file, message));
            }
            continue;
        }
        match documents(&file) {
            Ok(read) => {
                for text in read {
                    if let Some(other) = files.insert(text.id.clone(), file.clone()) {
                        let message = match other == file {
                            true => format!("two of its documents are called `{}`; rename one of them", text.id),
                            false => {
                                format!("{} holds a document `{}` too; rename one of them", other.display(), text.id)
                            }
                        };
                        problems.push(Problem::of_file(&file, message));
                    }
                    texts.push(text);
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if texts.is_empty() && problems.len() == before {
        let message =
            "there is no .txt, .html or .jsonl file with a text in this folder; add one, or remove the folder";
        problems.push(Problem::of_file(folder, message));
    }
    (problems.len() == before).then_some(texts)
}

/// The documents of one file, each with words.
fn documents(file: &Path) -> Result<Vec<CorpusText>, Problem> {
    let problem = |message: String| Problem::of_file(file, message);
    let bytes = std::fs::read(file).map_err(|error| problem(format!("this file cannot be read: {error}")))?;
    let marked = [b"\xff\xfe".as_slice(), b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark));
    if !marked && bytes.contains(&0) {
        return Err(problem("this is no text: it holds zero bytes; remove it, or save it as UTF-8".to_owned()));
    }
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
        return Err(problem("the name of this file is not UTF-8; rename it".to_owned()));
    };
    let documents =
        documents_of(name, &decode(&bytes, Hints::default()).text).map_err(|error| problem(error.to_string()))?;
    let empty = documents.iter().find(|text| Fingerprint::of(&text.title, &text.text).content.is_none());
    match empty {
        Some(_) if !ends_with(file, &TEXTS[3..]) => {
            Err(problem("there are no words in this file; remove it, or check its encoding".to_owned()))
        }
        Some(text) => Err(problem(format!("the document `{}` has no words; remove it", text.id))),
        None => Ok(documents),
    }
}

/// What stands in a folder, hidden files left out, by name, so that problems come in the same order everywhere.
fn entries(dir: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(dir).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = match listed {
        Ok(paths) => paths,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            problems.push(Problem::of_file(dir, format!("this folder cannot be read: {error}")));
            Vec::new()
        }
    };
    paths.retain(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    paths.sort();
    paths
}

fn ends_with(file: &Path, ends: &[&str]) -> bool {
    file.extension().is_some_and(|end| ends.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

fn is_readme(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("readme"))
}
