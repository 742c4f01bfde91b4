//! A consumer in Rust: `consumer ADDRESS NAME FILE` writes the title of every item to a file, once.
//!
//! In: the records of the consumer NAME of the daemon at ADDRESS (`http://127.0.0.1:7878`; a token is taken from
//! RASID_TOKEN). Out: a line of JSON a record. Promise: killed at any time and started again, it goes on where it stopped;
//! each line has the `seq` of its record, so that a record that comes once more is known.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use rasid::client::{Client, Error, Filter, Start};
use rasid::id::{ConsumerName, Seq};
use serde_json::{Value, json};

/// How often a daemon that is not there is looked for.
const AGAIN: Duration = Duration::from_millis(500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, name, path] = arguments.as_slice() else { return Err("usage: consumer ADDRESS NAME FILE".into()) };
    consume(address, name, path).await
}

/// Goes on for ever, or until waiting does not help.
pub async fn consume(address: &str, name: &str, path: &str) -> Result<(), Box<dyn std::error::Error>> {
    let token = std::env::var("RASID_TOKEN").ok();
    let client = Client::http(address, token.as_deref())?;
    let name: ConsumerName = name.parse()?;
    let (mut out, mut last) = open(path)?;
    loop {
        match step(&client, &name, &mut out, &mut last).await {
            Ok(()) => {}
            Err(Failed::Asking(error)) if error.is_passing() => tokio::time::sleep(AGAIN).await,
            Err(Failed::Asking(error)) => return Err(error.into()),
            Err(Failed::Writing(error)) => return Err(error.into()),
        }
    }
}

enum Failed {
    Asking(Error),
    Writing(io::Error),
}

/// Reads, deals with what was read, and only then acknowledges it.
async fn step(client: &Client, name: &ConsumerName, out: &mut File, last: &mut Seq) -> Result<(), Failed> {
    let reading = match client.read(name, 100, Duration::from_secs(30)).await {
        Err(error) if error.status() == Some(404) => {
            let made = client.make_consumer(name, &Filter::default(), Start::Beginning, "examples/consumer.rs").await;
            return made.map(drop).map_err(Failed::Asking);
        }
        reading => reading.map_err(Failed::Asking)?,
    };
    for record in reading.records.iter().filter(|record| record.seq > *last) {
        let title = record.item.as_ref().map(|item| &item.content.title);
        writeln!(out, "{}", json!({ "seq": record.seq, "kind": record.kind, "title": title }))
            .map_err(Failed::Writing)?;
    }
    out.sync_data().map_err(Failed::Writing)?;
    *last = reading.next.max(*last);
    if reading.next > reading.offset {
        client.ack(name, reading.next).await.map_err(Failed::Asking)?;
    }
    Ok(())
}

/// The file, and the last record that is in it. A line without its end was cut off in the middle, and comes again.
fn open(path: &str) -> io::Result<(File, Seq)> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    file.set_len(whole as u64)?;
    file.seek(SeekFrom::End(0))?;
    let line = text[..whole].split(|byte| *byte == b'\n').rfind(|line| !line.is_empty());
    let line: Value = line.map_or(Ok(Value::Null), serde_json::from_slice)?;
    Ok((file, Seq(line["seq"].as_u64().unwrap_or(0))))
}
