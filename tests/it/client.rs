//! The client of the library, against a running daemon over both doors, and against a stream that breaks.

use std::sync::Arc;
use std::time::Duration;

use rasid::client::{Client, Error, Event, Filter, Start, Wanted};
use rasid::id::{ConsumerName, Seq};
use rasid::item::LogKind;
use serde_json::{Value, json};

use crate::newsroom::{Answer, Numbered, Server};
use crate::rasid::{Daemon, Home};

const TOKEN: &str = "a-token-of-the-client-that-nobody-guesses";
const NOW: Duration = Duration::ZERO;

struct World {
    numbered: Numbered,
    home: Home,
    address: String,
    daemon: Option<Daemon>,
}

impl World {
    fn new(items: usize) -> Self {
        let numbered = Numbered::new(items);
        let home = Home::new("", &numbered.feeds());
        let address = home.listens(TOKEN);
        let mut world = Self { numbered, home, address, daemon: None };
        world.start();
        world.publish(items);
        world
    }

    fn start(&mut self) {
        self.daemon = Some(self.home.quiet_daemon());
        self.home.wait_until_it_answers();
    }

    fn publish(&self, items: usize) {
        self.numbered.publish(items);
        self.home.ok(&["feeds", "poll", "nabd"]);
    }

    fn doors(&self) -> [Client; 2] {
        let socket = self.home.path("data/rasid.sock");
        [Client::unix(socket).unwrap(), Client::http(&self.address, Some(TOKEN)).unwrap()]
    }
}

