//! What readers may ask of the running system: poll now, learn, correct a verdict, pin, prune, move a consumer, reclassify,
//! read the configuration again.
//!
//! In: [`Control`] messages and SIGHUP. Out: wishes for the scheduler, the teacher and the
//! committer; a replaced [`Loaded`].
//! Promise: a wrong configuration is refused whole, with its reasons, and the old one goes on (trap T24).

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::loaded;
use crate::config::{Config, Problem};
use crate::pipeline::Stop;
use crate::pipeline::commit::Order;
use crate::pipeline::learn::Request;
use crate::pipeline::schedule::PollNow;
use crate::serve::{Control, Loaded};
use crate::store::ConsumeError;

/// Reads the configuration again.
pub type Reload = Box<dyn Fn() -> Result<Config, Vec<Problem>> + Send + Sync>;

/// The loops that do what is asked.
pub(super) struct Reached {
    pub(super) wishes: mpsc::Sender<PollNow>,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) orders: mpsc::Sender<Order>,
}

/// What is said where a loop has more to do than it can take in.
const TOO_MUCH: &str = "too much is asked for at once; try again";

/// Answers until the stop.
pub(super) async fn run(
    mut control: mpsc::Receiver<Control>,
    reached: Reached,
    current: Arc<watch::Sender<Arc<Loaded>>>,
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
                if let Err(mpsc::error::TrySendError::Full(wish)) = reached.wishes.try_send(PollNow { feed, answer }) {
                    let _gone = wish.answer.send(Err("too many polls are asked for at once; try again".to_owned()));
                }
            }
            Some(Control::Judge { topic, said, forgotten, answer }) => {
                let request = Request { topic, said, forgotten, answer };
                if let Err(mpsc::error::TrySendError::Full(request)) = reached.requests.try_send(request) {
                    let _gone = request.answer.send(Err(TOO_MUCH.to_owned()));
                }
            }
            Some(Control::Correct { correcting, answer }) => {
                let order = Order::Correct { correcting, answer };
                if let Err(mpsc::error::TrySendError::Full(Order::Correct { answer, .. })) =
                    reached.orders.try_send(order)
                {
                    let _gone = answer.send(Err(TOO_MUCH.to_owned()));
                }
            }
            Some(Control::Pin { item, pinned, why, answer }) => {
                let order = Order::Pin { item, pinned, why, answer };
                if let Err(mpsc::error::TrySendError::Full(Order::Pin { answer, .. })) = reached.orders.try_send(order)
                {
                    let _gone = answer.send(Err(TOO_MUCH.to_owned()));
                }
            }
            Some(Control::Prune { before, answer }) => {
                let order = Order::Prune { before, answer };
                if let Err(mpsc::error::TrySendError::Full(Order::Prune { answer, .. })) =
                    reached.orders.try_send(order)
                {
                    let _gone = answer.send(Err(TOO_MUCH.to_owned()));
                }
            }
            Some(Control::Import { import, answer }) => {
                let order = Order::Import { import, answer };
                if let Err(mpsc::error::TrySendError::Full(Order::Import { answer, .. })) =
                    reached.orders.try_send(order)
                {
                    let _gone = answer.send(Err(TOO_MUCH.to_owned()));
                }
            }
            Some(Control::Consume { asked, answer }) => {
                let order = Order::Consume { asked, answer };
                if let Err(mpsc::error::TrySendError::Full(Order::Consume { answer, .. })) =
                    reached.orders.try_send(order)
                {
                    let _gone = answer.send(Err(ConsumeError::Failed(TOO_MUCH.to_owned())));
                }
            }
            Some(Control::Reclassify { topic, since, answer }) => {
                let order = Order::Reclassify { topic, since, answer };
                if let Err(mpsc::error::TrySendError::Full(Order::Reclassify { answer, .. })) =
                    reached.orders.try_send(order)
                {
                    let _gone = answer.send(Err(TOO_MUCH.to_owned()));
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
    let enabled = config.feeds.iter().filter(|feed| feed.enabled).count();
    let (feeds, topics) = (config.feeds.len(), config.topics.ids().count());
    let mut changed = false;
    // Topics may be learning: what they have learned until now is taken over, nothing of it is lost.
    current.send_modify(|current| {
        // What sinks there are does not change before the next start.
        let new = Loaded { sinks: current.sinks.clone(), ..loaded(config, Arc::clone(&current.taught)) };
        changed = new.topics.version() != current.topics.version();
        *current = Arc::new(new);
    });
    let stale = if changed { "; stored items keep their topics until `rasid topics reclassify`" } else { "" };
    format!("{feeds} feeds ({enabled} enabled) and {topics} topics are in force{stale}")
}

fn log(answered: &Result<String, Vec<String>>) {
    match answered {
        Ok(summary) => tracing::info!(
            "configuration read again: {summary}; of rasid.toml only the retention, the rest needs a restart"
        ),
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
