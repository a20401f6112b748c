"""Relationship matrices from tables and from GCTA's files."""

from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.kinship import kinship_files, read_kinship
from budwood.genomics.kinship import Kinship

NAMES = ("a1", "b2", "c3", "d4")
FEATURES = np.random.default_rng(3).normal(size=(4, 9))
VALUES = FEATURES @ FEATURES.T


def _write(path: Path, values: np.ndarray, rows=NAMES, columns=NAMES, separator: str = ",") -> Path:
    lines = [separator.join(["id", *columns])]
    lines += [
        separator.join([name, *map(repr, row)]) for name, row in zip(rows, values.tolist(), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_square_table_is_read_in_the_order_of_its_rows(tmp_path, separator) -> None:
    order = [2, 0, 3, 1]
    columns = tuple(NAMES[i] for i in order)
    found = read_kinship(_write(tmp_path / "k.csv", VALUES[:, order], columns=columns, separator=separator))
    assert found.accessions == NAMES
    np.testing.assert_allclose(found.values, VALUES, rtol=1e-12)
    np.testing.assert_allclose(found.of(("d4", "a1")), VALUES[np.ix_([3, 0], [3, 0])], rtol=1e-12)


@pytest.mark.parametrize("ending", [".grm.bin", ".grm.id"])
def test_the_files_of_gcta_are_read(tmp_path, ending) -> None:
    VALUES[np.tril_indices(4)].astype("<f4").tofile(tmp_path / "p.grm.bin")
    (tmp_path / "p.grm.id").write_text("".join(f"fam\t{name}\n" for name in NAMES))
    found = read_kinship(tmp_path / f"p{ending}")
    assert found.accessions == NAMES
    np.testing.assert_allclose(found.values, VALUES, rtol=1e-6)
    assert kinship_files(tmp_path / f"p{ending}") == [tmp_path / "p.grm.bin", tmp_path / "p.grm.id"]


def _changed(row: int, column: int, value: float) -> np.ndarray:
    values = VALUES.copy()
    values[row, column] = value
    return values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (_changed(0, 1, VALUES[0, 1] + 1.0), "not symmetric"),
        (_changed(1, 1, -0.5), "with itself"),
        (_changed(2, 2, np.nan), "not a number"),
        (1.0 - np.eye(4), "with itself"),
        (np.where(np.eye(4) > 0, 1.0, -0.9), "eigenvalue"),
    ],
)
def test_what_is_no_relationship_is_refused(tmp_path, values, words) -> None:
    path = _write(tmp_path / "k.csv", values)
    with pytest.raises(BudwoodError, match=words) as caught:
        read_kinship(path)
    assert str(path) in str(caught.value)


def test_ids_have_to_fit(tmp_path) -> None:
    with pytest.raises(BudwoodError, match="other ids"):
        read_kinship(_write(tmp_path / "k.csv", VALUES, columns=("a1", "b2", "c3", "x")))
    twice = Kinship(accessions=("a1", "a1", "b2", "c3"), values=VALUES)
    with pytest.raises(BudwoodError, match="'a1' occurs twice"):
        twice.checked()
    VALUES[np.tril_indices(4)].astype("<f4").tofile(tmp_path / "p.grm.bin")
    (tmp_path / "p.grm.id").write_text("fam a1\nfam b2\n")
    with pytest.raises(BudwoodError, match="no lower triangle"):
        read_kinship(tmp_path / "p.grm.bin")
    (tmp_path / "p.grm.id").write_text("a1\n")
    with pytest.raises(BudwoodError, match="family and an id"):
        read_kinship(tmp_path / "p.grm.bin")
    found = read_kinship(_write(tmp_path / "k.csv", VALUES))
    with pytest.raises(BudwoodError, match=r"2 of the 3 .* not in the kinship: 'x', 'y'"):
        found.of(("a1", "x", "y"))


def test_rounded_tables_are_mended_and_said(tmp_path) -> None:
    low_rank = FEATURES[:, :1] @ FEATURES[:, :1].T
    found = read_kinship(
        _write(tmp_path / "k.csv", np.round(low_rank + 0.01 * np.eye(4), 2) - 0.012 * np.eye(4))
    )
    assert np.linalg.eigvalsh(found.values)[0] > -1e-12
    assert "added to its diagonal" in found.notes[-1]
