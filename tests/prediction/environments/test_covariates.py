"""The kernel of environments."""

import numpy as np
import pytest

from budwood.genomics.environments import Environments
from budwood.prediction.environments.covariates import environment_kernel


def test_it_is_centred_and_scaled_on_the_training_environments(field) -> None:
    training = np.array([0, 1, 2, 4, 5])
    kernel = environment_kernel(field.environments, training)
    among = kernel[np.ix_(training, training)]
    assert among.sum(axis=1) == pytest.approx(np.zeros(5), abs=1e-12)
    assert np.diagonal(among).mean() == pytest.approx(1.0)
    assert np.linalg.eigvalsh(kernel)[0] > -1e-12


def test_held_out_environments_move_nothing(field) -> None:
    training = np.array([0, 1, 4, 5])
    before = environment_kernel(field.environments, training)[np.ix_(training, training)]
    rain = field.environments.covariates["rain"].copy()
    rain[[2, 3, 6]] = 1e6
    changed = Environments(
        field.environments.names,
        *((column[0],) * 7 for column in (("x",), ("y",))),
        field.environments.treatment,
        field.environments.provenance,
        {"rain": rain},
    )
    plain = Environments(
        field.environments.names,
        ("x",) * 7,
        ("y",) * 7,
        field.environments.treatment,
        field.environments.provenance,
        field.environments.covariates,
    )
    block = np.ix_(training, training)
    assert environment_kernel(changed, training)[block] == pytest.approx(
        environment_kernel(plain, training)[block]
    )
    assert before.shape == (4, 4)


def test_an_unseen_category_stands_at_the_centre() -> None:
    three = Environments(("a", "b", "c"), ("",) * 3, ("x", "y", "z"), ("",) * 3, ("",) * 3)
    kernel = environment_kernel(three, np.array([0, 1]))
    assert kernel[2] == pytest.approx(np.zeros(3))


def test_nothing_known_gives_no_kernel() -> None:
    assert environment_kernel(Environments.named(["a", "b"]), np.arange(2)) is None


def test_an_unknown_index_stands_at_the_average() -> None:
    kernel = environment_kernel(
        Environments.named(["a", "b", "c"]), np.arange(2), np.array([1.0, 3.0, np.nan])
    )
    assert kernel[2] == pytest.approx(np.zeros(3))
    assert kernel[0, 1] == pytest.approx(-1.0)
