"""Markers of one file found in another: by place, by name, swapped, on the other strand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.genomics.checks.marker_match import match_markers
from budwood.genomics.genotypes import Genotypes, Markers

PAIRS = [("A", "G"), ("C", "T"), ("G", "T"), ("A", "C"), ("AT", "A"), ("G", "GCC")]


def _markers(names, contigs, places, counted, other) -> Markers:
    return Markers(
        np.array(names, dtype=object),
        np.array(contigs, dtype=object),
        np.array(places, dtype=np.int64),
        np.array(counted, dtype=object),
        np.array(other, dtype=object),
    )


def _panel(seed: int, m: int = 30, n: int = 6, ploidy: int = 2) -> Genotypes:
    rng = np.random.default_rng(seed)
    pairs = [PAIRS[i] for i in rng.integers(len(PAIRS), size=m)]
    markers = _markers(
        [f"m{j}" for j in range(m)],
        ["chr01" if j < m // 2 else "chr02" for j in range(m)],
        100 + 10 * np.arange(m),
        [counted for counted, _ in pairs],
        [other for _, other in pairs],
    )
    dosage = rng.integers(-1, ploidy + 1, (n, m)).astype(np.int8)
    return Genotypes(tuple(f"l{i}" for i in range(n)), markers, dosage, np.full(n, ploidy, dtype=np.int8))


def _turned(letters: str) -> str:
    return letters.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def _written_differently(
    panel: Genotypes, rng: np.random.Generator, contigs: dict[str, str], *, strand: bool
) -> Genotypes:
    """The same calls with markers in another order, alleles swapped at random, perhaps the other strand."""
    m = len(panel.markers)
    order, swap = rng.permutation(m), rng.random(m) < 0.5
    flip = (rng.random(m) < 0.5) if strand else np.zeros(m, dtype=bool)
    dosage, counted, other = panel.dosage.copy(), panel.markers.counted.copy(), panel.markers.other.copy()
    for j in range(m):
        if swap[j]:
            counted[j], other[j] = other[j], counted[j]
            known = dosage[:, j] >= 0
            dosage[known, j] = panel.ploidy[known] - dosage[known, j]
        if flip[j]:
            counted[j], other[j] = _turned(counted[j]), _turned(other[j])
    markers = Markers(
        np.array([f"other{j}" for j in range(m)], dtype=object),
        np.array([contigs[name] for name in panel.markers.contig], dtype=object),
        panel.markers.position,
        counted,
        other,
    )
    return Genotypes(panel.accessions, markers, dosage, panel.ploidy).take_markers(order)


@given(
    seed=st.integers(0, 10_000),
    ploidy=st.sampled_from([1, 2, 4, 6]),
    contigs=st.sampled_from(
        [("chr01", "chr02"), ("1", "2"), ("Chr1", "Chr2"), ("CHROMOSOME_01", "chromosome_02"), ("01", "02")]
    ),
    strand=st.booleans(),
)
def test_the_same_calls_written_differently_are_the_same_dosages(seed, ploidy, contigs, strand) -> None:
    panel = _panel(seed, ploidy=ploidy)
    names = dict(zip(("chr01", "chr02"), contigs, strict=True))
    other = _written_differently(panel, np.random.default_rng(seed + 1), names, strand=strand)
    match = match_markers(panel.markers, other.markers)
    assert match.by_place
    assert match.matched == len(panel.markers)
    np.testing.assert_array_equal(match.dosage(other), panel.dosage)
    assert bool(match.renamed) == (contigs[0] != "chr01")


def test_without_places_names_match_and_absent_markers_are_missing() -> None:
    panel = _panel(3)
    blank = np.full(30, "", dtype=object)
    bare = Markers(
        panel.markers.identifier, blank, np.full(30, -1), panel.markers.counted, panel.markers.other
    )
    found = Genotypes(panel.accessions, bare, panel.dosage, panel.ploidy).take_markers(np.arange(29, 9, -1))
    match = match_markers(panel.markers, found.markers)
    assert not match.by_place
    assert match.matched == 20
    assert (match.dosage(found)[:, :10] == -1).all()
    np.testing.assert_array_equal(match.dosage(found)[:, 10:], panel.dosage[:, 10:])


@pytest.mark.parametrize(
    ("wanted", "found", "swapped"),
    [
        (("A", "G"), ("A", ""), False),
        (("A", "G"), ("G", ""), True),
        (("A", "G"), ("", "A"), True),
        (("A", "G"), ("c", "t"), True),
        (("A", "G"), ("T", "C"), False),
        (("", ""), ("A", "G"), False),
        (("A", "G"), ("", ""), False),
    ],
)
def test_letters_that_one_file_lacks(wanted, found, swapped) -> None:
    ours, theirs = (_markers(["m"], ["1"], [5], [counted], [other]) for counted, other in (wanted, found))
    match = match_markers(ours, theirs)
    assert match.matched == 1
    assert match.swapped.tolist() == [swapped]
    assert match.without_letters == (not any(wanted) or not any(found))


def test_other_alleles_are_missing_and_counted() -> None:
    ours = _markers(["a", "b"], ["1", "1"], [5, 9], ["A", "A"], ["C", "C"])
    theirs = _markers(["a", "b"], ["1", "1"], [5, 9], ["A", "A"], ["G", "C"])
    match = match_markers(ours, theirs)
    assert match.column.tolist() == [-1, 1]
    assert match.other_alleles == 1
    assert "Counted as missing: 1 marker with other alleles" in " ".join(match.notes())


def test_a_multi_allelic_site_gives_the_marker_of_the_same_alleles() -> None:
    ours = _markers(["s:T"], ["1"], [5], ["T"], ["A"])
    theirs = _markers(["s:C", "s:T"], ["1", "1"], [5, 5], ["C", "T"], ["A", "A"])
    assert match_markers(ours, theirs).column.tolist() == [1]


def test_ambiguous_markers_are_reported_and_left_out_where_the_strand_is_in_doubt() -> None:
    ours = _markers(["a", "b"], ["1", "1"], [5, 9], ["A", "A"], ["T", "C"])
    same = match_markers(ours, ours)
    assert (same.matched, same.ambiguous, same.ambiguous_left_out) == (2, 1, 0)
    assert "Used as written" in " ".join(same.notes())
    theirs = _markers(["a", "b"], ["1", "1"], [5, 9], ["A", "T"], ["T", "G"])
    other = match_markers(ours, theirs)
    assert other.column.tolist() == [-1, 1]
    assert other.ambiguous_left_out == 1


def test_fractional_dosages_keep_their_missing_value() -> None:
    panel = _panel(1)
    dosage = np.where(panel.dosage < 0, np.nan, panel.dosage + 0.0).astype(np.float32)
    fractional = Genotypes(panel.accessions, panel.markers, dosage, panel.ploidy)
    np.testing.assert_array_equal(match_markers(panel.markers, panel.markers).dosage(fractional), dosage)


def test_markers_of_one_place_are_used_once_each_and_a_single_one_does_not_cast_doubt_on_the_strand() -> None:
    """Two markers of one place, one of them written for the other strand by chance of its letters."""
    rng = np.random.default_rng(0)
    count = 300
    letters = [PAIRS[i] for i in rng.integers(4, size=count - 3)]
    pairs = [*letters, ("A", "T"), ("A", "G"), ("T", "C")]
    places = [*range(count - 2), count - 3, count - 3]
    panel = _markers(
        [f"m{j}" for j in range(count)],
        ["1"] * count,
        places,
        [counted for counted, _ in pairs],
        [other for _, other in pairs],
    )
    order = rng.permutation(count)
    match = match_markers(panel, panel.take(order))
    assert order[match.column].tolist() == list(range(count))
    assert match.ambiguous_left_out == 0
    assert match.ambiguous == 1
