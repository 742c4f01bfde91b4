"""What scikit-learn makes of the same sections on the same splits; see sections.rs. Its argument is the file of articles."""

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
rows = [json.loads(line) for line in gzip.open(sys.argv[1], "rt", encoding="utf-8")]
texts = [row["title"] + " " + row["text"] for row in rows]
sections = np.array([MERGED.get(row["label"], row["label"]) for row in rows])
outlets = np.array([row["source"] for row in rows])
places = np.arange(len(rows))


def some(chosen):
    return [texts[at] for at in np.flatnonzero(chosen)]


splits = [(outlet, outlets == outlet) for outlet in sorted(set(outlets))] + [("random", places % 5 == 0)]
for name, test in splits:
    begun = time.time()
    vectorizer = TfidfVectorizer()
    model = LinearSVC().fit(vectorizer.fit_transform(some(~test)), sections[~test])
    learned = time.time() - begun
    begun = time.time()
    said = model.predict(vectorizer.transform(some(test)))
    speed = test.sum() / (time.time() - begun)
    accuracy = 100 * accuracy_score(sections[test], said)
    f1 = 100 * f1_score(sections[test], said, average="macro")
    print(f"  {name:10} accuracy {accuracy:.2f}  macro-F1 {f1:.2f}  learned in {learned:.1f}s  {speed:.0f} articles/s", flush=True)

stream, test = places % 5 == 1, places % 5 == 0
vectorizer = TfidfVectorizer(sublinear_tf=True)
of_stream = vectorizer.fit_transform(some(stream))
of_test = vectorizer.transform(some(test))
centre = np.asarray(of_stream.mean(axis=0)).ravel()
rocchio, logistic = [], []
for section in sorted(set(sections)):
    known = np.flatnonzero((places % 5 > 1) & (sections == section))
    for draw in range(5):
        examples = vectorizer.transform([texts[known[(draw * 5 + n) * 7 % len(known)]] for n in range(5)])
        profile = np.asarray(examples.mean(axis=0)).ravel() - 0.25 * centre
        rocchio.append(average_precision_score(sections[test] == section, of_test @ profile))
        both = LogisticRegression(class_weight="balanced", C=10, max_iter=1000)
        both.fit(scipy.sparse.vstack([examples, of_stream]), [1] * 5 + [0] * of_stream.shape[0])
        logistic.append(average_precision_score(sections[test] == section, both.decision_function(of_test)))
print(f"  from five examples: average precision {np.mean(rocchio):.3f} (Rocchio), {np.mean(logistic):.3f} (balanced logistic)")
