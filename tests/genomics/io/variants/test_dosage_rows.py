from __future__ import annotations

import numpy as np

from budwood.genomics.io.variants.dosage_rows import DosageRows


def test_rows_come_back_in_order_however_they_are_added() -> None:
    rng = np.random.default_rng(1)
    parts = [rng.integers(-1, 5, (k, 7)).astype(np.int8) for k in (0, 1, 40, 3, 1000, 0, 2)]
    rows = DosageRows(7)
    for part in parts:
        rows.append(part)
    matrix = rows.finish()
    assert matrix.dtype == np.int8
    np.testing.assert_array_equal(matrix, np.concatenate(parts))


def test_a_fractional_row_makes_all_fractional_and_keeps_missing() -> None:
    rows = DosageRows(2)
    rows.append(np.array([[2, -1]], dtype=np.int8))
    rows.append(np.array([[0.5, np.nan]], dtype=np.float32))
    rows.append(np.array([[-1, 1]], dtype=np.int8))
    matrix = rows.finish()
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, [[2, np.nan], [0.5, np.nan], [np.nan, 1]])
