"""Alignments: columns and row weights against hand-worked cases, and rows taken away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from budwood.errors import BudwoodError
from budwood.genomics.alignment import GAP, Alignment
from budwood.genomics.io.sequence.alignment_fasta import aligned_codes

CODES = arrays(
    np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.sampled_from([0, 1, 2, 3, 4, GAP])
)


def alignment(*rows: str, species: tuple[str, ...] | None = None) -> Alignment:
    names = species or tuple(f"Genus s{i}" for i in range(len(rows)))
    return Alignment("x", names, np.stack([aligned_codes(row.encode()) for row in rows]))


def test_parts_are_shared_by_kinds_of_base() -> None:
    # By hand: column 1, A A T, gives 1/4 1/4 1/2; column 2, C C C, gives 1/3 each.
    weights = alignment("AC", "AC", "TC").row_weights()
    by_hand = np.array([1 / 4 + 1 / 3, 1 / 4 + 1 / 3, 1 / 2 + 1 / 3])
    np.testing.assert_allclose(weights, by_hand / by_hand.mean())


@given(CODES)
def test_weights_do_not_depend_on_the_order_of_rows_and_copies_share(codes: np.ndarray) -> None:
    names = tuple(f"s{i}" for i in range(len(codes)))
    weights = Alignment("x", names, codes).row_weights()
    np.testing.assert_allclose(Alignment("x", names, codes[::-1]).row_weights(), weights[::-1])
    assert np.isfinite(weights).all()
    assert (weights[(codes >= 4).all(1)] == 0).all()
    if weights.any():
        np.testing.assert_allclose(weights.mean(), 1)


@given(CODES)
def test_columns_count_bases_alone(codes: np.ndarray) -> None:
    rows = np.arange(len(codes))
    found = Alignment("x", tuple(map(str, rows)), codes).column_bases(rows, np.ones(len(rows)))
    for column in range(codes.shape[1]):
        assert found[column].tolist() == [(codes[:, column] == base).sum() for base in range(4)]


def test_a_genus_takes_its_species_away_and_no_namesake() -> None:
    names = ("Oryza sativa", "Oryza glaberrima", "Oryzopsis hymenoides", "Zea mays")
    whole = alignment("A-C", "A-C", "ATC", "A-C", species=names)
    kept = whole.without(["Oryza", "Zea mexicana"])
    assert kept.species == names[2:]
    assert whole.without(["Oryza sativa", "Oryzopsis"]).codes.shape == (2, 2)
    assert whole.without(["Oryza", "Oryzopsis", "Zea"]).codes.shape == (0, 0)


def test_species_must_fit_rows() -> None:
    with pytest.raises(BudwoodError, match="do not fit rows"):
        Alignment("x", ("a",), np.zeros((2, 3), dtype=np.uint8))
