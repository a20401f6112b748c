"""Tidy panels: a folder with ``geno.npz`` (arrays ``ids`` and ``dosage``) and ``markers.csv.gz``.

``dosage`` is int8, accessions x markers, missing -1; ``ids`` are fixed-width strings. ``markers.csv.gz`` has
one line per column of ``dosage``: marker, chrom, pos, allele0, allele1; allele1 is counted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.io.arrays import read_arrays
from budwood.genomics.io.text.delimited import refuse_repeated
from budwood.genomics.io.variants.dosage_calls import DosageCalls
from budwood.genomics.io.variants.tables.dosage_codes import find_ploidy
from budwood.genomics.io.variants.tables.marker_map import read_marker_map

ARRAYS: Final = "geno.npz"
_MAPS: Final = ("markers.csv.gz", "markers.csv")


def read_tidy_panel(folder: Path, *, ploidy: int | None = None) -> DosageCalls:
    """Read a tidy panel into memory, one byte per genotype.

    Parameters
    ----------
    folder
        The folder, or its ``geno.npz``.
    ploidy
        Copies per accession; None infers it from the largest dosage.

    Returns
    -------
    DosageCalls
        The dosages with the markers of the map.

    Raises
    ------
    BudwoodError
        If an array or the map is missing or does not fit the other, or an array holds Python objects: these
        are never loaded, since loading them can run any code.
    """
    folder = Path(folder).parent if Path(folder).suffix == ".npz" else Path(folder)
    path = folder / ARRAYS
    ids, dosage = _read_arrays(path)
    maps = [folder / name for name in _MAPS if (folder / name).is_file()]
    if not maps:
        raise BudwoodError(
            "the panel has no markers.csv.gz", where=str(folder), mend="put it beside geno.npz"
        )
    placed = read_marker_map(maps[0])
    if dosage.shape != (len(ids), len(placed.markers)):
        raise BudwoodError(
            f"dosage {dosage.shape} does not fit {counted(len(ids), 'id')} x "
            f"{counted(len(placed.markers), 'marker')}",
            where=str(folder),
            mend="write the panel's files again, together",
        )
    accessions = [str(name) for name in ids]
    refuse_repeated(accessions, "accession", path)
    if dosage.min(initial=0) < -1:
        raise BudwoodError("a dosage is below -1", where=str(path), mend="write missing as -1")
    copies, said = find_ploidy(dosage, ploidy, path)
    assumptions = [said, *placed.assumptions]
    if not (placed.markers.counted != "").any():
        assumptions.append("the counted allele is unknown: the map gives no letters")
    genotypes = Genotypes(
        tuple(accessions), placed.markers, dosage, np.full(len(accessions), copies, dtype=np.int8)
    )
    return DosageCalls(genotypes, "tidy panel", tuple(assumptions))


def _read_arrays(path: Path) -> tuple[NDArray[np.str_], NDArray[np.int8]]:
    try:
        arrays = read_arrays(path, ("ids", "dosage"))
    except FileNotFoundError as error:
        raise BudwoodError("the panel has no geno.npz", where=str(path)) from error
    absent = [name for name in ("ids", "dosage") if name not in arrays]
    if absent:
        raise BudwoodError(
            f"the panel lacks an array: {absent[0]}", where=str(path), mend="store ids and dosage"
        )
    ids, dosage = arrays["ids"], arrays["dosage"]
    if ids.ndim != 1 or ids.dtype.kind != "U" or dosage.ndim != 2 or dosage.dtype != np.int8:
        raise BudwoodError(
            f"ids are {ids.dtype} {ids.shape} and dosage is {dosage.dtype} {dosage.shape}",
            where=str(path),
            mend="store ids as strings (n,) and dosage as int8 (n, m)",
        )
    return ids, dosage
