"""Loci, burdens and importance by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.interval import Interval
from budwood.stats.mixed_model.reml import reml
from budwood.transfer.attribution import locus_overlap
from budwood.transfer.burdens import locus_burdens
from budwood.transfer.locus_importance import association, locus_importance, marker_weights
from budwood.transfer.locus_map import LocusMap, locus_members, orthologous_loci, window_loci


def markers(contigs: list[str], positions: list[int]) -> Markers:
    words = np.array(contigs, dtype=object)
    names = np.array([f"m{i}" for i in range(len(contigs))], dtype=object)
    empty = np.full(len(contigs), "", dtype=object)
    return Markers(names, words, np.array(positions, dtype=np.int64), empty, empty)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(["1", "2"]), st.integers(-1, 60)), min_size=1, max_size=25),
    st.lists(
        st.tuples(st.sampled_from(["chr01", "Chr2", "3"]), st.integers(0, 50), st.integers(1, 9)), max_size=8
    ),
    st.integers(0, 12),
)
def test_members_are_the_markers_within_reach(
    placed: list[tuple[str, int]], loci: list[tuple[str, int, int]], reach: int
) -> None:
    held = markers([contig for contig, _ in placed], [place for _, place in placed])
    intervals = [Interval(contig, start, start + length) for contig, start, length in loci]
    found = locus_members(intervals, held, reach).toarray()
    plain = {"chr01": "1", "Chr2": "2", "3": "3"}
    for row, locus in enumerate(intervals):
        for column, (contig, place) in enumerate(placed):
            near = locus.start - reach <= place < locus.end + reach
            inside = plain[locus.contig] == contig and place >= 0 and near
            assert found[row, column] == inside


def test_windows_are_those_in_which_both_have_markers() -> None:
    one = markers(["Chr1", "Chr1", "Chr2"], [10, 250, 10])
    other = markers(["1", "2", "2"], [90, 90, -1])
    assert window_loci([one, other], size=100).names == ("1:1-100", "2:1-100")


def test_pairs_without_places_are_refused_and_paralogs_are_kept() -> None:
    here = {"a": Interval("1", 0, 5)}
    there = {"x": Interval("1", 9, 12), "y": Interval("2", 9, 12)}
    assert len(orthologous_loci([("a", "x"), ("a", "y"), ("a", "x"), ("b", "x")], here, there)) == 2
    with pytest.raises(BudwoodError, match="none of the 1 gene pairs"):
        orthologous_loci([("b", "x")], here, there)


def test_burdens_count_the_rarer_allele_where_no_letters_are_given() -> None:
    dosage = np.array([[2, 0], [2, 0], [2, 2], [0, -1]], dtype=np.int8)
    panel = Genotypes.from_matrix(list("abcd"), dosage)
    members = csr_matrix(np.array([[1.0, 0.0], [0.0, 1.0]]))
    found = locus_burdens(panel, members, np.array([1.0, 3.0]))
    np.testing.assert_allclose(found[:, 0], [0, 0, 0, 1])
    np.testing.assert_allclose(found[:, 1], [0, 0, 3, 1])  # a missing call takes the mean


def test_association_is_the_squared_wald_statistic_of_each_marker() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=(40, 5))
    z -= z.mean(axis=0)
    kernel = z @ z.T / 5.0 + 0.2 * np.eye(40)
    y = z[:, 0] + rng.normal(size=40)
    components = reml(y, [kernel])
    v = np.linalg.inv(components.kernels[0] * kernel + components.residual * np.eye(40))
    ones = np.ones((40, 1))
    p = v - v @ ones @ np.linalg.inv(ones.T @ v @ ones) @ ones.T @ v
    expected = [(z[:, j] @ p @ y) ** 2 / (z[:, j] @ p @ z[:, j]) for j in range(5)]
    found = association(np.column_stack([z, np.zeros(40)]), y[None], kernel)[0]
    np.testing.assert_allclose(found[:5], expected, rtol=1e-6)
    assert found[5] == 0.0


def test_importance_is_the_mean_above_the_usual_and_weights_take_the_largest() -> None:
    members = csr_matrix(np.array([[1.0, 1.0, 0, 0], [0, 1.0, 1.0, 0], [0, 0, 0, 0]]))
    importance = locus_importance(np.array([8.0, 4.0, 0.0, 0.0]), members)
    np.testing.assert_allclose(importance, [3.0, 0.0, 0.0])
    np.testing.assert_allclose(marker_weights(importance, members), [3.0, 3.0, 0.0, 0.0])


def test_overlap_is_found_where_it_is_and_not_where_it_is_not() -> None:
    loci = tuple(Interval("1", 100 * i, 100 * i + 50) for i in range(200))
    pairs = LocusMap(names=tuple(map(str, range(200))), source=loci, target=loci, kind="orthologous genes")
    rng = np.random.default_rng(2)
    source = rng.exponential(size=200)
    same = locus_overlap(pairs, source, source + 0.1 * rng.random(200))
    assert same is not None
    assert same.p_value < 0.01
    p = []
    for seed in range(40):
        other = locus_overlap(pairs, source, np.random.default_rng(seed).exponential(size=200))
        assert other is not None
        p.append(other.p_value)
    assert np.mean(np.array(p) < 0.1) < 0.3
    assert locus_overlap(pairs, source, np.zeros(200)) is None
