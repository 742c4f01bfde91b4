//! Who is polled next, by a clock that the tests hold.

use jiff::SignedDuration;
use url::Url;

use super::*;
use crate::source::{PollError, PollOutcome, Severity};
use crate::store::StoreConfig;

/// A schedule, with the other ends of its channels.
struct Bench {
    schedule: Schedule,
    jobs: mpsc::Receiver<Job>,
    loaded: watch::Sender<Arc<Loaded>>,
    _wishes: mpsc::Sender<PollNow>,
    _finished: mpsc::Sender<Finished>,
    writer: crate::store::Writer,
    _dir: tempfile::TempDir,
}

fn start() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn id(name: &str) -> FeedId {
    name.parse().unwrap()
}

fn feed(name: &str, url: &str) -> FeedConfig {
    FeedConfig::new(id(name), url.parse().unwrap())
}

fn loaded(feeds: &[FeedConfig]) -> Arc<Loaded> {
    Arc::new(Loaded { feeds: feeds.to_vec(), ..Loaded::default() })
}

impl Bench {
    fn new(feeds: &[FeedConfig], workers: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig { path: dir.path().join("data"), ..StoreConfig::default() };
        let (store, writer) = crate::store::open(&config).unwrap();
        let (sender, loaded) = watch::channel(loaded(feeds));
        let (job_sender, jobs) = mpsc::channel(workers);
        let (wish_sender, wishes) = mpsc::channel(1);
        let (finished_sender, finished) = mpsc::channel(1);
        let channels = Channels { jobs: job_sender, wishes, finished };
        Self {
            schedule: Schedule::new(store, loaded, channels, Stop::default(), true),
            jobs,
            loaded: sender,
            _wishes: wish_sender,
            _finished: finished_sender,
            writer,
            _dir: dir,
        }
    }

    /// What is handed out at that time.
    fn handed_out(&mut self, at: Timestamp) -> Vec<Job> {
        self.schedule.dispatch(at);
        std::iter::from_fn(|| self.jobs.try_recv().ok()).collect()
    }

    fn names(&mut self, at: Timestamp) -> Vec<String> {
        self.handed_out(at).into_iter().map(|job| job.feed.id.to_string()).collect()
    }

    fn finish(&mut self, job: &Job, next: Timestamp, error: bool) {
        let cursor = FeedCursor { next, ..job.cursor.clone() };
        let (kind, message, hint) = ("status".to_owned(), String::new(), String::new());
        let error = error.then_some(PollError { kind, message, hint, severity: Severity::Hard, retry_after: None });
        let outcome = PollOutcome { error, ..PollOutcome::default() };
        let poll = PollRecord { at: start(), took_ms: 1, outcome, next, rule: String::new() };
        self.schedule.finish(Finished { feed: job.feed.id.clone(), result: Ok((cursor, poll)) });
    }

    fn wish(&mut self, name: &str) -> oneshot::Receiver<Result<PollRecord, String>> {
        let (answer, told) = oneshot::channel();
        self.schedule.wish(PollNow { feed: id(name), answer });
        told
    }
}

#[tokio::test]
async fn t17_a_slow_host_with_many_feeds_holds_up_no_other() {
    let mut feeds: Vec<FeedConfig> =
        (0..20).map(|n| feed(&format!("slow-{n}"), &format!("https://slow.example/{n}"))).collect();
    feeds.push(feed("other", "https://other.example/"));
    let mut bench = Bench::new(&feeds, 4);
    bench.schedule.take_feeds(start()).await.unwrap();
    let out = bench.handed_out(later(30));
    let names: Vec<&str> = out.iter().map(|job| job.feed.id.as_str()).collect();
    assert_eq!(names, ["slow-0", "other"], "one of the host, and the other");
    assert!(bench.names(later(60)).is_empty(), "the host is busy");
    bench.finish(&out[0], later(900), false);
    assert_eq!(bench.names(later(60)), ["slow-1"]);
}

#[tokio::test]
async fn t11_all_are_due_within_seconds_of_the_start() {
    let feeds: Vec<FeedConfig> = (0..300).map(|n| feed(&format!("f{n}"), &format!("https://{n}.example/"))).collect();
    let mut bench = Bench::new(&feeds, 300);
    bench.schedule.take_feeds(start()).await.unwrap();
    let first = bench.names(start()).len();
    assert!((1..20).contains(&first), "{first} at once");
    assert_eq!(first + bench.names(later(21)).len(), 300);
}

