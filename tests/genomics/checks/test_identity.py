from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.checks import identity
from budwood.genomics.checks.identity import identity_report
from budwood.genomics.genotypes import Genotypes

names = st.lists(st.text("ab1-_ X0", min_size=1, max_size=5), max_size=8)


@settings(deadline=None)
@given(names, names)
def test_every_id_is_told_once_and_as_written(genotyped: list[str], phenotyped: list[str]) -> None:
    if genotyped and phenotyped and not set(genotyped) & set(phenotyped):
        with pytest.raises(BudwoodError, match="no accession in common"):
            identity_report(genotyped, phenotyped)
        return
    report = identity_report(genotyped, phenotyped)
    assert set(report.in_both) == set(genotyped) & set(phenotyped)
    assert sorted(report.in_both + report.only_genotyped) == sorted(set(genotyped))
    assert sorted(report.in_both + report.only_phenotyped) == sorted(set(phenotyped))
    assert all(left in genotyped and right in phenotyped for left, right in report.near_misses)
    assert all(left != right for left, right in report.near_misses)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("B73", "b73"),
        ("NSFTV_1", "NSFTV 1"),
        ("NSFTV_1", "NSFTV-001"),
        ("0811", "811"),
        ("X811", "811"),
        ("PI 152651", "PI152651"),
        ("02MB-104", "2mb_104"),
        ("A 1 ", "A1"),
    ],
)
def test_spellings_that_differ_slightly_are_near_misses(here: str, there: str) -> None:
    report = identity_report(["common", here], ["common", there])
    assert report.near_misses == ((here, there),)
    assert report.in_both == ("common",)


@pytest.mark.parametrize(("here", "there"), [("1-23", "12-3"), ("L10", "L1"), ("A1", "B1"), ("10", "1")])
def test_other_ids_are_not(here: str, there: str) -> None:
    assert identity_report(["common", here], ["common", there]).near_misses == ()


def test_no_common_accession_names_near_misses_as_the_mend() -> None:
    with pytest.raises(BudwoodError, match="'b73' and 'B73', 'mo17' and 'Mo17'"):
        identity_report(["b73", "mo17"], ["B73", "Mo17"])
    with pytest.raises(BudwoodError, match="genotypes have x, phenotypes have y"):
        identity_report(["x"], ["y"])


def test_duplicates_are_counted_and_one_file_alone_is_allowed() -> None:
    report = identity_report(["a", "a", "b"], [])
    assert report.genotype_duplicates == {"a": 2}
    assert report.only_genotyped == ("a", "b")
    assert any("More than once in the genotypes: a." in sentence for sentence in report.sentences())


def similarity(left: np.ndarray, right: np.ndarray, ploidy: int) -> tuple[float, int]:
    """Similarity by state from its definition."""
    both = (left >= 0) & (right >= 0)
    distance = np.abs(left[both].astype(int) - right[both].astype(int)) / ploidy
    return 1 - float(distance.mean()), int(both.sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4, 6]), st.integers(2, 9))
def test_similarity_by_state_is_that_of_the_definition(seed: int, ploidy: int, n: int) -> None:
    random = np.random.default_rng(seed)
    copies = random.integers(0, ploidy + 1, (n, 150)).astype(np.int8)
    copies[1] = np.where(random.random(150) < 0.01, 0, copies[0])
    copies[random.random(copies.shape) < 0.1] = -1
    signs = identity._Signs.of(copies, ploidy)
    found, joint = signs.similarity(signs)
    for i in range(n):
        for j in range(n):
            expected = similarity(copies[i], copies[j], ploidy)
            assert found[i, j] == pytest.approx(expected[0], abs=1e-6)
            assert joint[i, j] == expected[1]


def panel(seed: int = 0, n: int = 40, m: int = 600) -> Genotypes:
    random = np.random.default_rng(seed)
    dosage = random.integers(0, 3, (n, m)).astype(np.int8)
    dosage[30] = dosage[3]
    dosage[30, :3] = 2 - dosage[3, :3]
    dosage[30, 100:160] = -1
    return Genotypes.from_matrix([f"L{i}" for i in range(n)], dosage)


def test_the_same_line_under_two_names_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    genotypes = panel()
    report = identity_report(genotypes.accessions, genotypes.accessions, genotypes)
    assert [(p.first, p.second, p.markers) for p in report.identical] == [("L3", "L30", 540)]
    assert (report.identical_count, report.markers_compared, report.markers) == (1, 600, 600)
    assert json.loads(json.dumps(report.as_dict()))["identical"][0]["first"] == "L3"
    monkeypatch.setattr(identity, "_ROWS", 7)
    assert identity_report(genotypes.accessions, [], genotypes).identical == report.identical


def test_mixed_ploidy_and_fractional_dosage_are_compared_by_frequency() -> None:
    whole = panel()
    ploidy = np.full(40, 2, dtype=np.int8)
    ploidy[30] = 4
    dosage = whole.dosage.astype(np.float32)
    dosage[dosage < 0] = np.nan
    dosage[30] *= 2
    dosage[:30] = np.clip(dosage[:30] + 0.02, 0, 2)
    mixed = Genotypes(whole.accessions, whole.markers, dosage, ploidy)
    assert [(p.first, p.second) for p in identity_report(mixed.accessions, [], mixed).identical] == [
        ("L3", "L30")
    ]


def test_alike_everywhere_and_few_markers_tell_nothing() -> None:
    same = Genotypes.from_matrix(["a", "b"], np.zeros((2, 500), dtype=np.int8))
    report = identity_report(["a", "b"], [], same)
    assert (report.identical_count, report.markers_compared) == (0, 0)
    few = Genotypes.from_matrix(["a", "b", "c"], np.array([[0] * 50, [0] * 50, [2] * 50], dtype=np.int8))
    assert identity_report(few.accessions, [], few).identical_count == 0


def test_many_markers_are_thinned_evenly_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_MOST_MARKERS", 300)
    monkeypatch.setattr(identity, "_FEWEST_MARKERS", 300)
    report = identity_report(panel().accessions, [], panel())
    assert report.markers_compared == 300
    assert any("300 polymorphic markers, chosen evenly out of 600" in s for s in report.sentences())


def test_at_most_a_thousand_pairs_are_listed_and_all_are_counted() -> None:
    random = np.random.default_rng(5)
    dosage = np.repeat(random.integers(0, 3, (2, 200)).astype(np.int8), 40, axis=0)
    clones = Genotypes.from_matrix([f"c{i}" for i in range(80)], dosage)
    report = identity_report(clones.accessions, [], clones)
    assert report.identical_count == 2 * 40 * 39 // 2
    assert len(report.identical) == 1000


def test_a_text_before_every_id_is_named() -> None:
    numbers = [str(n) for n in range(1, 40, 3)]
    named = [f"NSFTV_{n}" for n in range(1, 40)]
    with pytest.raises(BudwoodError, match="the phenotypes have 'NSFTV_' before the genotypes' ids"):
        identity_report(numbers, named)
    with pytest.raises(BudwoodError, match="the genotypes have 'NSFTV_' before the phenotypes' ids"):
        identity_report(named, numbers)
    with pytest.raises(BudwoodError, match="check the files"):
        identity_report(["L1", "L2"], ["X7", "X8"])
