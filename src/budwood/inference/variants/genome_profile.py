"""Whether the encoder can be trusted on a genome: how it predicts it, beside k-mers and training species."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD, N
from budwood.inference.variants.genome_sample import GenomeSample
from budwood.inference.variants.reference_pass import ReferencePass, WindowReading
from budwood.inference.variants.score import KMER_REACH, NeighbourModel

_CODING: Final = slice(BaseClass.CODING_FORWARD_0, BaseClass.CODING_REVERSE_2 + 1)
# Bases that are probably coding; how sure the encoder is of their frame shows whether it reads the genome.
_PROBABLY: Final = 0.5
_FEWEST: Final = 200
# A genome is unlike the training species where it lies this far below the lowest of them.
_MARGIN: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class GenomeProfile:
    """How well an encoder predicts windows drawn from a genome.

    Attributes
    ----------
    masked_bases
        Bases that were masked and predicted.
    perplexity, kmer_perplexity
        Exponential of the mean cross-entropy of the masked bases, by the encoder and by a k-mer model of the
        same genome without these windows; None where no base was masked, or there is no such model.
    difference, difference_error
        Mean cross-entropy of the encoder minus that of the k-mer model, in nats, and its standard error over
        windows.
    coding_bases
        Bases of the sample that the encoder takes for coding.
    frame_confidence
        Mean probability of the likeliest codon position and strand at them; None where there are too few.
    """

    masked_bases: int
    perplexity: float | None
    kmer_perplexity: float | None
    difference: float | None
    difference_error: float | None
    coding_bases: int
    frame_confidence: float | None

    @property
    def better_than_kmers(self) -> bool | None:
        """Whether masked bases are predicted better than by k-mers, by a standard error at least."""
        return None if self.difference is None else self.difference <= -(self.difference_error or 0.0)

    def reasons(self, training: Sequence[GenomeProfile] = ()) -> dict[str, str]:
        """Why the genome is outside what the encoder knows.

        Parameters
        ----------
        training
            Profiles of the species that the encoder was trained on; with none, their comparison is left out.

        Returns
        -------
        dict
            A sentence for each reason by its name; empty where there is none.
        """
        found = {}
        known = [each.frame_confidence for each in training if each.frame_confidence is not None]
        lowest = min(known) - _MARGIN if known else 1.0
        # k-mers of a genome predict its single bases as well as the encoder does on its own training species
        # too, whose genes it reads: a loss beyond theirs counts, or no gain where genes are not read surely.
        reads_genes = self.frame_confidence is not None and self.frame_confidence >= lowest
        usual = max([0.0, *(each.difference for each in training if each.difference is not None)])
        worse = self.difference is not None and self.difference > usual + 2 * (self.difference_error or 0.0)
        if worse or (self.better_than_kmers is False and not reads_genes):
            found["no_better_than_kmers"] = (
                f"on masked bases of this genome the encoder has perplexity {self.perplexity:.3f}, "
                f"k-mers of the genome {self.kmer_perplexity:.3f}"
            )
        if self.frame_confidence is None:
            found["no_coding_sequence"] = (
                "the encoder finds almost no coding sequence in windows of this genome"
            )
        elif known and self.frame_confidence < lowest:
            found["low_region_confidence"] = (
                f"the encoder is less sure of the frame of coding bases ({self.frame_confidence:.2f}) than "
                f"in its training species ({min(known):.2f} and more)"
            )
        return found

    def record(self) -> dict[str, Any]:
        """The profile as plain values.

        Returns
        -------
        dict
            Each field by its name.
        """
        return asdict(self)


def profile_genome(
    reader: ReferencePass, sample: GenomeSample, neighbours: NeighbourModel | None
) -> GenomeProfile:
    """Profile of a genome.

    Parameters
    ----------
    reader
        Reads the long windows of the sample.
    sample
        Windows drawn from the genome.
    neighbours
        k-mer model of the genome.

    Returns
    -------
    GenomeProfile
        Of this genome and encoder.
    """
    losses = [
        -logs[np.arange(len(truth)), truth] for logs, truth in zip(sample.logs, sample.truth, strict=True)
    ]
    whole = np.concatenate([*losses, np.zeros(0)])
    others = _kmer_losses(reader, sample, neighbours) if neighbours is not None and len(whole) else None
    difference = error = kmers = None
    if others is not None:
        gaps = [own - other for own, other in zip(losses, others, strict=True)]
        difference = float(np.concatenate(gaps).mean())
        sums = np.array([(gap - difference).sum() for gap in gaps])
        error = float(np.sqrt((sums**2).sum()) / len(whole))
        kmers = float(np.exp(np.concatenate(others).mean()))
    confidence = np.concatenate([_frame_confidence(each) for each in reader.read(sample.long)] or [whole[:0]])
    return GenomeProfile(
        masked_bases=len(whole),
        perplexity=float(np.exp(whole.mean())) if len(whole) else None,
        kmer_perplexity=kmers,
        difference=difference,
        difference_error=error,
        coding_bases=len(confidence),
        frame_confidence=float(confidence.mean()) if len(confidence) >= _FEWEST else None,
    )


def training_profiles(digest: str) -> dict[str, GenomeProfile]:
    """Profiles of the species that a checkpoint was trained on, where they are known.

    Parameters
    ----------
    digest
        Digest of the checkpoint.

    Returns
    -------
    dict
        Profiles by species; empty for other checkpoints.
    """
    path = files("budwood") / "inference" / "variants" / "training_profiles.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {name: GenomeProfile(**values) for name, values in stored.get(digest, {}).items()}


def _kmer_losses(
    reader: ReferencePass, sample: GenomeSample, neighbours: NeighbourModel
) -> list[NDArray[np.float64]]:
    found = []
    for (key, positions), truth in zip(sample.masked, sample.truth, strict=True):
        contig, columns = key[0], np.array(positions)
        low = int(columns[0]) - KMER_REACH
        codes = _padded(reader, contig, low, int(columns[-1]) + KMER_REACH + 1)
        around = codes[(columns - low)[:, None] + np.arange(-KMER_REACH, KMER_REACH + 1)]
        rows = np.arange(len(columns))
        chances = neighbours.probabilities(around, rows, np.full(len(columns), KMER_REACH))
        found.append(-np.log(chances[rows, truth]))
    return found


def _padded(reader: ReferencePass, contig: str, start: int, end: int) -> NDArray[np.uint8]:
    """Codes of a stretch, N beyond the contig."""
    length = reader.assembly.contigs[contig]
    codes = np.full(end - start, N, dtype=np.uint8)
    low, high = max(start, 0), min(end, length)
    codes[low - start : high - start] = reader.assembly.sequence(Interval(contig, low, high))
    return codes


def _frame_confidence(reading: WindowReading) -> NDArray[np.float64]:
    """Share of the likeliest frame at bases that are probably coding."""
    frames = reading.regions[:, _CODING].astype(np.float64)
    coding = frames.sum(1)
    rows = (coding > _PROBABLY) & (reading.codes != PAD)
    shares: NDArray[np.float64] = frames[rows].max(1) / coding[rows]
    return shares
