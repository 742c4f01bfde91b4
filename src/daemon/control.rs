//! What readers may ask of the running system: poll now, read the configuration again.
//!
//! In: [`Control`] messages and SIGHUP. Out: wishes for the scheduler, a replaced [`Loaded`].
//! Promise: a wrong configuration is refused whole, with its reasons, and the old one goes on (trap T24).

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::loaded;
use crate::config::{Config, Problem};
use crate::pipeline::Stop;
use crate::pipeline::schedule::PollNow;
use crate::serve::{Control, Loaded};

/// Reads the configuration again.
pub type Reload = Box<dyn Fn() -> Result<Config, Vec<Problem>> + Send + Sync>;

/// Answers until the stop.
pub(super) async fn run(
    mut control: mpsc::Receiver<Control>,
    wishes: mpsc::Sender<PollNow>,
    current: watch::Sender<Arc<Loaded>>,
    reload: Reload,
    stop: Stop,
) -> anyhow::Result<()> {
    let reload = Arc::new(reload);
    loop {
        let message = tokio::select! {
            biased;
            () = stop.wait() => return Ok(()),
            message = control.recv() => message,
        };
        match message {
            None => return Ok(()),
            Some(Control::Poll { feed, answer }) => {
                if let Err(mpsc::error::TrySendError::Full(wish)) = wishes.try_send(PollNow { feed, answer }) {
                    let _gone = wish.answer.send(Err("too many polls are asked for at once; try again".to_owned()));
                }
            }
            Some(Control::Reload { answer }) => {
                let reload = reload.clone();
                let result = tokio::task::spawn_blocking(move || reload()).await;
                let answered = match result {
                    Ok(Ok(config)) => Ok(replace(&current, &config)),
                    Ok(Err(problems)) => Err(problems.iter().map(Problem::to_string).collect()),
                    Err(panic) => Err(vec![format!("reading the configuration failed: {panic}")]),
                };
                log(&answered);
                let _gone = answer.send(answered);
            }
        }
    }
}

fn replace(current: &watch::Sender<Arc<Loaded>>, config: &Config) -> String {
    let new = loaded(config);
    let enabled = new.feeds.iter().filter(|feed| feed.enabled).count();
    let summary =
        format!("{} feeds ({enabled} enabled) and {} topics are in force", new.feeds.len(), new.topics.ids().count());
    current.send_replace(Arc::new(new));
    summary
}

fn log(answered: &Result<String, Vec<String>>) {
    match answered {
        Ok(summary) => tracing::info!("configuration read again: {summary}; changes to rasid.toml need a restart"),
        Err(problems) => {
            for problem in problems {
                tracing::error!("{problem}");
            }
            tracing::error!("the configuration has {} problem(s) and is refused; the old one goes on", problems.len());
        }
    }
}

/// A reload that nobody waits for the answer of: the log tells it.
pub(super) async fn reload_on_signal(control: &mpsc::Sender<Control>) {
    let (answer, _nobody) = oneshot::channel();
    let _ended = control.send(Control::Reload { answer }).await;
}
