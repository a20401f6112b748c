"""A small panel in seven environments: a main effect, a response to water, and deviations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.phenotypes import Phenotypes


@dataclass(frozen=True)
class Field:
    genotypes: Genotypes
    environments: Environments
    phenotypes: Phenotypes
    genetic: np.ndarray
    value: np.ndarray


def make_field(seed: int = 0, n: int = 60, m: int = 120, noise: float = 0.7) -> Field:
    rng = np.random.default_rng(seed)
    families = rng.uniform(0.05, 0.95, (4, m))
    dosage = rng.binomial(2, families[rng.integers(0, 4, n)]).astype(np.int8)
    names = tuple(f"line{i:03d}" for i in rng.permutation(n))
    wet = np.array([1, 1, 1, 1, 0, 0, 0])
    effects = rng.standard_normal((m, 2 + len(wet))) / np.sqrt(m)
    main, water, own = dosage @ effects[:, :1], dosage @ effects[:, 1:2], dosage @ effects[:, 2:]
    genetic = main + np.outer(water, wet - 0.5) * 1.6 + 0.3 * own
    value = genetic + 3.0 * np.array([4, 1, 6, 3, 5, 0, 2]) + noise * rng.standard_normal(genetic.shape)
    environments = Environments(
        tuple(f"e{i}" for i in range(7)),
        tuple(str(2010 + i // 2) for i in range(7)),
        tuple("north" if i % 2 else "south" for i in range(7)),
        tuple("watered" if w else "rainfed" for w in wet),
        ("field",) * 7,
        {"rain": np.array([300.0, 320.0, 310.0, 330.0, 100.0, 90.0, 120.0])},
    )
    line, environment = np.divmod(np.arange(value.size), len(wet))
    phenotypes = Phenotypes(
        np.array([names[i] for i in line], dtype=object),
        np.full(value.size, "yield", dtype=object),
        np.array([environments.names[j] for j in environment], dtype=object),
        value.ravel(),
        np.full(value.size, np.nan),
    )
    return Field(Genotypes.from_matrix(names, dosage), environments, phenotypes, genetic, value)


@pytest.fixture(scope="session")
def field() -> Field:
    return make_field()
