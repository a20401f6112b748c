"""The shared real data, and panels with the phenotypes of one trait."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genotypes import Genotypes

#: Panels of tetraploid accessions.
TETRAPLOID = {"potato_gwaspoly", "potato_stagewise"}


def data_folder() -> Path:
    """Folder of the shared real data, from the environment variable BUDWOOD_DATA."""
    if "BUDWOOD_DATA" not in os.environ:
        raise SystemExit("set BUDWOOD_DATA to the folder of shared real data")
    return Path(os.environ["BUDWOOD_DATA"])


def read_panel(
    folder: Path, phenotypes: str, trait: str, *, ordered: bool = True
) -> tuple[Genotypes, NDArray[np.float64]]:
    """Genotypes and values of the phenotyped accessions, sorted by name or in the order of the file."""
    stored = np.load(folder / "geno.npz")
    row = {str(name): i for i, name in enumerate(stored["ids"])}
    values = {}
    with (folder / phenotypes).open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        first = reader.fieldnames[0]
        for record in reader:
            if record[first] in row and record[trait] not in ("", "NA", "nan", "NaN"):
                values[record[first]] = float(record[trait])
    names = sorted(values) if ordered else list(values)
    dosage = stored["dosage"][[row[name] for name in names]]
    genotypes = Genotypes.from_matrix(names, dosage, ploidy=4 if folder.name in TETRAPLOID else 2)
    return genotypes, np.array([values[name] for name in names])


def phenotyped_rows(
    genotypes: Genotypes, values: Mapping[str, float]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Rows of the accessions that have a value, in the order of the genotypes, and their values."""
    rows = np.array([row for name, row in genotypes.row.items() if name in values], dtype=np.intp)
    return rows, np.array([values[genotypes.accessions[row]] for row in rows])
