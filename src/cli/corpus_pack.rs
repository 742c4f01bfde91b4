//! `rasid corpus pack`: a folder of texts to a pack of fingerprints.
//!
//! In: a folder of `.txt`, `.html` and `.jsonl` files. Out: a pack, named after the file it is written to.
//! Promise: the same texts give the same bytes; a file that cannot be read or used is named, and nothing is written; a pack
//! that is there is replaced whole, so that a daemon that reads it meanwhile never sees half of one.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::{failed, output};
use crate::config::{Problem, corpora::texts_of};
use crate::dedup::corpus::Corpus;

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
    if !dir.is_dir() {
        bail!("{}: there is no such folder", dir.display());
    }
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    let texts = texts_of(dir, &mut problems, &mut notes);
    notes.iter().for_each(output::note);
    let Some(texts) = texts else {
        let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
        bail!("nothing was packed\n{}", problems.join("\n"));
    };
    let bytes = Corpus::pack(name, &texts)?;
    let mut beside = to.as_os_str().to_owned();
    beside.push(".new");
    if let Err(error) = std::fs::write(&beside, &bytes).and_then(|()| std::fs::rename(&beside, to)) {
        // Whatever was written of it is of no use; that it cannot be removed says less than why it was not finished.
        let _ = std::fs::remove_file(&beside);
        return Err(error).with_context(|| format!("{} cannot be written", to.display()));
    }
    output::note(format_args!(
        "{}: {} packed, {} bytes",
        to.display(),
        output::count(texts.len(), "text"),
        bytes.len()
    ));
    Ok(())
}
