"""Forward choice of loci: the causal ones, no more under noise, and nothing that does not vary."""

import numpy as np

from budwood.stats.relationship import forward_loci as module
from budwood.stats.relationship.forward_loci import forward_loci


def _markers(generator: np.random.Generator, n: int = 150, m: int = 400) -> np.ndarray:
    return generator.choice([-0.5, 0.5], (n, m))


def test_noise_has_no_loci() -> None:
    generator = np.random.default_rng(0)
    chosen = [
        forward_loci(_markers(generator), generator.standard_normal(150), np.eye(150), threshold=25.0, most=8)
        for _ in range(10)
    ]
    assert chosen == [[]] * 10


def test_a_first_step_takes_the_largest_generalised_chi_square() -> None:
    generator = np.random.default_rng(1)
    markers = _markers(generator)
    root = generator.standard_normal((150, 150))
    covariance = root @ root.T / 150 + np.eye(150)
    y = 3.0 * markers[:, 17] + generator.standard_normal(150)
    inverse = np.linalg.inv(covariance)
    scores = []
    for column in markers.T:
        x = np.column_stack([np.ones(150), column])
        estimate = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y)
        scores.append(estimate[1] ** 2 / np.linalg.inv(x.T @ inverse @ x)[1, 1])
    chosen = forward_loci(markers, y, covariance, threshold=1.0, most=1)
    assert chosen == [int(np.argmax(scores))]


def test_a_locus_is_chosen_once_whatever_stands_beside_it() -> None:
    """Copies, complements and columns that do not vary are no loci of their own."""
    generator = np.random.default_rng(2)
    markers = _markers(generator)
    markers[:, 8], markers[:, 9], markers[:, 10] = markers[:, 7], -markers[:, 7], 0.3
    y = 4.0 * markers[:, 7] + 4.0 * markers[:, 200] + generator.standard_normal(150)
    chosen = forward_loci(markers, y, np.eye(150), threshold=20.0, most=8)
    assert len(chosen) == 2
    assert len({7, 8, 9} & set(chosen)) == 1
    assert 200 in chosen


def test_the_scale_of_the_records_does_not_matter() -> None:
    generator = np.random.default_rng(3)
    markers = _markers(generator)
    y = 2.0 * markers[:, 3] - 2.0 * markers[:, 90] + generator.standard_normal(150)
    chosen = forward_loci(markers, y, np.eye(150), threshold=12.0, most=8)
    assert forward_loci(markers, 1e-4 * y + 7.0, np.eye(150), threshold=12.0, most=8) == chosen
    assert {3, 90} <= set(chosen)


def test_no_more_loci_than_records_can_carry() -> None:
    generator = np.random.default_rng(4)
    for n in (4, 6):
        markers = _markers(generator, n, 30)
        assert len(forward_loci(markers, markers[:, 0] * 1.0, np.eye(n), threshold=0.0, most=50)) <= n - 2


def test_markers_that_are_not_whitened_cannot_be_the_best(monkeypatch) -> None:
    rng = np.random.default_rng(5)
    markers = rng.integers(0, 3, (150, 400)).astype(float)
    # Linked markers, so that loci already chosen change what is best next.
    markers[:, 1:120] = np.where(rng.random((150, 119)) < 0.9, markers[:, [0]], markers[:, 1:120])
    features = rng.standard_normal((150, 60))
    covariance = features @ features.T / 60 + np.eye(150)
    effects = np.zeros(400)
    effects[[0, 130, 200, 300]] = [1.5, 1.0, -1.2, 0.8]
    y = markers @ effects + np.linalg.cholesky(covariance) @ rng.standard_normal(150)
    every = forward_loci(markers, y, covariance, threshold=4.0, most=8)
    monkeypatch.setattr(module, "_SCREENED", 0)
    monkeypatch.setattr(module, "_BATCH", 48)
    assert forward_loci(markers, y, covariance, threshold=4.0, most=8) == every
    assert len(every) > 3
