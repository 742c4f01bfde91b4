//! The best of what fits.
//!
//! In: a [`Request`]. Out: [`Found`]: a page of hits, how many there are in all, where the next page begins.
//! Promise: hits come in one order without ties, so pages neither overlap nor leave gaps; the total is counted, not guessed.
//! Blocking.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tantivy::columnar::ColumnValues;
use tantivy::{DocId, SegmentReader};

use super::index::Opened;
use super::plan::{Frame, Plan, broken};
use super::rank::{TOGETHER, fresh};
use super::schema::{ID_HIGH, ID_LOW, whole};
use super::set::{SPAN, Set, Span};
use super::walk::{self, Opener, Walk};
use super::word::document;
use super::{MAX_PAGE, Query, Request, Search, SearchError, Sort, cursor};
use crate::id::ItemId;
use crate::share::shared;

/// Where fewer than so many items have all the words, those are found that lack some.
const FEW: u64 = 10;

/// As many documents of a span are so many that it is cheaper to look at all of them at once.
const MANY: u64 = (SPAN / 16) as u64;
/// What rounding to single precision may take from a bound, and more.
const BOUNDS_SLACK: f64 = 1.0 + 1e-4;
/// Fewer documents with one of the words, counted for each word, are not worth another thread.
const WORK_EACH: u64 = 2_000;

/// An item that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which item.
    pub id: ItemId,
    /// How well it fits; above 0 where words were asked for. Comparable within one search alone.
    pub score: f64,
}

/// A page of what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The best first, or the newest.
    pub hits: Vec<Hit>,
    /// How many there are on all pages.
    pub total: u64,
    /// The `after` of the page that follows; none on the last.
    pub next: Option<String>,
    /// Whether hits may lack some of the words, because hardly any item has them all.
    pub partly: bool,
}

/// The place of a hit in the order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) score: f64,
    published: i64,
    high: u64,
    low: u64,
}

impl Place {
    /// `Less` where it comes before the other.
    fn order(&self, other: &Self, sort: Sort) -> Ordering {
        let by_score = match sort {
            Sort::Relevance => other.score.total_cmp(&self.score),
            Sort::Newest => Ordering::Equal,
        };
        let rest = (other.published, other.high, other.low).cmp(&(self.published, self.high, self.low));
        by_score.then(rest)
    }
}

/// A place among those kept; the last in the order is the greatest, and goes first.
struct Kept(Place, Sort);

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order(&other.0, self.1)
    }
}

impl Search {
    /// Finds a page of items; `now` is what ages are counted to. Blocking.
    ///
    /// # Errors
    /// [`SearchError::Query`] and [`SearchError::Cursor`] where the request is wrong, else what is wrong with the index.
    pub fn find(&self, request: &Request, now: Timestamp) -> Result<Found, SearchError> {
        let query = Query::parse(&request.query, now).map_err(SearchError::Query)?;
        let opened = self.opened()?;
        let plan = |frame, first| Plan::new(&query.0, request, opened.fields, &opened.searcher, frame, first);
        let begun = request.after.as_deref().map(|token| cursor::read(request, token)).transpose()?;
        if let Some((frame, place)) = begun {
            return page(&plan(frame, false)?, request, &opened, Some(place));
        }
        let whole = plan(Frame { now: now.as_millisecond(), ..Frame::default() }, true)?;
        let found = page(&whole, request, &opened, None)?;
        if found.total >= FEW || !whole.can_be_partial {
            return Ok(found);
        }
        page(&plan(Frame { partly: true, ..whole.frame }, false)?, request, &opened, None)
    }
}

fn page(plan: &Plan, request: &Request, opened: &Opened, after: Option<Place>) -> Result<Found, SearchError> {
    let limit = request.limit.clamp(1, MAX_PAGE);
    let gather = |spans: Range<usize>| {
        let mut gather = Gather {
            sort: request.sort,
            after,
            duplicates: request.duplicates,
            // One more tells whether there is another page.
            most: limit + 1,
            kept: BinaryHeap::new(),
            total: 0,
            places: [Vec::new(), Vec::new()],
            times: Vec::new(),
        };
        gather.spans(plan, opened, spans)?;
        Ok(gather)
    };
    let (mut places, mut total) = (Vec::new(), 0);
    let work = plan.frame.frequencies.iter().fold(0, |sum: u64, found| sum.saturating_add(*found));
    let worth = usize::try_from(work / WORK_EACH).unwrap_or(usize::MAX);
    for gathered in shared("search", opened.spans(), worth, gather) {
        let gathered: Gather = gathered?;
        places.extend(gathered.kept.into_iter().map(|kept| kept.0));
        total += gathered.total;
    }
    places.sort_unstable_by(|a, b| a.order(b, request.sort));
    let more = places.len() > limit;
    places.truncate(limit);
    let last = places.last().copied().filter(|_| more);
    Ok(Found {
        hits: places.iter().map(|place| Hit { id: whole(place.high, place.low), score: place.score }).collect(),
        total,
        next: last.map(|place| cursor::write(request, &plan.frame, place)),
        partly: plan.frame.partly,
    })
}

struct Gather {
    sort: Sort,
    after: Option<Place>,
    duplicates: bool,
    most: usize,
    kept: BinaryHeap<Kept>,
    total: u64,
    places: [Vec<u32>; 2],
    times: Vec<i64>,
}

