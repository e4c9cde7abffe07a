"""Which names share rare letter triples with a text: a first look that forgives misspelling."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

# Okapi BM25 with its usual constants; a triple counts once in a name.
_K1, _B = 1.2, 0.75
_BASE = 1 << 21
"""More than there are code points (Unicode ends at 0x10FFFF)."""


class Trigrams:
    """An inverted index in memory, made when a gazetteer is opened; read by many threads.

    Arrays: `_codes` the triples in order, `_starts` where the names of each begin in `_names`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._count = len(texts)
        codes, owners = _triples(texts)
        # A name counts once for each triple, however often it has it.
        both = np.unique(np.stack([codes, owners]), axis=1) if len(codes) else np.zeros((2, 0), int)
        self._codes, starts = np.unique(both[0], return_index=True)
        self._starts = np.append(starts, both.shape[1])
        self._names = both[1]
        lengths = np.bincount(self._names, minlength=self._count).astype(float)
        usual = float(lengths.mean()) if self._count else 1.0
        self._norm = (_K1 + 1) / (1 + _K1 * (1 - _B + _B * lengths / max(usual, 1e-9)))

    def alike(self, texts: Iterable[str], *, limit: int) -> list[int]:
        """The positions of the names that share most with the texts, best first; ties by place."""
        asked, _ = _triples(list(texts))
        asked = np.unique(asked)
        at = np.searchsorted(self._codes, asked)
        known = [
            int(i)
            for i, code in zip(at, asked, strict=True)
            if i < len(self._codes) and self._codes[i] == code
        ]
        if not known:
            return []
        parts = [self._names[self._starts[i] : self._starts[i + 1]] for i in known]
        worth = [self._worth(len(part)) for part in parts]
        scores = self._norm * np.bincount(
            np.concatenate(parts),
            weights=np.repeat(worth, [len(part) for part in parts]),
            minlength=self._count,
        )
        found = np.flatnonzero(scores)
        if len(found) > limit:
            least = np.partition(scores[found], -limit)[-limit]
            found = found[scores[found] >= least]
        return [int(i) for i in found[np.lexsort((found, -scores[found]))][:limit]]

    def _worth(self, names: int) -> float:
        return max(1e-6, math.log((self._count - names + 0.5) / (names + 0.5)))


def _triples(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every three letters in a row as one number, and the text each comes from."""
    joined = "\n".join(texts) + "\n\n"
    letters = np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
    breaks = letters == ord("\n")
    owner = np.cumsum(breaks) - breaks
    codes = (letters[:-2] * _BASE + letters[1:-1]) * _BASE + letters[2:]
    whole = ~(breaks[:-2] | breaks[1:-1] | breaks[2:])
    return codes[whole], owner[:-2][whole]
