"""Texts as numbers, by scikit-learn's TF-IDF alone: how alike two answers are, and texts as points in the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def project_2d(texts: Sequence[str]) -> list[tuple[float, float]]:
    """Each text as (x, y): TF-IDF of its runs of 2 to 4 characters, centred, then the two directions of largest variance.
    Fewer than four different texts have no map: all lie at (0, 0)."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    nowhere = [(0.0, 0.0)] * len(texts)
    weights = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=20_000, sublinear_tf=True)
    try:
        found = weights.fit_transform(texts)
    except ValueError:  # nothing but spaces
        return nowhere
    if len(set(texts)) < 4 or found.shape[1] < 4:
        return nowhere
    reduced = TruncatedSVD(3, random_state=0).fit_transform(found)
    reduced = reduced - reduced.mean(axis=0)
    _, _, axes = np.linalg.svd(reduced, full_matrices=False)
    return [(round(float(x), 4), round(float(y), 4)) for x, y in (reduced @ axes.T)[:, :2]]


def cosine_similarities(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """TF-IDF cosine of the words of each pair, 0 to 1, weighed over all pairs; two texts without words are equal or not."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    equal = [float(one.strip() == two.strip()) for one, two in pairs]
    try:
        found = TfidfVectorizer(token_pattern=r"(?u)\w+").fit_transform([text for pair in pairs for text in pair])
    except ValueError:  # no words anywhere
        return equal
    alike = np.asarray(found[0::2].multiply(found[1::2]).sum(axis=1)).ravel()
    return [max(one, min(1.0, float(two))) for one, two in zip(equal, alike, strict=True)]
