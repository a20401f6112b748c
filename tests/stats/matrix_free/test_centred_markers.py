"""Products in blocks equal those of the whole centred matrix."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.stats.matrix_free import centred_markers
from budwood.stats.relationship.relationship import centre, centred_products
from stats.matrix_free.conftest import KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("entries", [centred_markers._ENTRIES, 1000])
def test_products_equal_those_of_the_whole_matrix(panel, kind, entries, monkeypatch) -> None:
    monkeypatch.setattr(centred_markers, "_ENTRIES", entries)
    z = panel(kind)
    rows = np.arange(len(z.dosage)) if z.rows is None else z.rows
    whole = centre(z.dosage, z.ploidy, z.summary)[rows]
    gram = centred_products(z.dosage, z.ploidy, z.summary).products[np.ix_(rows, rows)]
    rng = np.random.default_rng(0)
    effects, lines = rng.normal(size=(z.markers, 3)), rng.normal(size=(len(z), 3))
    for exact, tolerance in ((True, 1e-12), (False, 3e-6)):
        close = {"rtol": 0.0, "atol": tolerance * np.abs(gram).max()}
        np.testing.assert_allclose(z.times(effects, exact=exact), whole @ effects, **close)
        np.testing.assert_allclose(z.transposed_times(lines, exact=exact), whole.T @ lines, **close)
        np.testing.assert_allclose(z.gram_times(lines, exact=exact), gram @ lines, **close)
    np.testing.assert_allclose(z.squares, np.diagonal(gram), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_nothing_but_the_order_of_sums(panel, kind, monkeypatch) -> None:
    z = panel(kind)
    rng = np.random.default_rng(0)
    effects, lines = rng.normal(size=(z.markers, 3)), rng.normal(size=(len(z), 3))
    monkeypatch.setattr(centred_markers, "_ENTRIES", 1000)
    alone = z.times(effects), z.transposed_times(lines), z.gram_times(lines)
    monkeypatch.setattr(centred_markers, "_LONG_PASS", 0)
    monkeypatch.setattr(centred_markers, "processor_threads", lambda: 3)
    for found, expected in zip(
        (z.times(effects), z.transposed_times(lines), z.gram_times(lines)), alone, strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12 * np.abs(expected).max())
