"""A small panel, of which the stored models were made."""

import numpy as np

from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.phenotypes import Phenotypes


def small_panel() -> tuple[Genotypes, np.ndarray]:
    """36 lines at 40 markers; the first 30 have values."""
    row, column = np.divmod(np.arange(36 * 40), 40)
    dosage = ((row * (3 + column) + (row % 5) * column // 3 + column) % 3).reshape(36, 40).astype(np.int8)
    dosage[4, 7] = dosage[33, 2] = -1
    words = [np.full(40, word, dtype=object) for word in ("1", "A", "C")]
    names = np.array([f"m{j}" for j in range(40)], dtype=object)
    markers = Markers(names, words[0], np.arange(40), words[1], words[2])
    genotypes = Genotypes(tuple(f"line{i:02d}" for i in range(36)), markers, dosage, np.full(36, 2, np.int8))
    y = dosage[:, 3] - 0.5 * dosage[:, 21] + 0.2 * np.sin(np.arange(36.0))
    return genotypes, np.where(np.arange(36) < 30, y, np.nan)


def small_field() -> tuple[Phenotypes, Environments]:
    genotypes, y = small_panel()
    line, place = np.divmod(np.arange(90), 3)
    names = np.array(genotypes.accessions, dtype=object)[line]
    environments = Environments.named(["dry", "wet", "cold"])
    value = y[line] + np.array([0.0, 2.0, 1.0])[place] + 0.1 * np.cos(np.arange(90.0))
    where = np.array(environments.names, dtype=object)[place]
    return Phenotypes(names, np.full(90, "h", dtype=object), where, value, np.full(90, np.nan)), environments
