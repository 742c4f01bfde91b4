"""How many MB/s of one core Python's feedparser reads of the file that is named; the best of three times.

Prints one line: MB/s, entries, and the version. `benches/feeds.rs` runs it.
"""

import sys
import time

# This file has the name of the library, and Python looks beside it first.
sys.path.pop(0)

import feedparser  # noqa: E402

with open(sys.argv[1], "rb") as file:
    body = file.read()
best = float("inf")
for _ in range(3):
    begun = time.process_time()
    read = feedparser.parse(body)
    best = min(best, time.process_time() - begun)
print(f"{len(body) / 1e6 / best:.2f} {len(read.entries)} feedparser-{feedparser.__version__}")
