"""What datasketch, rensa and gaoya make of the same texts: see copies.rs. Its argument is the folder of the texts; with the
name of one of them it measures that one, else each in a process of its own.

    pip install datasketch rensa gaoya

MinHash of 128 permutations over shingles of three words, LSH for a Jaccard similarity of .5. Words come normalized and cut;
making shingles of them is not timed, except in gaoya, which makes them itself. Times are the processor's for this process.
"""

import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

folder = Path(sys.argv[1])


def texts(name):
    return (folder / name).read_text(encoding="utf-8").splitlines()


def shingles(text):
    words = text.split(" ")
    return list({" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))})


def resident():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


class Datasketch:
    def __init__(self):
        from datasketch import MinHash, MinHashLSH

        self.make, self.index = MinHash, MinHashLSH(threshold=0.5, num_perm=128)

    prepared = staticmethod(lambda text: [shingle.encode() for shingle in shingles(text)])

    def sign(self, text):
        signature = self.make(num_perm=128)
        signature.update_batch(text)
        return signature

    def query(self, signature):
        return self.index.query(signature)

    def insert(self, key, signature):
        self.index.insert(key, signature)


class Rensa:
    def __init__(self):
        from rensa import RMinHash, RMinHashLSH

        self.make, self.index = RMinHash, RMinHashLSH(threshold=0.5, num_perm=128, num_bands=32)

    prepared = staticmethod(shingles)

    def sign(self, text):
        signature = self.make(num_perm=128, seed=42)
        signature.update(text)
        return signature

    def query(self, signature):
        return self.index.query(signature)

    def insert(self, key, signature):
        self.index.insert(key, signature)


class RensaVerified(Rensa):
    """What its buckets bring, compared by signature: without that it calls far more texts copies."""

    def __init__(self):
        super().__init__()
        self.signatures = {}

    def query(self, signature):
        return [key for key in self.index.query(signature) if self.signatures[key].jaccard(signature) >= 0.5]

    def insert(self, key, signature):
        super().insert(key, signature)
        self.signatures[key] = signature


class Gaoya:
    def __init__(self):
        from gaoya.minhash import MinHashStringIndex

        self.index = MinHashStringIndex(
            hash_size=32, jaccard_threshold=0.5, num_bands=32, band_size=4, num_hashes=128, analyzer="word", ngram_range=(3, 3)
        )

    prepared = staticmethod(lambda text: text)

    def sign(self, text):
        return text

    def query(self, text):
        return self.index.query(text)

    def insert(self, key, text):
        self.index.insert_document(key, text)


def speed(library):
    prepared = [library.prepared(text) for text in texts("stream")]
    index = library()
    before, begun = resident(), time.process_time()
    for key, text in enumerate(prepared):
        signature = index.sign(text)
        if not index.query(signature):
            index.insert(key, signature)
    taken = time.process_time() - begun
    return len(prepared) / taken, (resident() - before) / len(prepared)


def recall(library):
    index = library()
    for key, text in enumerate(texts("known")):
        index.insert(key, index.sign(library.prepared(text)))
    scores = defaultdict(lambda: [0, 0])
    for line in texts("new"):
        change, of, text = line.split("\t")
        found = index.query(index.sign(library.prepared(text)))
        scores[change][0] += 1
        scores[change][1] += bool(found) if of == "-" else int(of) in found
    return "".join(f"  {change} {100 * right / count:.1f}" for change, (count, right) in sorted(scores.items()))


LIBRARIES = {"datasketch": Datasketch, "rensa": Rensa, "rensa, checked": RensaVerified, "gaoya": Gaoya}
for name in sys.argv[2:]:
    try:
        a_second, bytes_each = speed(LIBRARIES[name])
        print(f"{name:14} {a_second:>6.0f} {bytes_each:>7.0f}{recall(LIBRARIES[name])}", flush=True)
    except ImportError as error:
        print(f"{name:14} SKIPPED: {error}; it is installed by: pip install datasketch rensa gaoya", flush=True)
if not sys.argv[2:]:
    for name in LIBRARIES:
        subprocess.run([sys.executable, __file__, folder, name], check=True)
