"""How fast the interface answers while items come in, beside nginx with the same bytes as a static file, and what a
thousand readers of the stream cost. Run it after `cargo build --release`; it needs wrk and nginx:

    python3 benches/serving.py [target/release/rasid]

It serves ten feeds itself, of made-up Arabic, `FEEDS_NEW` (10) new items in each every second, and lets a daemon of its own
poll them. Pages: by turns, `ROUNDS` (3) times `SECONDS` (6) each, `CONNECTIONS` (8). Stream: `READERS` (1000), from a
hundred records before the end of the log on, each checked to get every position once while items come in for 20 seconds.
"""

import asyncio
import http.server
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from email.utils import formatdate

NEW = int(os.environ.get("FEEDS_NEW", "10"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SECONDS = int(os.environ.get("SECONDS", "6"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "8"))
READERS = int(os.environ.get("READERS", "1000"))
FEEDS = 10
WORDS = 100
HERE = os.path.dirname(os.path.abspath(__file__))


def vocabulary(rng):
    letters = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
    return ["".join(rng.choices(letters, k=rng.randint(3, 7))) for _ in range(20_000)]


class Feeds(http.server.BaseHTTPRequestHandler):
    """Each poll finds so many items that were not there before, and as many old ones."""

    protocol_version = "HTTP/1.1"
    rng = random.Random(1)
    words = vocabulary(rng)
    items = {}
    lock = threading.Lock()

    def do_GET(self):
        feed = self.path.strip("/")
        with self.lock:
            entries = self.items.setdefault(feed, [])
            before = len(entries)
            for _ in range(NEW if before else 100):
                n = len(entries)
                text = " ".join(self.rng.choices(self.words, k=WORDS))
                title = " ".join(self.rng.choices(self.words, k=9))
                entries.append(
                    f"<item><title>{title}</title><guid isPermaLink='false'>{feed}-{n}</guid>"
                    f"<pubDate>{formatdate(usegmt=True)}</pubDate><description>{text}</description></item>"
                )
            shown = "".join(reversed(entries[max(before - NEW, 0) :]))
        body = f"<rss version='2.0'><channel><title>{feed}</title>{shown}</channel></rss>".encode()
        self.send_response(200 if feed.startswith("feed-") else 404)
        self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


def seconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[unit]


def wrk(url, *more):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", *more, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if re.search(r"Non-2xx|Socket errors", said):
        sys.exit(f"{url}: {said}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
    return rate, seconds(re.search(r"99%\s+(\S+)", said).group(1)) * 1000


async def reader(port, after, got, ready):
    stream, out = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    out.write(f"GET /api/v1/stream?after={after} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await out.drain()
    ready()
    while line := await stream.readline():
        if line.startswith(b"id:"):
            got.append(int(line[3:]))


async def readers(port, daemon, last):
    """Opens them, lets items come in for a while, and looks at what each of them got."""
    begun = last()
    after = begun - 100
    before = memory(daemon.pid)
    got = [[] for _ in range(READERS)]
    opened = 0

    def ready():
        nonlocal opened
        opened += 1

    tasks = [asyncio.create_task(reader(port, after, each, ready)) for each in got]
    most = before
    deadline = time.monotonic() + 600
    while not all(each and each[-1] >= begun for each in got) and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        most = max(most, memory(daemon.pid))
    caught_up = time.monotonic()
    for _ in range(40):
        await asyncio.sleep(0.5)
        most = max(most, memory(daemon.pid))
    ended = await asyncio.to_thread(last)
    while not all(each and each[-1] >= ended for each in got) and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
    behind = time.monotonic() - caught_up - 20
    exact = sum(each == list(range(after + 1, after + 1 + len(each))) and after + len(each) >= ended for each in got)
    dead = sum(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    print(
        f"{READERS} readers of the stream: {exact} got each of {after + 1}..{ended} once ({ended - begun} of them came meanwhile, "
        f"{opened} opened, {dead} ended early); memory {before:.0f} MiB before, at most {most:.0f} ({most - before:+.0f}); "
        f"{behind:.1f} s until the last had all"
    )


def main():
    rasid = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../target/release/rasid")
    source = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feeds)
    threading.Thread(target=source.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o755)  # the workers of nginx are somebody else
        port, beside = free_port(), free_port()

        def write(name, text):
            with open(os.path.join(home, name), "w") as file:
                file.write(text)

        write("topics.toml", open(os.path.join(HERE, "../config/topics.toml")).read())
        write(
            "rasid.toml",
            f"[store]\npath = 'data'\n[server]\nlisten = '127.0.0.1:{port}'\n"
            "[fetch]\nallow_private = ['127.0.0.1']\nhost_gap = '0ms'\nper_host = 4\n",
        )
        feeds = "[defaults]\ninterval = '1s'\nmin_interval = '1s'\nmax_interval = '1s'\nfull_text = 'never'\n"
        for n in range(FEEDS):
            feeds += f"[[feed]]\nid = 'feed-{n}'\nurl = 'http://127.0.0.1:{source.server_port}/feed-{n}'\n"
        write("feeds.toml", feeds)
        os.mkdir(os.path.join(home, "www"))
        write(
            "nginx.conf",
            f"worker_processes 2; daemon off; pid {home}/nginx.pid; error_log {home}/nginx.err;\n"
            "events { worker_connections 4096; }\n"
            "http { access_log off; sendfile on; keepalive_requests 100000000; server { "
            f"listen 127.0.0.1:{beside}; root {home}/www; default_type application/json; }} }}\n",
        )
        daemon = subprocess.Popen(
            [rasid, "run", "--config", home], stdout=subprocess.DEVNULL, env={**os.environ, "RASID_LOG": "error"}
        )
        nginx = subprocess.Popen(["nginx", "-c", os.path.join(home, "nginx.conf"), "-p", home])
        try:
            base = f"http://127.0.0.1:{port}"
            stats = lambda: json.loads(get(f"{base}/api/v1/stats"))["store"]["last_seq"]
            deadline = time.monotonic() + 60
            while True:
                try:
                    if stats() >= 1000:
                        break
                except OSError:
                    pass
                if time.monotonic() > deadline or daemon.poll() is not None:
                    sys.exit("the daemon stored no thousand items within a minute")
                time.sleep(0.2)
            page = f"{base}/api/v1/items?limit=50"
            body = get(page)
            with open(os.path.join(home, "www", "items.json"), "wb") as file:
                file.write(body)
            print(f"a page of 50 items, {len(body):,} bytes, {CONNECTIONS} connections; {os.cpu_count()} cores for all")
            for _ in range(ROUNDS):
                first, at = stats(), time.monotonic()
                rate, p99 = wrk(page)
                came = (stats() - first) / (time.monotonic() - at)
                packed, packed_p99 = wrk(page, "-H", "Accept-Encoding: gzip")
                static, static_p99 = wrk(f"http://127.0.0.1:{beside}/items.json")
                print(
                    f"rasid {rate:,.0f}/s, p99 {p99:.1f} ms, {came:.0f} items/s came in; gzip {packed:,.0f}/s, p99 "
                    f"{packed_p99:.1f} ms; nginx {static:,.0f}/s, p99 {static_p99:.1f} ms; rasid : nginx {rate / static:.3f}"
                )
            if READERS:
                asyncio.run(readers(port, daemon, stats))
        finally:
            daemon.send_signal(signal.SIGTERM)
            nginx.terminate()
            daemon.wait()
            nginx.wait()


main()
