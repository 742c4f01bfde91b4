//! `rasid completions` and `rasid man`: what a shell and `man` need to know of the command line.
//!
//! In: the command line as clap has it. Out: a script on standard output; pages of the manual, one a command.
//! Promise: made of the definitions that parse the arguments, so that neither can lag behind; needs no configuration.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::output::{self, count};

/// For which shell.
#[derive(Debug, ClapArgs)]
pub(super) struct Completions {
    /// The shell; of bash: source <(rasid completions bash)
    #[arg(value_enum)]
    shell: Shell,
}

/// Where the pages go.
#[derive(Debug, ClapArgs)]
pub(super) struct Manual {
    /// The folder for the pages of all commands; without one, the first page goes to standard output
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn completions(args: &Completions) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "rasid", &mut script);
    output::print_raw(&script)
}

pub(super) fn manual(args: &Manual) -> anyhow::Result<()> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        Man::new(commands()).render(&mut page)?;
        return output::print_raw(&page);
    };
    let written = write(dir).with_context(|| format!("{}: the pages cannot be written", dir.display()))?;
    output::note(format_args!(
        "{} in {}; man -l {}",
        count(written, "page"),
        dir.display(),
        dir.join("rasid.1").display()
    ));
    Ok(())
}

fn commands() -> clap::Command {
    // `rasid help COMMAND` says what `COMMAND --help` says; a page of it says nothing.
    let mut commands = super::Cli::command().disable_help_subcommand(true);
    commands.build();
    commands
}

/// Writes a page for every command, `rasid-feeds-add.1` for `rasid feeds add`, and says how many.
fn write(dir: &Path) -> io::Result<usize> {
    fs::create_dir_all(dir)?;
    let mut left = vec![commands()];
    let mut written = 0;
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|command| !command.is_hide_set()).cloned());
        Man::new(command).generate_to(dir)?;
        written += 1;
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command, as it is typed.
    fn typed(command: &clap::Command, before: &str, all: &mut Vec<String>) {
        let name =
            if before.is_empty() { command.get_name().to_owned() } else { format!("{before} {}", command.get_name()) };
        command
            .get_subcommands()
            .filter(|command| command.get_name() != "help")
            .for_each(|below| typed(below, &name, all));
        all.push(name);
    }

    #[test]
    fn every_command_has_a_page_that_tells_all_its_options() {
        let dir = tempfile::tempdir().unwrap();
        let written = write(dir.path()).unwrap();
        let mut all = Vec::new();
        let root = super::super::Cli::command();
        typed(&root, "", &mut all);
        assert_eq!(written, all.len());
        assert!(all.len() > 50 && all.contains(&"rasid feeds add".to_owned()), "{all:?}");
        for name in all {
            let page = fs::read_to_string(dir.path().join(format!("{}.1", name.replace(' ', "-")))).expect(&name);
            let path: Vec<&str> = name.split(' ').skip(1).collect();
            let command = path.iter().fold(&root, |command, name| command.find_subcommand(name).unwrap());
            for option in command.get_arguments().filter_map(|argument| argument.get_long()) {
                assert!(page.contains(&format!("\\-\\-{}", option.replace('-', "\\-"))), "{name}: --{option}\n{page}");
            }
        }
    }
}
