#!/usr/bin/env python3
"""A consumer in Python, with nothing but its standard library: consumer.py ADDRESS NAME FILE

Writes the title of every item to FILE, once. A token is taken from RASID_TOKEN. Killed at any time and started again, it
goes on where it stopped: what was dealt with is acknowledged after it was written, and each line has the `seq` of its
record, so that a record that comes once more is known.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

address, name, path = sys.argv[1:]
consumer = f"{address.rstrip('/')}/api/v1/consumers/{name}"


def ask(method, url, body=None):
    """What is answered; HTTPError where it was refused, OSError where nobody is there."""
    headers = {"Content-Type": "application/json"}
    if token := os.environ.get("RASID_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def open_output():
    """The file, and the last record in it. A line without its end was cut off in the middle, and comes again."""
    out = open(path, "ab+")
    out.seek(0)
    text = out.read()
    whole = text[: text.rfind(b"\n") + 1]
    out.truncate(len(whole))
    lines = whole.splitlines()
    return out, json.loads(lines[-1])["seq"] if lines else 0


out, last = open_output()
while True:
    try:
        reading = ask("GET", f"{consumer}?limit=100&wait=30s")
        for record in reading["records"]:
            if record["seq"] > last:
                item = record["item"] or {}
                told = {"seq": record["seq"], "kind": record["kind"], "title": item.get("title")}
                out.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())
        last = max(last, reading["next"])
        if reading["next"] > reading["offset"]:
            ask("POST", f"{consumer}/ack", {"seq": reading["next"]})
    except urllib.error.HTTPError as error:
        if error.code == 404:
            ask("PUT", consumer, {"from": "beginning", "kind": "examples/consumer.py"})
        elif error.code in (429, 502, 503, 504):
            time.sleep(0.5)
        else:
            sys.exit(error.read().decode())
    except OSError:
        # No daemon, or not yet: it is looked for again.
        time.sleep(0.5)
