"""Statistics of an assembly, by group of contigs: lengths, gaps, N, lower case and share of G and C."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.masking.assembly_filter import known_stretches, n50
from budwood.corpus.recipe.sources import open_contigs
from budwood.corpus.stages.stage import Inputs, Parameters, stage
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import C, G, N


@dataclass(frozen=True)
class AssemblyStats:
    """Statistics of the sequences of an assembly.

    Attributes
    ----------
    bases, unknown, lower, strong
        Number of bases, and how many of them are N, lower case (known bases only), and G or C.
    stretches
        Lengths of the contigs, the stretches between gaps of at least ten N.
    """

    bases: int
    unknown: int
    lower: int
    strong: int
    stretches: NDArray[np.int64]

    @property
    def contig_n50(self) -> int:
        """N50 of the contigs in bases."""
        return n50(self.stretches)

    @property
    def unknown_share(self) -> float:
        """Share of N among all bases."""
        return self.unknown / max(1, self.bases)

    @property
    def gc_share(self) -> float:
        """Share of G and C among the known bases."""
        return self.strong / max(1, self.bases - self.unknown)

    @property
    def lower_share(self) -> float:
        """Share of lower case among the known bases."""
        return self.lower / max(1, self.bases - self.unknown)


@stage(version=1)
def contig_stats(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: count the bases of a group of contigs.

    Writes ``stretches.npy`` and ``counts.json``.

    Parameters
    ----------
    inputs
        ``fasta``.
    parameters
        ``contigs``, the names; ``collection``, whether the file holds many species.
    folder
        Folder for the output files.
    """
    assembly = open_contigs(inputs["fasta"], collection=parameters["collection"])
    counts = dict.fromkeys(("bases", "unknown", "lower", "strong"), 0)
    stretches = []
    for name in parameters["contigs"]:
        whole = Interval(name, 0, assembly.contigs[name])
        codes, lower = assembly.sequence(whole), assembly.soft_mask(whole)
        counts["bases"] += len(codes)
        counts["unknown"] += int(np.count_nonzero(codes >= N))
        counts["lower"] += int(np.count_nonzero(lower & (codes < N)))
        counts["strong"] += int(np.count_nonzero((codes == C) | (codes == G)))
        stretches.append(np.diff(known_stretches(codes), axis=1)[:, 0])
    np.save(folder / "stretches.npy", np.concatenate([np.empty(0, np.int64), *stretches]))
    (folder / "counts.json").write_text(json.dumps(counts), encoding="utf-8")


def read_assembly_stats(folders: Sequence[Path]) -> AssemblyStats:
    """Combine the statistics of an assembly's contig groups.

    Parameters
    ----------
    folders
        Output folders of :func:`contig_stats`, at least one.

    Returns
    -------
    AssemblyStats
        Statistics of the whole assembly.
    """
    counts = [json.loads((folder / "counts.json").read_text(encoding="utf-8")) for folder in folders]
    total = {name: sum(each[name] for each in counts) for name in ("bases", "unknown", "lower", "strong")}
    return AssemblyStats(**total, stretches=np.concatenate([np.load(f / "stretches.npy") for f in folders]))
