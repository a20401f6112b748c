"""Load of accessions: how many alleles of a kind, or how much of a score, each carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import counted
from budwood.genomics.consequences.caller import ConsequenceCaller
from budwood.genomics.consequences.term import Impact
from budwood.genomics.haplotypes.calls import CallBlock, Site

#: Names of the columns of :func:`impact_load`.
IMPACT_COLUMNS: Final = tuple(f"load_{impact.lower()}" for impact in reversed(Impact))


@dataclass(frozen=True, kw_only=True)
class Load:
    """A table of accessions and sums over the alleles they carry.

    Attributes
    ----------
    accessions
        n ids.
    columns
        For each name its (n,) sums, in alleles (or units of the score) for each copy of the genome.
    called_share
        (n,) share of the calls of each accession that were made, 0 to 1.
    notes
        What was assumed or left out.
    """

    accessions: tuple[str, ...]
    columns: Mapping[str, NDArray[np.float64]]
    called_share: NDArray[np.float64]
    notes: tuple[str, ...] = ()


@dataclass
class LoadSum:
    """Adds weights of alleles, times their dosage in each accession, block by block.

    A dosage counts as its share of the accession's copies at the record, so that a tetraploid and a diploid
    are comparable and a simplex tetraploid carries a quarter. A call that was not made counts as the mean of
    the others at its record: leaving it out would make accessions with many missing calls look clean.

    Parameters
    ----------
    accessions
        n ids.
    names
        Names of the sums.

    Examples
    --------
    >>> total = LoadSum(("diploid", "tetraploid"), ("load",))
    >>> alleles = np.array([[[0, 1, -2, -2], [1, 1, 1, 0]]], dtype=np.int8)
    >>> total.add(alleles, [np.array([[2.0]])])
    >>> total.result().columns["load"]
    array([1. , 1.5])
    """

    accessions: tuple[str, ...]
    names: tuple[str, ...]
    _sums: NDArray[np.float64] = field(init=False)
    _called: NDArray[np.float64] = field(init=False)
    _records: int = field(init=False, default=0)
    _uncalled: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._sums = np.zeros((len(self.accessions), len(self.names)))
        self._called = np.zeros(len(self.accessions))

    def add(self, alleles: NDArray[np.int8], weights: Iterable[NDArray[np.float64]]) -> None:
        """Add records.

        Parameters
        ----------
        alleles
            (k, n, ploidy) allele numbers as in a
            :class:`~budwood.genomics.haplotypes.calls.CallBlock`.
        weights
            For each record a (number of ALTs, number of sums) array: what one copy of each ALT adds.
        """
        for calls, weight in zip(alleles, weights, strict=True):
            known = calls >= 0
            copies = known.sum(axis=1)
            self._records += 1
            self._called += copies > 0
            if not copies.any():
                self._uncalled += 1
                continue
            for number, added in enumerate(weight, start=1):
                if not added.any():
                    continue
                share = np.full(len(copies), np.nan)
                np.divide((calls == number).sum(axis=1), copies, out=share, where=copies > 0)
                share[copies == 0] = np.nanmean(share)
                self._sums += share[:, None] * added

    def result(self, notes: tuple[str, ...] = ()) -> Load:
        """The table of what was added so far.

        Parameters
        ----------
        notes
            What was assumed elsewhere.

        Returns
        -------
        Load
            Sums by accession.
        """
        columns = {name: self._sums[:, column] for column, name in enumerate(self.names)}
        own = [f"{self._uncalled:,} records without any call add nothing"] if self._uncalled else []
        share = self._called / max(self._records, 1)
        return Load(accessions=self.accessions, columns=columns, called_share=share, notes=(*notes, *own))


def impact_load(caller: ConsequenceCaller, accessions: tuple[str, ...], blocks: Iterable[CallBlock]) -> Load:
    """Alleles of each class of impact that each accession carries for one copy of its genome.

    Each ALT counts once, in the class of its most severe consequence over all transcripts. ALTs without a
    consequence (symbolic, ``*``, on unknown contigs) count nowhere and are noted.

    Parameters
    ----------
    caller
        Annotation and assembly.
    accessions
        n ids.
    blocks
        Their calls, of any ploidy, in any order.

    Returns
    -------
    Load
        Columns ``load_high``, ``load_moderate``, ``load_low`` and ``load_modifier``.
    """
    total = LoadSum(accessions, IMPACT_COLUMNS)
    unknown = 0
    for block in blocks:
        weights = [_impact_weights(caller, site) for site in block.sites]
        unknown += sum(int((weight.sum(axis=1) == 0).sum()) for weight in weights)
        total.add(block.alleles, weights)
    verb = "counts" if unknown == 1 else "count"
    note = f"{counted(unknown, 'ALT allele')} without a consequence {verb} nowhere"
    return total.result((note,) if unknown else ())


def _impact_weights(caller: ConsequenceCaller, site: Site) -> NDArray[np.float64]:
    """For each ALT a one in the column of its class."""
    weight = np.zeros((len(site.alleles) - 1, len(IMPACT_COLUMNS)))
    for found in caller.call(site):
        row = weight[found.allele_number - 1]
        # Consequences come most severe first.
        if not row.any() and found.annotated:
            row[IMPACT_COLUMNS.index(f"load_{found.impact.lower()}")] = 1.0
    return weight
