"""What scikit-learn makes of the same sections and stories; see sections.rs, which starts this with the file of articles as
argument, and the draws of five examples on the standard input."""

import gzip
import json
import sys
import time

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score
from sklearn.svm import LinearSVC

MERGED = {"internationalNews": "world", "middleEast": "world"}
asked = json.load(sys.stdin)
rows = [json.loads(line) for line in gzip.open(sys.argv[1], "rt", encoding="utf-8")]
texts = [row["title"] + " " + row["text"] for row in rows]
sections = np.array([MERGED.get(row["label"], row["label"]) for row in rows])
outlets = np.array([row["source"] for row in rows])
places = np.arange(len(rows))


def some(chosen):
    return [texts[at] for at in np.flatnonzero(chosen)]


splits = [(outlet, outlets == outlet) for outlet in sorted(set(outlets))] + [("random", places % 5 == 0)]
for name, test in [] if asked["only_five"] else splits:
    begun = time.thread_time()
    vectorizer = TfidfVectorizer()
    model = LinearSVC().fit(vectorizer.fit_transform(some(~test)), sections[~test])
    learned = time.thread_time() - begun
    judged = some(test)
    # The best of three, as on the other side.
    speed = 0
    for _ in range(3):
        begun = time.thread_time()
        said = model.predict(vectorizer.transform(judged))
        speed = max(speed, len(judged) / (time.thread_time() - begun))
    accuracy = 100 * accuracy_score(sections[test], said)
    f1 = 100 * f1_score(sections[test], said, average="macro")
    print(f"  {name:10} accuracy {accuracy:.2f}  macro-F1 {f1:.2f}  learned in {learned:.1f}s  {speed:.0f} articles/s", flush=True)

for number, half in enumerate(asked["halves"]):
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    stream = vectorizer.fit_transform([texts[at] for at in half["stream"]])
    test = vectorizer.transform([texts[at] for at in half["test"]])
    centre = np.asarray(stream.mean(axis=0)).ravel()
    for kind in ["section", "story"]:
        rocchio, logistic = [], []
        for task in asked["tasks"]:
            if task["half"] != number or task["kind"] != kind:
                continue
            relevant = np.isin(half["test"], task["relevant"])
            of_rocchio, of_logistic = [], []
            for draw in task["draws"]:
                examples = vectorizer.transform([texts[at] for at in draw])
                profile = np.asarray(examples.mean(axis=0)).ravel() - 0.25 * centre
                of_rocchio.append(average_precision_score(relevant, test @ profile))
                both = LogisticRegression(class_weight="balanced", C=10, max_iter=1000)
                both.fit(scipy.sparse.vstack([examples, stream]), [1] * len(draw) + [0] * stream.shape[0])
                of_logistic.append(average_precision_score(relevant, both.decision_function(test)))
            rocchio.append(of_rocchio)
            logistic.append(of_logistic)
        said = [
            f"{np.mean([np.mean(one) for one in each]):.3f} ± {np.mean([np.std(one) for one in each]):.3f}"
            for each in (rocchio, logistic)
        ]
        print(
            f"  from five, half {number}, {len(rocchio):2} × {kind:7} average precision {said[0]} (Rocchio), {said[1]} (balanced logistic)",
            flush=True,
        )
