"""Products range by range: those of all markers at once, with the same bytes whoever makes them."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from budwood.stats.matrix_free import marker_ranges
from budwood.stats.matrix_free.marker_ranges import LocalRanges, RangedMarkers
from stats.matrix_free.conftest import KINDS


class Elsewhere(LocalRanges):
    """Copies ranges and columns as for another process, makes the last product first, and writes to none."""

    def hold(self, each):
        return deepcopy(each)

    def run(self, product, held, columns, exact):
        own = [columns[k if len(columns) > 1 else 0].copy() for k in range(len(held))]
        found = [
            next(super(Elsewhere, self).run(product, [deepcopy(each)], [one], exact))
            for each, one in reversed(list(zip(held, own, strict=True)))
        ]
        for each in found:
            each.flags.writeable = False
        return iter(found[::-1])


def _ranged(z, runner) -> RangedMarkers:
    return RangedMarkers(dosage=z.dosage, ploidy=z.ploidy, summary=z.summary, rows=z.rows, runner=runner)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exact", [False, True])
def test_products_are_those_of_all_markers(panel, monkeypatch, kind, exact) -> None:
    monkeypatch.setattr(marker_ranges, "_MARKERS", 20)
    z, rng = panel(kind), np.random.default_rng(0)
    found, other = _ranged(z, LocalRanges()), _ranged(z, Elsewhere())
    assert len(found._ranges[0]) > 4
    lines, effects = rng.normal(size=(len(z), 3)), rng.normal(size=(z.markers, 3))
    tolerance = 1e-12 if exact else 1e-5
    for name, columns in (("times", effects), ("transposed_times", lines), ("gram_times", lines)):
        expected = getattr(z, name)(columns, exact=exact)
        here, there = (getattr(each, name)(columns, exact=exact) for each in (found, other))
        np.testing.assert_allclose(here, expected, atol=tolerance * np.abs(expected).max())
        np.testing.assert_array_equal(here, there)
    np.testing.assert_allclose(found.squares, z.squares, rtol=1e-6)
    np.testing.assert_allclose(found.missing_squares, z.missing_squares, rtol=1e-12)
    assert found.spread == pytest.approx(z.spread, rel=1e-6)
    assert found.unit == z.unit
