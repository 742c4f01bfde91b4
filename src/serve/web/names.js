// What feeds and topics are called.
//
// Out: their names in the page's language; the id of what is not configured any more.

import { get } from './api.js';
import { current } from './language.js';

let feeds = new Map();
let topics = new Map();

export async function load(signal) {
  const [known, labelled] = await Promise.all([get('feeds', {}, signal), get('topics', {}, signal)]);
  feeds = new Map(known.feeds.map((feed) => [feed.id, feed]));
  topics = new Map(labelled.topics.map((topic) => [topic.id, topic]));
}

export const feedTitle = (id) => feeds.get(id)?.title ?? id;
export const topicLabel = (id) => topics.get(id)?.label?.[current()] || id;
export const feedIds = () => [...feeds.keys()];
export const topicIds = () => [...topics.keys()];
export const topic = (id) => topics.get(id);
export const byName = (name) => (a, b) => name(a).localeCompare(name(b), current());