/// The columns of a segment.
struct Columns {
    times: walk::Times,
    high: Arc<dyn ColumnValues<u64>>,
    low: Arc<dyn ColumnValues<u64>>,
}

impl Columns {
    fn of(segment: &SegmentReader, times: walk::Times) -> Result<Self, SearchError> {
        let fast = segment.fast_fields();
        let column = |name: &str| fast.column_first_or_default::<u64>(name).map_err(broken);
        Ok(Self { times, high: column(ID_HIGH)?, low: column(ID_LOW)? })
    }
}

impl Gather {
    /// Goes through those of the spans of all segments that are in a range.
    fn spans(&mut self, plan: &Plan, opened: &Opened, range: Range<usize>) -> Result<(), SearchError> {
        let mut begin = 0;
        for (segment, visible) in opened.segments() {
            let own = range.start.saturating_sub(begin)..range.end.saturating_sub(begin).min(visible.len());
            begin += visible.len();
            if own.is_empty() {
                continue;
            }
            let times = walk::times(segment)?;
            let opener = Opener::new(segment, opened.fields, &plan.frame, Arc::clone(&times));
            let mut walk = opener.open(&plan.root)?;
            self.segment(plan.frame.now, &Columns::of(segment, times)?, visible.spans(self.duplicates, own), &mut walk);
        }
        Ok(())
    }

    fn segment<'a>(&mut self, now: i64, columns: &Columns, spans: impl Iterator<Item = Span<'a>>, walk: &mut Walk) {
        if matches!(walk, Walk::Nothing) {
            return;
        }
        let together = if walk.has_neighbours() { 1.0 + TOGETHER } else { 1.0 };
        let mut bounds = [0.0; SPAN];
        for Span { base, set, newest } in spans {
            let mut set = set.clone();
            walk.narrow(base, &mut set);
            let count = set.len();
            self.total += count;
            if self.sort == Sort::Newest && count > self.most as u64 {
                self.keep_newest(columns, base, &mut set);
            }
            if count >= MANY && self.sort == Sort::Relevance && self.kept.len() >= self.most {
                walk.bounds(base, &set, &mut bounds);
                let raised = together * fresh(newest, now) * BOUNDS_SLACK;
                for at in set.iter() {
                    let worst = self.kept.peek().map_or(0.0, |kept| kept.0.score);
                    let bound = f64::from(bounds[at]);
                    if bound * raised >= worst {
                        self.offer(now, columns, walk, together, (base, at), Some(bound * BOUNDS_SLACK));
                    }
                }
            } else {
                for at in set.iter() {
                    self.offer(now, columns, walk, together, (base, at), None);
                }
            }
        }
    }

    /// Drops what so many others of a span are newer than that it cannot be on the page: items are stored about in the order of
    /// their times, so one by one nearly each would be the newest so far.
    fn keep_newest(&mut self, columns: &Columns, base: DocId, set: &mut Set) {
        let time = |at| columns.times.get_val(document(base, at));
        let begin = self.after.map_or(i64::MAX, |after| after.published);
        self.times.clear();
        self.times.extend(set.iter().map(time).filter(|time| *time < begin));
        let Some(last) = self.times.len().checked_sub(self.most) else { return };
        let (_, oldest, _) = self.times.select_nth_unstable(last);
        let oldest = *oldest;
        set.retain(|at| (oldest..=begin).contains(&time(at)));
    }

    /// Takes a document that fits, if it is among the best. What costs more is looked up only for what may be. `together` is how
    /// much nearness may raise a score, `bound` what it is at most without that, where it is known.
    fn offer(
        &mut self,
        now: i64,
        columns: &Columns,
        walk: &mut Walk,
        together: f64,
        (base, at): (DocId, usize),
        bound: Option<f64>,
    ) {
        /// What rounding may take from a bound.
        const SLACK: f64 = 1.0 + 1e-9;
        let full = self.kept.len() >= self.most;
        let worst = self.kept.peek().filter(|_| full).map(|kept| kept.0);
        let ranked = worst.filter(|_| self.sort == Sort::Relevance);
        let mut bound = || bound.unwrap_or_else(|| walk.score(base, at, false));
        let most = if ranked.is_some() { bound() * together * SLACK } else { 0.0 };
        if ranked.is_some_and(|worst| most < worst.score) {
            return;
        }
        let doc = document(base, at);
        let published = columns.times.get_val(doc);
        // Beside others of the same score, or of any where the newest come first, the older loses.
        let older = worst.is_some_and(|worst| published < worst.published);
        if older && (self.sort == Sort::Newest || ranked.is_some_and(|worst| most <= worst.score)) {
            return;
        }
        let fresh = fresh(published, now);
        if ranked.is_some_and(|worst| most * fresh < worst.score) {
            return;
        }
        let score = walk.score(base, at, true) * fresh;
        if ranked.is_some_and(|worst| score * together * SLACK < worst.score) {
            return;
        }
        let score = score * TOGETHER.mul_add(walk.nearness(base, at, &mut self.places), 1.0);
        let place = Place { score, published, high: columns.high.get_val(doc), low: columns.low.get_val(doc) };
        if self.after.is_some_and(|after| place.order(&after, self.sort) != Ordering::Greater) {
            return;
        }
        if full {
            if worst.is_some_and(|worst| place.order(&worst, self.sort) != Ordering::Less) {
                return;
            }
            self.kept.pop();
        }
        self.kept.push(Kept(place, self.sort));
    }
}
