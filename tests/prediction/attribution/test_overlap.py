"""The matched permutation test: right where nothing is there, and sure where something is."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, Gene
from budwood.genomics.interval import Interval
from budwood.prediction.attribution.overlap import gene_density, inside_regions, overlap_regions

WINDOWS = [Interval(c, 512 * k, 512 * k + 512) for c in ("c1", "c2") for k in range(150)]


def regions(rows: list[int]) -> list[tuple[str, int, int]]:
    return [(WINDOWS[row].contig, WINDOWS[row].start + 10, WINDOWS[row].end - 10) for row in rows]


def test_p_is_uniform_where_regions_are_drawn_at_random() -> None:
    random = np.random.default_rng(0)
    found = []
    for seed in range(60):
        importance = random.exponential(size=300)
        chosen = regions(random.choice(300, 10, replace=False).tolist())
        found.append(overlap_regions(WINDOWS, importance, chosen, permutations=99, seed=seed).p)
    assert 0.35 < np.mean(found) < 0.65
    assert np.mean(np.array(found) <= 0.1) < 0.25


def test_gene_density_explains_away_what_genes_alone_do() -> None:
    density = np.zeros(300)
    density[::3] = 1.0
    importance = 1.0 + 5.0 * density + np.random.default_rng(1).normal(scale=0.1, size=300)
    chosen = regions(list(range(0, 90, 9)))
    assert overlap_regions(WINDOWS, importance, chosen).p < 0.01
    matched = overlap_regions(WINDOWS, importance, chosen, gene_density=density)
    assert matched.p > 0.05
    assert matched.enrichment == pytest.approx(1.0, abs=0.05)


def test_regions_that_hold_the_important_windows_are_found() -> None:
    importance = np.random.default_rng(2).exponential(size=300)
    importance[20:24] += 20
    found = overlap_regions(WINDOWS, importance, [("c1", 20 * 512, 24 * 512)])
    assert found.inside == 4
    assert found.auroc == 1.0
    assert found.enrichment > 5
    assert found.p <= 0.02
    assert inside_regions(WINDOWS, [("c1", 20 * 512, 24 * 512)]).sum() == 4


def test_regions_elsewhere_are_refused() -> None:
    with pytest.raises(BudwoodError, match="no region holds a window"):
        overlap_regions(WINDOWS, np.ones(300), [("c9", 0, 100)])
    with pytest.raises(BudwoodError, match="hold every window"):
        overlap_regions(WINDOWS, np.ones(300), [("c1", 0, 10**6), ("c2", 0, 10**6)])


def test_gene_density_counts_overlapping_genes_once() -> None:
    genes = (Gene("a", "c1", 0, 300, "+"), Gene("b", "c1", 200, 768, "-"))
    found = gene_density(WINDOWS[:3], Annotation(genes))
    np.testing.assert_allclose(found, [1.0, 0.5, 0.0])
