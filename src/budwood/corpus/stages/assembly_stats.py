"""First look at an assembly, contig group by contig group: lengths, gaps, N, lower case and share of GC."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.masking.assembly_filter import known_stretches, n50
from budwood.corpus.recipe.sources import open_contigs
from budwood.corpus.stages.stage import Inputs, Parameters
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import C, G, N


@dataclass(frozen=True)
class AssemblyStats:
    """What a look at the sequences of an assembly says.

    Attributes
    ----------
    bases, unknown, lower, strong
        Bases in all, and how many are N, lower case (known bases only), and G or C.
    stretches
        Lengths of the contigs: what lies between gaps of ten N or more.
    """

    bases: int
    unknown: int
    lower: int
    strong: int
    stretches: NDArray[np.int64]

    @property
    def contig_n50(self) -> int:
        """N50 of the contigs."""
        return n50(self.stretches)

    @property
    def unknown_share(self) -> float:
        """Share of N."""
        return self.unknown / max(1, self.bases)

    @property
    def gc_share(self) -> float:
        """Share of G and C among the known bases."""
        return self.strong / max(1, self.bases - self.unknown)

    @property
    def lower_share(self) -> float:
        """Share of lower case among the known bases."""
        return self.lower / max(1, self.bases - self.unknown)


def contig_stats(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: look at the contigs named in ``parameters["contigs"]`` of ``inputs["fasta"]``."""
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
    """The surveys of an assembly's contig groups as one."""
    counts = [json.loads((folder / "counts.json").read_text(encoding="utf-8")) for folder in folders]
    total = {name: sum(each[name] for each in counts) for name in ("bases", "unknown", "lower", "strong")}
    return AssemblyStats(**total, stretches=np.concatenate([np.load(f / "stretches.npy") for f in folders]))
