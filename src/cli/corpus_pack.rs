//! `rasid corpus pack`: a folder of texts to a pack of fingerprints.
//!
//! In: a folder of `.txt`, `.html` and `.jsonl` files. Out: a pack, named after the file it is written to.
//! Promise: the same texts give the same bytes; a file that cannot be read or used is named, and nothing is written.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::{failed, output};
use crate::dedup::corpus::{Corpus, documents_of};
use crate::text::decode::{Hints, decode};

/// Writes the pack of the texts in `dir` to `output`.
pub fn run(dir: &Path, output: &Path) -> ExitCode {
    match pack(dir, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn pack(dir: &Path, to: &Path) -> anyhow::Result<()> {
    let name = to
        .file_stem()
        .and_then(|stem| stem.to_str())
        .context("-o FILE: the file's name names the corpus, so it needs one")?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .with_context(|| format!("{}: the folder cannot be read", dir.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .with_context(|| format!("{}: the folder cannot be read", dir.display()))?;
    // The order of a folder is the file system's; a pack is the same everywhere.
    files.sort();
    let mut texts = Vec::new();
    for file in files.iter().filter(|file| is_text(file)) {
        let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let content = decode(&bytes, Hints::default()).text;
        let file_name = file
            .file_name()
            .and_then(|name| name.to_str())
            .with_context(|| format!("{}: the name is not UTF-8", file.display()))?;
        texts.extend(documents_of(file_name, &content).with_context(|| file.display().to_string())?);
    }
    if texts.is_empty() {
        bail!("{}: there is no .txt, .html or .jsonl file in this folder", dir.display());
    }
    let bytes = Corpus::pack(name, &texts)?;
    std::fs::write(to, &bytes).with_context(|| format!("{} cannot be written", to.display()))?;
    output::note(format_args!(
        "{}: {} packed, {} bytes",
        to.display(),
        output::count(texts.len(), "text"),
        bytes.len()
    ));
    Ok(())
}

fn is_text(file: &Path) -> bool {
    file.extension().is_some_and(|extension| ["txt", "html", "jsonl"].iter().any(|known| extension == *known))
}
