"""What SQLite's FTS5 (unicode61) finds: see search.rs. Its arguments are the articles (gzipped JSON, one a line), a file of
queries, one a line, and `and` or `or`: whether all words of a query must be there. Prints the ids of the ten best for each.
"""

import gzip
import json
import re
import sqlite3
import sys

articles, queries, joined = sys.argv[1:4]
store = sqlite3.connect(":memory:")
store.execute("CREATE VIRTUAL TABLE news USING fts5(id UNINDEXED, title, body, tokenize = 'unicode61')")
with gzip.open(articles, "rt", encoding="utf-8") as lines:
    for line in lines:
        article = json.loads(line)
        body = article["text"] if article["summary"] in article["text"] else f"{article['summary']}\n{article['text']}"
        store.execute("INSERT INTO news VALUES (?, ?, ?)", (article["id"], article["title"], body))

for query in open(queries, encoding="utf-8"):
    # Phrases stay; every other run of letters is a word.
    parts = re.findall(r'"[^"]*"|\w+', query)
    match = (" " if joined == "and" else " OR ").join(part if part.startswith('"') else f'"{part}"' for part in parts)
    found = store.execute("SELECT id FROM news WHERE news MATCH ? ORDER BY rank LIMIT 10", (match,))
    print(" ".join(row[0] for row in found))