#[tokio::test]
async fn both_doors_answer_what_the_types_say() {
    let world = World::new(7);
    for (client, name) in world.doors().into_iter().zip(["socket", "tcp"]) {
        let name: ConsumerName = name.parse().unwrap();
        let wanted = Wanted { limit: Some(3), feed: Some("nabd".to_owned()), ..Wanted::default() };
        let first = client.items(&wanted).await.unwrap();
        let second = client.items(&Wanted { cursor: first.next.clone(), ..wanted }).await.unwrap();
        assert_eq!((first.items.len(), second.items.len()), (3, 3));
        assert!(first.items.iter().all(|item| second.items.iter().all(|other| other.id != item.id)));
        let item = client.item(&first.items[0].id.to_string()).await.unwrap();
        assert_eq!(item, first.items[0]);
        assert_eq!(client.item(&item.seq.to_string()).await.unwrap().id, item.id);

        let reading = client.log(Seq(2), &Filter::default(), 3, NOW).await.unwrap();
        assert_eq!((reading.records.len(), reading.last), (3, Seq(5)));
        let none: Filter = serde_json::from_value(json!({ "feeds": ["other"], "kinds": ["new"] })).unwrap();
        assert!(client.log(Seq(0), &none, 9, NOW).await.unwrap().records.is_empty());

        let made = client.make_consumer(&name, &Filter::default(), Start::After(Seq(4)), "test").await.unwrap();
        assert_eq!((made.offset, made.lag), (Seq(4), 3));
        for _ in 0..2 {
            assert_eq!(client.read(&name, 2, NOW).await.unwrap().next, Seq(6));
        }
        assert_eq!(client.ack(&name, Seq(6)).await.unwrap().lag, 1);
        assert_eq!(client.reset(&name, Start::Beginning).await.unwrap().offset, Seq(0));
        assert!(client.consumers().await.unwrap().consumers.iter().any(|consumer| consumer.name == name));
        client.remove_consumer(&name).await.unwrap();
        assert_eq!(client.read(&name, 2, NOW).await.unwrap_err().status(), Some(404));
        assert_eq!(
            (client.feeds().await.unwrap().feeds.len(), client.stats().await.unwrap().store.last_seq),
            (1, Seq(7))
        );
        assert!(client.metrics().await.unwrap().contains("rasid_log_last_seq 7"));
        assert!(client.get::<Value>("api/v1/topics", &[]).await.unwrap()["topics"].is_array());
        // The index follows the log by itself, a little later.
        let mut found = 0;
        for _ in 0..600 {
            found = client.search("المدينة", &Wanted::default()).await.map_or(0, |results| results.items.len());
            if found == 7 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(found, 7);
    }
}

#[tokio::test]
async fn what_is_refused_comes_as_its_problem_document() {
    let world = World::new(2);
    let [socket, _] = world.doors();
    let ahead = socket.log(Seq(99), &Filter::default(), 1, NOW).await.unwrap_err();
    let Error::Refused(problem) = ahead else { panic!("{ahead:?}") };
    assert_eq!(
        (problem.status, problem.kind.as_str(), &problem.more["last"]),
        (409, "urn:rasid:problem:ahead-of-log", &json!(2))
    );
    let wrong = socket.items(&Wanted { since: Some("soon".to_owned()), ..Wanted::default() }).await.unwrap_err();
    let Error::Refused(problem) = &wrong else { panic!("{wrong:?}") };
    assert_eq!((problem.more["parameter"].as_str(), wrong.is_passing()), (Some("since"), false));
    assert!(wrong.to_string().contains("soon"), "{wrong}");
    for token in [None, Some("another-token-than-the-one-that-is-configured")] {
        let stranger = Client::http(&world.address, token).unwrap();
        assert_eq!(stranger.stats().await.unwrap_err().status(), Some(401));
        // Waiting does not help, so it is told.
        assert_eq!(stranger.follow(Seq(0), Filter::default()).next().await.unwrap_err().status(), Some(401));
    }
    let nobody = Client::unix(world.home.path("none.sock")).unwrap().stats().await.unwrap_err();
    assert!(matches!(nobody, Error::Gone { .. }) && nobody.is_passing(), "{nobody:?}");
    assert!(nobody.to_string().contains("none.sock"), "{nobody}");
    let server = Server::start(|_| Answer::ok("text/html", "<html>"));
    let other = Client::http(&server.url(""), None).unwrap().stats().await.unwrap_err();
    assert!(matches!(other, Error::Unreadable { .. }) && !other.is_passing(), "{other:?}");
    let server = Server::start(|_| Answer::status(502));
    let proxy = Client::http(&server.url(""), None).unwrap().stats().await.unwrap_err();
    assert!(proxy.status() == Some(502) && proxy.is_passing(), "{proxy:?}");
}

#[tokio::test]
async fn the_log_is_followed_over_restarts_without_a_gap_or_a_double() {
    let mut world = World::new(3);
    for client in world.doors() {
        let begin = client.stats().await.unwrap().store.last_seq.0;
        let mut log = client.follow(Seq(0), Filter::default());
        let mut seen = Vec::new();
        for end in [begin, begin + 2, begin + 5] {
            let next = usize::try_from(end).unwrap();
            if end > begin {
                // Killed while it waits, or before it asks.
                if let Some(daemon) = world.daemon.take() {
                    daemon.kill();
                }
                assert!(tokio::time::timeout(Duration::from_millis(300), log.next()).await.is_err());
                world.start();
                world.publish(next);
            }
            while seen.len() < next {
                let Event::Record(record) = log.next().await.unwrap() else { panic!("nothing was missed") };
                assert_eq!(record.kind, LogKind::New);
                seen.push(record.seq.0);
            }
            assert_eq!((log.position(), &seen), (Seq(end), &(1..=end).collect()));
        }
    }
    let [client, _] = world.doors();
    let none: Filter = serde_json::from_value(json!({ "feeds": ["other"] })).unwrap();
    let mut log = client.follow(Seq(0), none);
    assert!(tokio::time::timeout(Duration::from_millis(500), log.next()).await.is_err());
}

/// A record of the log as the stream tells it.
fn event(seq: u64) -> String {
    let record =
        json!({ "seq": seq, "at": "2026-11-20T09:30:00Z", "kind": "removed", "id": "0".repeat(32), "item": null });
    format!("id: {seq}\nevent: removed\ndata: {record}\n\n")
}

#[tokio::test]
async fn a_stream_that_breaks_anywhere_is_taken_up_after_the_last_record() {
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = Arc::clone(&asked);
    let server = Server::start(move |request| {
        let last: u64 = request.headers["last-event-id"].parse().unwrap();
        told.lock().unwrap().push((last, request.path.clone()));
        let body = match last {
            0 => format!("retry: 2000\n\n{}:\n\n{}{}", event(1), event(2), &event(3)[..40]),
            // The same again, as no daemon should, and a filter's mark.
            2 => format!("{}{}id: 8\n\n", event(2), event(3)),
            8 => {
                let missed = json!({ "from": 9, "to": 20, "records": 12, "detail": "twelve" });
                format!("id: 20\nevent: missed\ndata: {missed}\n\n{}", event(21))
            }
            21 => return Answer::status(503),
            _ => return Answer::status(410),
        };
        Answer::ok("text/event-stream", body)
    });
    let client = Client::http(&server.url(""), None).unwrap();
    let filter: Filter = serde_json::from_value(json!({ "topics": ["csto"] })).unwrap();
    let mut log = client.follow(Seq(0), filter);
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(match log.next().await.unwrap() {
            Event::Record(record) => format!("{}", record.seq),
            Event::Missed(missed) => format!("missed to {}", missed.to),
        });
    }
    assert_eq!(seen, ["1", "2", "3", "missed to 20", "21"]);
    assert!(tokio::time::timeout(Duration::from_millis(400), log.next()).await.is_err());
    let asked = asked.lock().unwrap();
    assert_eq!(asked[..3].iter().map(|(last, _)| *last).collect::<Vec<_>>(), [0, 2, 8]);
    assert!(asked.iter().all(|(_, path)| path == "/api/v1/stream?topic=csto"), "{asked:?}");
}
