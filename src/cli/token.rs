//! `rasid token`: who may ask the interface over TCP.
//!
//! In: names, scopes, a time. Out: a token, shown this once; a list of those that are; one less.
//! Promise: no daemon is needed, and a running one knows of it within a second. The token itself goes to standard output
//! alone, so that `rasid token add NAME > file` keeps it.
//! Not here: the file ([`crate::serve::TokenFile`]).

use std::path::Path;

use clap::Subcommand;
use jiff::SignedDuration;
use serde_json::json;

use super::output::{self, Screen};
use super::table::{Column, Fit, render};
use crate::serve::{Scope, Token, TokenFile};
use crate::units::Span;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Makes a token and shows it, once
    Add {
        /// What to call it
        #[arg(value_name = "NAME")]
        name: String,
        /// What it may do: read, consume (read, and keep a place in the log), admin (everything)
        #[arg(long, value_name = "SCOPE", value_delimiter = ',', default_value = "read")]
        scope: Vec<Scope>,
        /// How long it is good for, such as 90d; without it, until it is revoked
        #[arg(long, value_name = "TIME")]
        expires: Option<Span>,
    },
    /// Lists the tokens: their names, what they may do, when they were used
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes a token away
    Revoke {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// `store` is the store's folder.
pub(super) fn run(store: &Path, command: Command) -> anyhow::Result<()> {
    let file = TokenFile::of(store);
    match command {
        Command::Add { name, scope, expires } => {
            let now = output::now();
            let until = |span: Span| now.checked_add(SignedDuration::try_from(span.get()).ok()?).ok();
            let expires = match expires {
                Some(span) => Some(until(span).ok_or_else(|| anyhow::anyhow!("`{span}` is too long a time"))?),
                None => None,
            };
            let secret = file.add(&name, &scope, expires, now).map_err(anyhow::Error::msg)?;
            output::print(&format!("{secret}\n"))?;
            output::note("this is the only time that it is shown; send it as `Authorization: Bearer …`");
            Ok(())
        }
        Command::List { json } => {
            let tokens = file.read().map_err(anyhow::Error::msg)?;
            if json { output::print_json(&tokens.iter().map(view).collect::<Vec<_>>()) } else { list(&tokens) }
        }
        Command::Revoke { name } => match file.revoke(&name).map_err(anyhow::Error::msg)? {
            true => {
                output::note(format_args!("the token `{name}` opens nothing any more"));
                Ok(())
            }
            false => anyhow::bail!("there is no token `{name}`; `rasid token list` shows those that are"),
        },
    }
}

/// Without the hash.
fn view(token: &Token) -> serde_json::Value {
    let Token { name, scopes, created, expires, last_used, .. } = token;
    json!({ "name": name, "scopes": scopes, "created": created, "expires": expires, "last_used": last_used })
}

fn list(tokens: &[Token]) -> anyhow::Result<()> {
    if tokens.is_empty() {
        output::note("there is no token; make one with `rasid token add NAME`");
        return Ok(());
    }
    let columns = [
        Column("name", Fit::Cut),
        Column("scopes", Fit::Whole),
        Column("made", Fit::Whole),
        Column("expires", Fit::Whole),
        Column("last used", Fit::Whole),
    ];
    let now = output::now();
    let row = |token: &Token| {
        let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
        let expires = match token.expires {
            Some(_) if token.is_expired(now) => "expired".to_owned(),
            expires => expires.map_or_else(|| "never".to_owned(), day),
        };
        vec![
            token.name.clone(),
            token.scopes.iter().map(Scope::to_string).collect::<Vec<_>>().join(","),
            day(token.created),
            expires,
            token.last_used.map_or_else(|| "never".to_owned(), |day| day.to_string()),
        ]
    };
    Ok(output::print(&render(Screen::stdout(), &columns, &tokens.iter().map(row).collect::<Vec<_>>()))?)
}
