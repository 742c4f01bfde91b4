//! Bytes of an event stream to events, as the HTML standard reads them.
//!
//! In: bytes, cut anywhere. Out: whole events. Promise: an event whose end has not come is not there; one without data still
//! says how far the log was looked through.

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The position after it.
    pub(super) id: Option<u64>,
    /// Its kind.
    pub(super) event: String,
    /// What it says; lines joined by line feeds.
    pub(super) data: String,
}

/// What came of a stream and is not a whole event yet.
#[derive(Debug, Default)]
pub(super) struct Unread {
    bytes: Vec<u8>,
    /// Up to where no line feed was found.
    looked: usize,
    told: Told,
}

impl Unread {
    /// Takes up bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole event.
    pub(super) fn next(&mut self) -> Option<Told> {
        let (mut begin, mut whole) = (0, None);
        while let Some(length) = self.bytes[self.looked..].iter().position(|byte| *byte == b'\n') {
            let end = self.looked + length;
            let line = String::from_utf8_lossy(&self.bytes[begin..end]).into_owned();
            begin = end + 1;
            self.looked = begin;
            let line = line.strip_suffix('\r').unwrap_or(&line);
            if !line.is_empty() {
                take(&mut self.told, line);
                continue;
            }
            let told = std::mem::take(&mut self.told);
            if told != Told::default() {
                whole = Some(told);
                break;
            }
        }
        if whole.is_none() {
            self.looked = self.bytes.len();
        }
        self.bytes.drain(..begin);
        self.looked -= begin;
        whole
    }
}

fn take(told: &mut Told, line: &str) {
    let (field, value) = line.split_once(':').unwrap_or((line, ""));
    let value = value.strip_prefix(' ').unwrap_or(value);
    match field {
        "id" => told.id = value.parse().ok(),
        "event" => value.clone_into(&mut told.event),
        "data" => {
            if !told.data.is_empty() {
                told.data.push('\n');
            }
            told.data.push_str(value);
        }
        // Comments are signs of life; how long to wait before coming back is known here.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let stream = "retry: 2000\n\nid: 7\nevent: new\ndata: {\"عنوان\":1}\n\n:\n\nid: 9\n\nid:10\r\nevent:missed\r\ndata:a\r\ndata: b\r\n\r\nid: 11\ndata: cut";
        let told = |id, event: &str, data: &str| Told { id: Some(id), event: event.to_owned(), data: data.to_owned() };
        let expected = [told(7, "new", "{\"عنوان\":1}"), told(9, "", ""), told(10, "missed", "a\nb")];
        for size in [1, 2, 3, 7, 50, 1_000] {
            let (mut unread, mut events) = (Unread::default(), Vec::new());
            for bytes in stream.as_bytes().chunks(size) {
                unread.push(bytes);
                while let Some(told) = unread.next() {
                    events.push(told);
                }
            }
            assert_eq!(events, expected, "{size}");
        }
    }
}
