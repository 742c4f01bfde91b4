//! `rasid demo`: the whole daemon on sample sources.
//!
//! In: nothing. Out: a table of what became of the samples, and how to look further.
//! Promise: the same build, start and stop as `rasid run`, on a configuration that is written out and read as a user's
//! would be; everything stands in a temporary directory and goes with it.
//! Not here: what the sources say ([`super::samples`]), how the tables are made ([`report`]).

mod report;
mod scratch;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::net::TcpListener;

use super::samples::{self, Site};
use super::{environment, failed, output};
use crate::config::{self, Config};
use crate::daemon::{self, Mode, SOCKET, System};
use crate::pipeline::{Stop, now};
use crate::serve::{Files, bind_unix, serve_files};
use crate::store::{ItemQuery, Store};
use crate::telemetry;
use scratch::Scratch;

/// How long the samples may take. They take a second or two; a machine that is busy takes longer.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often is looked whether everything is stored.
const LOOK_EVERY: Duration = Duration::from_millis(50);

const TOPICS: &str = include_str!("../../../config/topics.toml");
const CORPUS: &[u8] = include_bytes!("../../../config/corpus/seed.pack");

/// Runs the demonstration; with `once` it ends when every sample is stored.
pub fn run(once: bool) -> ExitCode {
    let runtime = match super::run::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error).context("starting the runtime")),
    };
    let ended = runtime.block_on(demo(once));
    runtime.shutdown_timeout(Duration::from_secs(2));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn demo(once: bool) -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no port on loopback can be bound")?;
    let base = format!("http://{}", listener.local_addr()?);
    let site = samples::site(&base, now());
    let config = write_config(scratch.path(), &site)?;
    telemetry::init(&config.log, false, false).map_err(anyhow::Error::msg)?;

    let press = Stop::default();
    let told = press.clone();
    let files: Files = site.files.into_iter().map(|(path, file)| (path, (file.content_type, file.body))).collect();
    let press_room = tokio::spawn(serve_files(listener, files, async move { told.wait().await }));

    let deadline = config.shutdown.deadline.get();
    let (system, address) = start(config, scratch.path()).await?;
    let shown = show(&system, scratch.path(), &address, once).await;
    press.set();
    system.end(deadline).await?;
    press_room.await.context("the sample sources failed")??;
    shown
}

/// Waits for the samples, prints what became of them, and unless `once` is set stays until Ctrl-C.
async fn show(system: &System, dir: &Path, address: &str, once: bool) -> anyhow::Result<()> {
    let began = Instant::now();
    output::note(format_args!("polling {} sample sources on loopback …", samples::SOURCES));
    let state = system.state();
    wait(&state.store).await?;
    let took = began.elapsed();
    let feeds = state.loaded.borrow().feeds.clone();
    let store = state.store.clone();
    let text = tokio::task::spawn_blocking(move || report::write(&store, &feeds)).await??;
    output::print(&text)?;
    output::note(format_args!("everything was stored after {:.1} s", took.as_secs_f64()));
    if once {
        return Ok(());
    }
    output::note(report::further(dir, address));
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")
}

/// The configuration as a user would have it, written to `dir` and read back.
fn write_config(dir: &Path, site: &Site) -> anyhow::Result<Config> {
    let settings = "# Written by `rasid demo`.\n[store]\npath = \"data\"\ncache = \"16MiB\"\n\
                    [fetch]\nper_host = 8\nhost_gap = \"0ms\"\nallow_private = [\"127.0.0.1\"]\n\
                    [server]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"error\"\n";
    let write = |name: &str, content: &[u8]| {
        let path = dir.join(name);
        std::fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))
    };
    std::fs::create_dir(dir.join("corpus")).context("the corpus directory cannot be made")?;
    write("rasid.toml", settings.as_bytes())?;
    write("feeds.toml", site.feeds.as_bytes())?;
    write("topics.toml", TOPICS.as_bytes())?;
    write("corpus/seed.pack", CORPUS)?;
    config::load(dir, &environment).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the demo's own configuration is refused:\n{}", problems.join("\n"))
    })
}

/// Starts the daemon's loops and servers; the address of the HTTP interface.
async fn start(config: Config, dir: &Path) -> anyhow::Result<(System, String)> {
    let again = dir.to_owned();
    let reload = Box::new(move || config::load(&again, &environment));
    let (config, built) = tokio::task::spawn_blocking(move || {
        let built = daemon::build(&config);
        built.map(|built| (config, built))
    })
    .await??;
    let socket = bind_unix(&config.store.path.join(SOCKET))?;
    let tcp = TcpListener::bind(config.server.listen).await.context("no port on loopback can be bound")?;
    let address = tcp.local_addr()?.to_string();
    let mut system = System::start(&config, built, Mode::Automatic, reload);
    system.serve(socket, Some((tcp, config.server.clone())));
    Ok((system, address))
}

/// Returns once every source was polled and every entry of the samples is stored.
async fn wait(store: &Store) -> anyhow::Result<()> {
    let began = Instant::now();
    let expected = samples::expectations().len();
    loop {
        let store = store.clone();
        let stored = tokio::task::spawn_blocking(move || stored(&store)).await??;
        if stored >= expected {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            bail!("after {} s only {stored} of {expected} sample entries are stored", PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How many entries are stored; 0 while the broken source was not polled, which comes last.
fn stored(store: &Store) -> anyhow::Result<usize> {
    let broken = samples::BROKEN.parse().map_err(anyhow::Error::msg)?;
    if store.cursor(&broken)?.is_none() {
        return Ok(0);
    }
    let query = ItemQuery { duplicates: true, limit: crate::store::MAX_PAGE, ..ItemQuery::default() };
    Ok(store.items(&query)?.items.len())
}