#[tokio::test]
async fn what_falls_due_is_never_overslept() {
    let mut bench = Bench::new(&[feed("a", "https://a.example/")], 1);
    bench.schedule.take_feeds(start()).await.unwrap();
    let job = bench.handed_out(start()).remove(0);
    bench.finish(&job, later(5), false);
    assert_eq!(bench.schedule.dispatch(later(3)), Duration::from_secs(2));
    bench.finish(&job, later(7_200), false);
    assert!(bench.schedule.dispatch(later(3)) <= LOOK_AGAIN, "the machine may sleep, and its clock run on");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_stop_the_polls() {
    let mut bench = Bench::new(&[feed("a", "https://a.example/")], 1);
    bench.schedule.take_feeds(start()).await.unwrap();
    let year = 365 * 86_400;
    let job = bench.handed_out(later(year)).remove(0);
    bench.finish(&job, later(year + 900), false);
    assert!(bench.names(start()).is_empty());
    assert_eq!(bench.names(later(900)), ["a"], "its configured interval after the clock was put right");
}

#[tokio::test]
async fn a_stored_time_far_ahead_is_not_believed() {
    let a = feed("a", "https://a.example/");
    let mut bench = Bench::new(std::slice::from_ref(&a), 1);
    let cursor = FeedCursor::start(&a, later(365 * 86_400));
    let cursors = vec![(a.id.clone(), cursor, None)];
    bench.writer.commit(crate::store::Group { cursors, ..Default::default() }).unwrap();
    bench.schedule.take_feeds(start()).await.unwrap();
    assert_eq!(bench.names(later(900)), ["a"]);
}

#[tokio::test]
async fn wishes_are_answered_whatever_becomes_of_them() {
    let mut off = feed("off", "https://a.example/off");
    off.enabled = false;
    let mut bench = Bench::new(&[feed("on", "https://a.example/on"), off], 2);
    bench.schedule.take_feeds(start()).await.unwrap();
    let unknown = bench.wish("unknown");
    assert!(unknown.await.unwrap().unwrap_err().contains("there is no feed `unknown`"));
    // Its host is busy with the other: it waits, and comes next.
    let on = bench.handed_out(start()).remove(0);
    let (first, second) = (bench.wish("off"), bench.wish("off"));
    assert!(bench.names(start()).is_empty());
    bench.finish(&on, later(900), false);
    let job = bench.handed_out(start()).remove(0);
    assert_eq!(job.feed.id.as_str(), "off", "a feed that is switched off can be polled by hand");
    bench.finish(&job, later(900), false);
    assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok());
    assert!(bench.names(later(5_000)).iter().all(|name| name != "off"), "but only by hand");

    let stopped = bench.wish("on");
    bench.schedule.finish(Finished { feed: id("on"), result: Err("stopped".to_owned()) });
    assert_eq!(stopped.await.unwrap(), Err("stopped".to_owned()));
    let removed = bench.wish("off");
    bench.loaded.send_replace(loaded(&[feed("on", "https://a.example/on")]));
    bench.schedule.take_feeds(start()).await.unwrap();
    assert!(removed.await.unwrap().unwrap_err().contains("not configured any more"));
    let dropped = bench.wish("on");
    drop(bench);
    assert!(dropped.await.is_err(), "the end answers, too");
}

#[tokio::test]
async fn a_move_outlives_a_restart_and_ends_with_another_configured_address() {
    let a = feed("a", "https://a.example/");
    let moved: Url = "https://moved.example/".parse().unwrap();
    let mut bench = Bench::new(std::slice::from_ref(&a), 1);
    let mut cursor = FeedCursor::start(&a, start());
    cursor.moved_to = Some(moved.clone());
    cursor.moved_from = Some(a.url.clone());
    cursor.validators_url = Some(moved.clone());
    cursor.validators.etag = Some("\"1\"".into());
    bench
        .writer
        .commit(crate::store::Group { cursors: vec![(a.id.clone(), cursor, None)], ..Default::default() })
        .unwrap();
    bench.schedule.take_feeds(start()).await.unwrap();
    let mut job = bench.handed_out(start()).remove(0);
    assert_eq!(job.cursor.address(&job.feed), &moved);
    assert!(!job.cursor.validators_for(&moved).is_empty(), "no full answer for a mere start");
    // Changed while the poll is out: it was the address of before that has moved.
    bench.loaded.send_replace(loaded(&[feed("a", "https://new.example/")]));
    bench.schedule.take_feeds(later(11)).await.unwrap();
    bench.finish(&job, later(20), false);
    job = bench.handed_out(later(20)).remove(0);
    let address = job.cursor.address(&job.feed);
    assert_eq!(address.as_str(), "https://new.example/");
    assert!(job.cursor.validators_for(address).is_empty());
}
