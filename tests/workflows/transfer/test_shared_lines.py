"""Lines of the same name on both sides: their genotypes say whether they are the same lines."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes, Markers
from budwood.workflows.transfer.shared_lines import shared_line_notes
from budwood.workflows.transfer.sides import Side


def side(dosage: np.ndarray, start: int = 0) -> Side:
    """Phenotyped lines ``line0``, ``line1`` ... at markers every 1,000 bases."""
    n, m = dosage.shape
    letters = [np.full(m, letter, dtype=object) for letter in ("1", "A", "G")]
    names = np.array([f"m{start + j}" for j in range(m)], dtype=object)
    markers = Markers(names, letters[0], start + np.arange(m, dtype=np.int64) * 1000, *letters[1:])
    lines = tuple(f"line{i}" for i in range(n))
    genotypes = Genotypes(lines, markers, dosage.astype(np.int8), np.full(n, 2, dtype=np.int8))
    return Side(genotypes=genotypes, rows=np.arange(n), y=np.zeros(n), name="s", trait="t", provenance="")


def lines(seed: int, n: int = 20, m: int = 200) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 2 * rng.binomial(1, rng.uniform(0.2, 0.8, m), (n, m))


def test_the_same_lines_are_warned_of() -> None:
    (note,) = shared_line_notes(side(lines(1)), side(lines(1)), two_species=False)
    assert note.startswith("Warning: 20 of the 20 target lines")
    assert "by their names and genotypes, such as line0" in note


def test_genotyping_errors_and_missing_calls_make_no_other_line() -> None:
    rng, again = np.random.default_rng(3), lines(1)
    wrong = rng.random(again.shape)
    again[wrong < 0.05] = 2 - again[wrong < 0.05]
    again[wrong > 0.9] = -1
    (note,) = shared_line_notes(side(lines(1)), side(again), two_species=False)
    assert note.startswith("Warning: 20 of the 20")


def test_only_lines_that_are_the_same_are_counted() -> None:
    mixed = np.vstack([lines(2)[:12], lines(1)[12:]])
    (note,) = shared_line_notes(side(lines(1)), side(mixed), two_species=False)
    assert note.startswith("Warning: 8 of the 20")
    assert "line12" in note


@pytest.mark.parametrize("two_species", [True, False])
def test_other_lines_of_the_same_names_are_none_of_them(two_species: bool) -> None:
    (note,) = shared_line_notes(side(lines(1)), side(lines(2)), two_species=two_species)
    assert "20 lines of the source" in note
    assert "different genotypes" in note
    assert "Warning" not in note


def test_without_common_markers_names_decide_within_a_species() -> None:
    far = side(lines(1), start=500)
    (note,) = shared_line_notes(side(lines(1)), far, two_species=False)
    assert note.startswith("Warning")
    assert "genotypes" not in note
    (note,) = shared_line_notes(side(lines(1)), far, two_species=True)
    assert "gene pairs join two species" in note
    assert "Warning" not in note


def test_other_names_need_no_note() -> None:
    other = side(lines(1))
    named = Genotypes(
        tuple(f"b{i}" for i in range(20)),
        other.genotypes.markers,
        other.genotypes.dosage,
        other.genotypes.ploidy,
    )
    renamed = Side(genotypes=named, rows=other.rows, y=other.y, name="s", trait="t", provenance="")
    assert shared_line_notes(other, renamed, two_species=False) == ()
