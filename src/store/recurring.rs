//! What is stored of the lines that recur on a feed's pages.
//!
//! In: [`RecurringLines`]. Out: a versioned record, and back.
//! Promise: as in [`super::schema`]: the record never changes once released. It is apart from the rest of the cursor and
//! written only when it changes: a poll that fetches no page writes nothing of it. The two need not be of one poll: which
//! lines recur is a memory, not an account.

use super::engine::{Read, Table};
use super::schema::{plain, unplain};
use super::staged::Staged;
use super::{StoreError, keys, values};
use crate::id::FeedId;
use crate::text::recurring::{Host, Page, RecurringLines};

/// Hosts by the hash of their name; of each, pages: hashes of address, title and lines.
type RecurringV1 = Vec<(u32, Vec<(u32, u32, Vec<u32>)>)>;

pub(super) fn put(staged: &mut Staged<'_>, feed: &FeedId, lines: RecurringLines) -> Result<(), StoreError> {
    if lines.hosts.is_empty() {
        // Most feeds have none: nothing is as good as an empty record, and there is no way back to empty.
        return Ok(());
    }
    let page_v1 = |Page { address, title, lines }: Page| (address, title, lines);
    let host_v1 = |Host { name, pages }: Host| (name, pages.into_iter().map(page_v1).collect());
    let record: RecurringV1 = lines.hosts.into_iter().map(host_v1).collect();
    values::put(staged, Table::Cursors, &keys::recurring(feed), &plain(&record, || what(feed))?)
}

pub(super) fn get(read: &impl Read, feed: &FeedId) -> Result<RecurringLines, StoreError> {
    let Some(bytes) = values::get(read, Table::Cursors, &keys::recurring(feed))? else {
        return Ok(RecurringLines::default());
    };
    let record: RecurringV1 = unplain(&bytes, || what(feed))?;
    let page = |(address, title, lines)| Page { address, title, lines };
    let host = |(name, pages): (u32, Vec<_>)| Host { name, pages: pages.into_iter().map(page).collect() };
    Ok(RecurringLines { hosts: record.into_iter().map(host).collect() })
}

fn what(feed: &FeedId) -> String {
    format!("the recurring lines of {feed}")
}
