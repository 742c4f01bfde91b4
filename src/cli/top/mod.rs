//! `rasid top`: the daemon at work, on the whole terminal.
//!
//! In: what the interface tells of feeds, consumers, the store and the search index, every two seconds; keys. Out: a screen.
//! Promise: reads and changes nothing; a daemon that goes away is said so and looked for, and the last that is known stays; the
//! terminal is left as it was found. What feeds say steers nothing: the screen takes letters alone.
//! Not here: what the screen looks like ([`view`]), what a key does ([`keys`]).

mod keys;
mod sample;
mod view;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Context;
use clap::Args as ClapArgs;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::output;
use super::{Here, WrongUsage};
use crate::client::Client;
use crate::units::Span;

use keys::{Look, Next};
use sample::{Sample, Watched};

/// How long a key is waited for before it is looked whether anybody still wants one.
const LISTEN: Duration = Duration::from_millis(100);

/// How often.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// How often it is looked: `500ms`, `2s`, `1m`
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = every)]
    every: Duration,
}

fn every(text: &str) -> Result<Duration, String> {
    let span = text.parse::<Span>().map_err(|error| error.to_string())?;
    let (least, most) = (Duration::from_millis(200), Duration::from_secs(3_600));
    if (least..=most).contains(&span.get()) { Ok(span.get()) } else { Err("write a time from 200ms to 1h".to_owned()) }
}

pub(super) async fn run(here: &Here, args: &Args) -> anyhow::Result<()> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        let say = "it needs a terminal; `rasid status --json` and `rasid feeds list --json` tell the same to programs";
        return Err(WrongUsage(say.to_owned()).into());
    }
    let client = Client::unix(here.socket())?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut terminal = ratatui::try_init().context("the terminal cannot be taken over")?;
    let (pressed, keys) = mpsc::channel(16);
    let listening = tokio::task::spawn_blocking({
        let stop = Arc::clone(&stop);
        move || listen(&stop, &pressed)
    });
    let ended = watch(&mut terminal, &client, args.every, keys).await;
    stop.store(true, Relaxed);
    let heard = listening.await;
    ratatui::restore();
    ended.and(heard.context("reading keys failed")?.context("reading keys failed"))
}

/// Hands on what is typed, until it is told to stop or nobody takes it.
fn listen(stop: &AtomicBool, pressed: &mpsc::Sender<event::Event>) -> io::Result<()> {
    while !stop.load(Relaxed) {
        if event::poll(LISTEN)? && pressed.blocking_send(event::read()?).is_err() {
            break;
        }
    }
    Ok(())
}

async fn watch(
    terminal: &mut DefaultTerminal,
    client: &Client,
    every: Duration,
    mut keys: mpsc::Receiver<event::Event>,
) -> anyhow::Result<()> {
    let mut told_to_end = signal(SignalKind::terminate())?;
    let mut look = Look::new(output::colored(true));
    let mut watched = Watched::new(client.place());
    let mut sampling = Box::pin(after(Duration::ZERO, client));
    loop {
        terminal.draw(|frame| view::draw(frame, &watched, &mut look, output::now()))?;
        tokio::select! {
            key = keys.recv() => match key.map(|event| look.take(&event)) {
                Some(Next::Stay) => {}
                // Without anybody who listens for keys there is no way to end it.
                Some(Next::End) | None => return Ok(()),
            },
            sample = &mut sampling => {
                watched.learn(sample);
                sampling = Box::pin(after(every, client));
            }
            _ = told_to_end.recv() => return Ok(()),
        }
    }
}

async fn after(wait: Duration, client: &Client) -> Result<Sample, String> {
    tokio::time::sleep(wait).await;
    Sample::take(client, output::now).await.map_err(|error| error.to_string())
}
