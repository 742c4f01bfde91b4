//! What is known to a screen: a pure function of both.
//!
//! Promise: draws on any size, down to nothing; a row is one line, its cells stand below their heads, and words from right to
//! left are isolated within theirs. Where there is little room the columns that say least are left out first.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::keys::{Look, Panel};
use super::sample::{Sample, Watched};
use crate::cli::feeds::list::state;
use crate::cli::output::{self, columns_of, cut, is_right_to_left, one_line};
use crate::cli::status::rounded;

const BETWEEN: usize = 2;
/// Lines above the list: the daemon, the store, the rates, the lists, the heads.
const ABOVE: u16 = 5;
const HELP: [&str; 11] = [
    "q, Esc       ends",
    "Tab          the next list: feeds, consumers, errors",
    "Left, Right  sorts by another column",
    "r            sorts the other way round",
    "Up, Down, PageUp, PageDown, Home, End  scroll",
    "/            only rows that have the words typed; Enter keeps, Esc takes back",
    "?            this; any key closes it",
    "",
    "Numbers a minute are those of the last minute. lag: records of the log that",
    "are not acknowledged, or that search does not find yet. queue: polls that",
    "are collected and not yet on the disk.",
];

/// A column: its head, how soon it is left out, where 0 is never, and what it is cut to at most.
struct Column(&'static str, u8, usize);

/// Not cut before the others are.
const WHOLE: usize = usize::MAX;

/// A cell: what is shown, and what it is sorted by.
struct Cell {
    text: String,
    /// Numbers before words; none at the end.
    number: Option<f64>,
}

struct Row {
    cells: Vec<Cell>,
    bad: bool,
}

/// Draws all of it, and tells `look` what fits.
pub(super) fn draw(frame: &mut Frame<'_>, watched: &Watched, look: &mut Look, now: Timestamp) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let paint = |color: Color| if look.color { Style::new().fg(color) } else { Style::new() };
    let strong = Style::new().add_modifier(Modifier::BOLD);
    let newest = watched.newest();
    match &watched.trouble {
        Some(trouble) => {
            let said =
                if newest.is_some() { "the daemon has gone; looking for it" } else { "no daemon yet; looking for one" };
            line(
                buffer,
                area,
                0,
                &format!("{said}: {}", one_line(trouble)),
                paint(Color::Red).add_modifier(Modifier::BOLD),
            );
        }
        None => line(buffer, area, 0, &daemon(watched, now), strong),
    }
    if look.help {
        HELP.iter().zip(2..).for_each(|(text, y)| line(buffer, area, y, text, Style::new()));
        return;
    }
    let Some(sample) = newest else { return };
    line(buffer, area, 1, &store(sample), Style::new());
    line(buffer, area, 2, &rates(watched, sample), Style::new());
    lists(buffer, area, look, sample);
    let (columns, mut rows) = match look.panel {
        Panel::Feeds => (&FEEDS[..], feeds(watched, sample, now)),
        Panel::Consumers => (&CONSUMERS[..], consumers(watched, sample)),
        Panel::Errors => (&ERRORS[..], errors(sample)),
    };
    look.sort = look.sort.min(columns.len() - 1);
    let wanted = look.filter.to_lowercase();
    rows.retain(|row| row.cells.iter().any(|cell| cell.text.to_lowercase().contains(&wanted)));
    sort(&mut rows, look);
    let room = usize::from(area.height.saturating_sub(ABOVE + 1));
    look.page = room.max(1);
    look.top = look.top.min(rows.len().saturating_sub(look.page));
    let widths = fit(columns, &rows, usize::from(area.width));
    let heads = columns.iter().enumerate().map(|(nth, column)| {
        let style = if nth == look.sort { strong.add_modifier(Modifier::UNDERLINED) } else { strong };
        (column.0.to_owned(), style)
    });
    cells(buffer, area, ABOVE - 1, &widths, heads);
    for (row, y) in rows.iter().skip(look.top).take(room).zip(ABOVE..) {
        let style = if row.bad { paint(Color::Red) } else { Style::new() };
        cells(buffer, area, y, &widths, row.cells.iter().map(|cell| (cell.text.clone(), style)));
    }
    let foot = match (look.typing, look.filter.as_str()) {
        (true, typed) => format!("/{}_", one_line(typed)),
        (false, "") => format!(
            "{} of {}   q ends  Tab list  arrows sort, scroll  / filter  ? help",
            shown(look, &rows),
            rows.len()
        ),
        (false, typed) => {
            format!("{} of {} with {}   Esc all of them", shown(look, &rows), rows.len(), one_line(typed))
        }
    };
    line(buffer, area, area.height.saturating_sub(1).max(ABOVE), &foot, paint(Color::Cyan));
}

fn shown(look: &Look, rows: &[Row]) -> String {
    format!("{}–{}", (look.top + 1).min(rows.len()), (look.top + look.page).min(rows.len()))
}

fn daemon(watched: &Watched, now: Timestamp) -> String {
    let Some(sample) = watched.newest() else { return format!("rasid top: asking {}", watched.place) };
    let overview = &sample.overview;
    let up =
        overview.started_at.map(|at| format!(", up {}", span(now.duration_since(at).as_secs()))).unwrap_or_default();
    let feeds = &overview.feeds;
    let counts = format!("{} feeds, {} failing, {} new", feeds.enabled, feeds.failing, feeds.unpolled);
    format!("rasid {}{up}: {counts}", overview.version)
}

fn store(sample: &Sample) -> String {
    let store = &sample.overview.store;
    format!(
        "{} items, {} copies, {} revisions; log at {}; {}",
        store.items,
        store.duplicates,
        store.revisions,
        store.last_seq,
        rounded(store.bytes_on_disk)
    )
}

fn rates(watched: &Watched, sample: &Sample) -> String {
    let [items, copies, polls] = [watched.items(), watched.copies(), watched.polls()].map(rate);
    let search = match &sample.index {
        None => "search off".to_owned(),
        Some(index) if index.building => format!("search index being made: {} items", index.items),
        Some(index) => format!("search lag {}", index.last_seq.0.saturating_sub(index.seq.0)),
    };
    let queued = sample.counted.queued;
    format!("a minute: {items} items, {copies} copies, {polls} polls; queue {queued}; {search}")
}

fn lists(buffer: &mut Buffer, area: Rect, look: &Look, sample: &Sample) {
    let mut x = 0;
    for panel in Panel::ALL {
        let (name, count) = match panel {
            Panel::Feeds => ("feeds", sample.feeds.len()),
            Panel::Consumers => ("consumers", sample.consumers.len()),
            Panel::Errors => ("errors", errors(sample).len()),
        };
        // In brackets as well: not every terminal shows what is inverted.
        let chosen = panel == look.panel;
        let text = if chosen { format!("[{name} {count}]") } else { format!(" {name} {count} ") };
        let style = if chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
        x += put(buffer, area, x, 3, columns_of(&text), &text, style) + 1;
    }
}

const FEEDS: [Column; 8] = [
    Column("feed", 0, 16),
    Column("state", 0, WHOLE),
    Column("next", 1, WHOLE),
    Column("every", 5, WHOLE),
    Column("a minute", 3, WHOLE),
    Column("stored", 4, WHOLE),
    Column("title", 6, 10),
    Column("why", 2, 24),
];

fn feeds(watched: &Watched, sample: &Sample, now: Timestamp) -> Vec<Row> {
    let row = |feed: &crate::serve::FeedView| {
        let cursor = feed.cursor.as_ref();
        let failing = cursor.filter(|cursor| cursor.failures > 0 && feed.enabled);
        let error = failing.and_then(|cursor| cursor.last_error.as_ref()).map(|error| error.message.as_str());
        let why = match feed.enabled {
            true => error.or_else(|| cursor.and_then(|cursor| cursor.rule.as_deref())),
            false => feed.disabled_reason.as_deref(),
        };
        let next = cursor.filter(|_| feed.enabled).map(|cursor| cursor.next.duration_since(now).as_secs());
        let every = cursor.map_or(feed.interval, |cursor| cursor.interval);
        let cells = vec![
            word(feed.id.as_str()),
            word(&state(feed)),
            number(
                next.map(|next| next as f64),
                next.map_or("-".to_owned(), |next| if next <= 0 { "now".to_owned() } else { span(next) }),
            ),
            number(Some(every.get().as_secs_f64()), every.to_string()),
            number(watched.of_feed(feed.id.as_str()), rate(watched.of_feed(feed.id.as_str()))),
            number(cursor.map(|cursor| cursor.stored as f64), cursor.map_or(0, |cursor| cursor.stored).to_string()),
            word(&feed.title),
            word(why.unwrap_or_default()),
        ];
        Row { cells, bad: failing.is_some() }
    };
    sample.feeds.iter().map(row).collect()
}

const CONSUMERS: [Column; 7] = [
    Column("consumer", 0, 16),
    Column("lag", 0, WHOLE),
    Column("oldest", 1, WHOLE),
    Column("a minute", 2, WHOLE),
    Column("offset", 3, WHOLE),
    Column("acknowledged", 5, WHOLE),
    Column("kind", 4, 10),
];

fn consumers(watched: &Watched, sample: &Sample) -> Vec<Row> {
    let row = |consumer: &crate::serve::ConsumerView| {
        let acked = consumer.acked_at.map(|at| sample.at.duration_since(at).as_secs());
        let oldest = i64::try_from(consumer.lag_seconds).unwrap_or(i64::MAX);
        let growth = watched.of_consumer(consumer.name.as_str());
        let cells = vec![
            word(consumer.name.as_str()),
            number(Some(consumer.lag as f64), consumer.lag.to_string()),
            number(Some(oldest as f64), if consumer.lag == 0 { "-".to_owned() } else { span(oldest) }),
            number(growth, rate(growth)),
            number(Some(consumer.offset.0 as f64), consumer.offset.to_string()),
            number(acked.map(|ago| ago as f64), acked.map_or("never".to_owned(), |ago| format!("{} ago", span(ago)))),
            word(consumer.kind.as_deref().unwrap_or_default()),
        ];
        Row { cells, bad: consumer.missed.is_some() }
    };
    sample.consumers.iter().map(row).collect()
}

const ERRORS: [Column; 4] =
    [Column("feed", 0, 16), Column("times", 1, WHOLE), Column("error", 0, 16), Column("what to do", 2, 16)];

/// The feeds that fail now, and what failed since the start.
fn errors(sample: &Sample) -> Vec<Row> {
    let mut rows = Vec::new();
    for feed in sample.feeds.iter().filter(|feed| feed.enabled) {
        let Some(cursor) = feed.cursor.as_ref().filter(|cursor| cursor.failures > 0) else { continue };
        let (message, hint) = cursor.last_error.as_ref().map_or(("", ""), |error| (&error.message, &error.hint));
        let times = number(Some(cursor.failures.into()), format!("{} in a row", cursor.failures));
        rows.push(Row { cells: vec![word(feed.id.as_str()), times, word(message), word(hint)], bad: true });
    }
    for (kind, times) in &sample.counted.failed {
        let times = number(Some(*times as f64), format!("{times} since the start"));
        rows.push(Row { cells: vec![word("(all)"), times, word(kind), word("")], bad: false });
    }
    rows
}

fn word(text: &str) -> Cell {
    Cell { text: cut(&one_line(text), 400), number: None }
}

const fn number(number: Option<f64>, text: String) -> Cell {
    Cell { text, number }
}

fn rate(rate: Option<f64>) -> String {
    rate.map_or("-".to_owned(), |rate| format!("{rate:.1}"))
}

/// In the two largest units.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ ..60 => format!("{s}s"),
        s @ ..3_600 => format!("{}m{:02}s", s / 60, s % 60),
        s @ ..86_400 => format!("{}h{:02}m", s / 3_600, s % 3_600 / 60),
        s => format!("{}d{:02}h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// The first column as it is read, numbers the largest first; the same way every time.
fn sort(rows: &mut [Row], look: &Look) {
    rows.sort_by(|a, b| {
        let (one, other) = (&a.cells[look.sort], &b.cells[look.sort]);
        let by_number = match (one.number, other.number) {
            (Some(one), Some(other)) => other.total_cmp(&one),
            (one, other) => other.is_some().cmp(&one.is_some()),
        };
        // What comes next is wanted first, not last.
        by_number.then_with(|| one.text.cmp(&other.text)).then_with(|| a.cells[0].text.cmp(&b.cells[0].text))
    });
    if look.reversed {
        rows.reverse();
    }
}

/// The width of each column; 0 where there is no room for it.
fn fit(columns: &[Column], rows: &[Row], width: usize) -> Vec<usize> {
    let widest = |nth: usize| rows.iter().map(|row| columns_of(&row.cells[nth].text)).max().unwrap_or_default();
    let mut widths: Vec<usize> =
        columns.iter().enumerate().map(|(nth, column)| widest(nth).max(columns_of(column.0))).collect();
    let needed = |widths: &[usize]| {
        let there = widths.iter().zip(columns).filter(|(width, _)| **width > 0);
        there.map(|(width, column)| width.min(&column.2) + BETWEEN).sum::<usize>()
    };
    let mut soonest: Vec<usize> = (0..columns.len()).filter(|nth| columns[*nth].1 > 0).collect();
    soonest.sort_by_key(|nth| columns[*nth].1);
    while needed(&widths) > width + BETWEEN
        && let Some(nth) = soonest.pop()
    {
        widths[nth] = 0;
    }
    // What the narrow ones do not need is there for the wide ones.
    let mut order: Vec<usize> = (0..widths.len()).filter(|nth| widths[*nth] > 0).collect();
    order.sort_by_key(|nth| (columns[*nth].2 != WHOLE, widths[*nth]));
    let mut room = (width + BETWEEN).saturating_sub(BETWEEN * order.len());
    for (nth, at) in order.iter().enumerate() {
        let share = if columns[*at].2 == WHOLE { room } else { room / (order.len() - nth) };
        widths[*at] = widths[*at].min(share).max(1);
        room = room.saturating_sub(widths[*at]);
    }
    widths
}

fn cells(buffer: &mut Buffer, area: Rect, y: u16, widths: &[usize], cells: impl Iterator<Item = (String, Style)>) {
    let mut x = 0;
    for ((text, style), width) in cells.zip(widths).filter(|(_, width)| **width > 0) {
        put(buffer, area, x, y, *width, &text, style);
        x += width + BETWEEN;
    }
}

fn line(buffer: &mut Buffer, area: Rect, y: u16, text: &str, style: Style) {
    put(buffer, area, 0, y, usize::from(area.width), text, style);
}

/// Puts a text where there is room for it, at most `width` columns of it, and says how many it took.
fn put(buffer: &mut Buffer, area: Rect, x: usize, y: u16, width: usize, text: &str, style: Style) -> usize {
    let width = width.min(usize::from(area.width).saturating_sub(x));
    if width == 0 || y >= area.height {
        return 0;
    }
    let from = area.x + u16::try_from(x).unwrap_or(u16::MAX);
    let y = area.y + y;
    let (end, _) = buffer.set_stringn(from, y, cut(text, width), width, style);
    if text.chars().any(is_right_to_left) && end > from {
        // A buffer takes no characters without width by themselves; they go with the cells at both ends.
        let mut mark = |x: u16, before: &str, after: &str| {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                let marked = format!("{before}{}{after}", cell.symbol());
                cell.set_symbol(&marked);
            }
        };
        mark(from, output::ISOLATE, "");
        mark(end - 1, "", output::POP);
    }
    usize::from(end - from)
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::sample::tests::{sample, time};
    use super::*;

    fn watched() -> Watched {
        let mut watched = Watched::new("data/rasid.sock");
        watched.learn(Ok(sample(0, -7_400)));
        watched.learn(Ok(sample(30, -7_400)));
        watched
    }

    fn screen(watched: &Watched, look: &mut Look, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, watched, look, time(31))).unwrap();
        let buffer = terminal.backend().buffer();
        let line = |y| (0..width).filter_map(|x| Some(buffer.cell((x, y))?.symbol().to_owned())).collect::<String>();
        (0..height).map(|y| line(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn all_is_there_on_a_usual_terminal() {
        let (watched, mut look) = (watched(), Look::new(true));
        let lines = screen(&watched, &mut look, 80, 24);
        for (y, says) in [
            (0, "rasid 0.1.0, up 2h03m: 3 feeds, 1 failing, 1 new"),
            (1, "160 items, 80 copies, 3 revisions; log at 590; 4MiB"),
            (2, "a minute: 120.0 items, 60.0 copies, 60.0 polls; queue 4; search lag 100"),
            (3, "[feeds 4]  consumers 1   errors 2"),
            (4, "feed"),
            (5, "bbc   ok"),
            (6, "nabd  failing ×3"),
            (7, "new   new"),
            (8, "off   off"),
            (23, "1–4 of 4"),
        ] {
            assert!(lines[y].contains(says), "{y}: {says}\n{}", lines.join("\n"));
        }
        look.panel = Panel::Consumers;
        let lines = screen(&watched, &mut look, 80, 24).join("\n");
        for says in ["desk", "160", "2h01m", "60.0", "430", "0s ago", "\u{2068}غرفة الأخبار\u{2069}"] {
            assert!(lines.contains(says), "{says}\n{lines}");
        }
        look.panel = Panel::Errors;
        let lines = screen(&watched, &mut look, 80, 24).join("\n");
        for says in ["nabd", "3 in a row", "لم يجب أحد", "look at the address", "6 since the start", "timeout"]
        {
            assert!(lines.contains(says), "{says}\n{lines}");
        }
    }

    #[test]
    fn it_fits_every_size_and_nothing_steers_the_terminal() {
        let empty = Watched::new("data/rasid.sock");
        let mut gone = watched();
        gone.learn(Err("data/rasid.sock: \x1b[2Jno daemon answers".to_owned()));
        for known in [&empty, &gone, &watched()] {
            for (width, height) in [(0, 0), (1, 1), (3, 2), (10, 5), (20, 6), (33, 7), (80, 24), (300, 60)] {
                for panel in Panel::ALL {
                    for (help, filter, typing) in [(true, "", false), (false, "", false), (false, "نبض", true)] {
                        let mut look = Look { help, typing, panel, ..Look::new(true) };
                        (look.filter, look.top, look.sort) = (filter.to_owned(), usize::MAX / 2, 99);
                        let lines = screen(known, &mut look, width, height);
                        for line in &lines {
                            let steering = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}');
                            assert!(!line.contains(steering), "{line:?}");
                            assert_eq!(line.matches('\u{2068}').count(), line.matches('\u{2069}').count(), "{line:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn little_room_leaves_out_what_says_least() {
        let (watched, mut look) = (watched(), Look::new(false));
        for (width, there, left_out) in [
            (200, &["why", "title", "every", "a minute"][..], &[][..]),
            (80, &["feed", "state", "next", "why", "a minute"], &["title"]),
            (40, &["feed", "state", "next"], &["title", "every"]),
            (20, &["feed", "state"], &["why", "stored"]),
        ] {
            let heads = screen(&watched, &mut look, width, 24)[4].clone();
            assert!(there.iter().all(|head| heads.contains(head)), "{width}: {heads}");
            assert!(!left_out.iter().any(|head| heads.contains(head)), "{width}: {heads}");
        }
    }

    #[test]
    fn rows_are_sorted_filtered_and_scrolled() {
        let watched = watched();
        for (sort, reversed, filter, top, ids) in [
            (0, false, "", 0, &["bbc", "nabd", "new", "off"][..]),
            (0, true, "", 0, &["off", "new", "nabd", "bbc"]),
            (5, false, "", 0, &["bbc", "nabd", "off", "new"]),
            (0, false, "نبض", 0, &["nabd"]),
            (0, false, "FAIL", 0, &["nabd"]),
            (0, false, "nothing", 0, &[]),
            (0, false, "", 2, &["new", "off"]),
        ] {
            let mut look = Look { sort, reversed, top, ..Look::new(false) };
            look.filter = filter.to_owned();
            // Two rows fit where it is scrolled.
            let lines = screen(&watched, &mut look, 80, if top > 0 { 8 } else { 24 });
            let rows = &lines[usize::from(ABOVE)..lines.len() - 1];
            let shown: Vec<&str> = rows.iter().filter_map(|line| line.split_whitespace().next()).collect();
            assert_eq!(shown, ids, "{sort} {reversed} {filter} {top}");
        }
    }

    #[test]
    fn a_daemon_that_is_away_is_said_so_and_the_last_stays() {
        let mut known = watched();
        known.learn(Err("data/rasid.sock: no daemon answers".to_owned()));
        let lines = screen(&known, &mut Look::new(false), 80, 24);
        assert!(lines[0].starts_with("the daemon has gone; looking for it: data/rasid.sock"), "{}", lines[0]);
        assert!(lines[5].contains("bbc"), "{lines:?}");
        let mut never = Watched::new("data/rasid.sock");
        assert!(screen(&never, &mut Look::new(false), 80, 3)[0].contains("asking data/rasid.sock"));
        never.learn(Err("refused".to_owned()));
        assert!(screen(&never, &mut Look::new(false), 80, 3)[0].starts_with("no daemon yet; looking for one: refused"));
    }
}
