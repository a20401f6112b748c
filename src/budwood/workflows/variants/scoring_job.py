"""What scoring variants needs, opened and counted: the file, the genome, the encoder and its tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.variants.vcf.lines import VcfLines, open_lines
from budwood.inference.threads import OrderedThreads
from budwood.inference.variants.allele_table import (
    AlleleTable,
    NoScoreReason,
    allele_table,
    check_reference_alleles,
)
from budwood.inference.variants.genome_profile import GenomeProfile, profile_genome, training_profiles
from budwood.inference.variants.genome_sample import GenomeSample, draw_sample, sample_sequence
from budwood.inference.variants.neutral_means import NeutralMeans, neutral_means
from budwood.inference.variants.score import KMER_REACH, Readings, VariantScorer
from budwood.inference.variants.score_field import GROUPS, fields_of
from budwood.model.checkpoint import Checkpoint
from budwood.probing.kmer_models import KmerModel, both_strand_counts, fit_kmer_model
from budwood.workflows.variants.score_options import ScoreOptions

#: Scores that one reading of the reference gives.
REFERENCE_SCORES: Final = ("consequence", "kmer")
#: Alternative alleles up to which every score is computed unless scores are named.
FEW: Final = 1_000
# Records that are scored together: an interrupted run resumes at the next. In a file that is not sorted more
# of them, because each run of records reads the windows that it needs.
_RECORDS: Final = 16_384
_UNSORTED_RECORDS: Final = 1 << 20

Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a file holds.

    Attributes
    ----------
    records, alleles
        Their numbers.
    reasons
        How many alleles have a score, and how many have none by reason.
    is_sorted
        Whether positions ascend within contigs, each of which stands together.
    readings
        Windows that the scores of the reference pass, and all scores, take.
    """

    records: int
    alleles: int
    reasons: Mapping[str, int]
    is_sorted: bool
    readings: Readings


class ScoringJob:
    """Everything that scoring a file needs.

    Parameters
    ----------
    lines, assembly, scorer
        The variants, the genome, and what scores them.
    survey
        What the file holds.
    aliases
        Contig names of the variants and what the genome calls them.
    seed
        Seed of the windows drawn from the genome.
    automatic
        Whether the scores were chosen by the number of alleles.
    """

    def __init__(
        self,
        lines: VcfLines,
        assembly: Assembly,
        scorer: VariantScorer,
        survey: Survey,
        aliases: Mapping[str, str],
        seed: int,
        automatic: bool,
    ) -> None:
        self.lines = lines
        self.assembly = assembly
        self.scorer = scorer
        self.survey = survey
        self.aliases = aliases
        self.seed = seed
        self._automatic = automatic
        self._sample: GenomeSample | None = None
        self._means: NeutralMeans | None = None
        self._profile: GenomeProfile | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """The encoder."""
        return self.scorer.reference.checkpoint

    @property
    def precision(self) -> str:
        """Whether the encoder multiplies in ``float32`` or ``bf16``."""
        return "bf16" if self.scorer.reference.half_precision else "float32"

    @property
    def profile(self) -> GenomeProfile:
        """How the encoder predicts the genome; after :meth:`draw`."""
        assert self._profile is not None, "drawn before"
        return self._profile

    @property
    def means(self) -> NeutralMeans:
        """Tables of neutral means; after :meth:`draw`."""
        assert self._means is not None, "drawn before"
        return self._means

    @property
    def outside(self) -> dict[str, str]:
        """Why the genome is outside what the encoder knows."""
        known = training_profiles(self.checkpoint.digest)
        return self.profile.reasons(list(known.values()))

    @property
    def reference_windows(self) -> int:
        """Long windows to read, those drawn from the genome included."""
        return self.survey.readings.reference + min(64, int(self.scorer.reference.counts.sum()))

    @property
    def alternative_windows(self) -> int:
        """Short windows to read, those drawn from the genome included."""
        drawn = min(128, int(self.scorer.alternative.counts.sum()))
        return self.survey.readings.alternative + drawn * (3 if "alternative" in self.scorer.costs else 1)

    @property
    def windows(self) -> int:
        """All windows to read."""
        return self.reference_windows + self.alternative_windows

    def seconds_per_window(self) -> tuple[float, float]:
        """Seconds that a long and a short window take, by reading one small batch of each on one thread.

        Returns
        -------
        tuple of float
            Of a long and of a short window.
        """
        found = []
        for reader in (self.scorer.reference, self.scorer.alternative):
            codes = np.zeros((reader.batch_size, reader.window), dtype=np.uint8)
            read = reader.encode if reader.keep_vectors else reader.region_logits
            read(codes[:1])
            began = perf_counter()
            read(codes)
            found.append((perf_counter() - began) / len(codes) / self.scorer.threads.count)
        return found[0], found[1]

    def draw(self, advance: Advance | None = None) -> None:
        """Draw windows from the genome; count its k-mers, its neutral means and its profile on them.

        Parameters
        ----------
        advance
            Called with the number of windows just read.
        """
        scorer = self.scorer
        self._sample = draw_sample(
            scorer.reference, scorer.alternative, seed=self.seed, advance=advance, threads=scorer.threads
        )
        scorer.neighbours = _kmer_model(scorer, self._sample, self.seed)
        self._means = neutral_means(scorer, self._sample, seed=self.seed, advance=advance)
        self._profile = profile_genome(scorer.reference, self._sample, scorer.neighbours)

    @property
    def _block_size(self) -> int:
        return _RECORDS if self.survey.is_sorted else _UNSORTED_RECORDS

    @property
    def block_count(self) -> int:
        """Number of runs of records that :meth:`blocks` gives."""
        return -(-self.survey.records // self._block_size)

    def blocks(self) -> Iterator[tuple[int, list[Site]]]:
        """Runs of records with their numbers.

        Yields
        ------
        tuple
            Number of the run, and its records.
        """
        sites = self.lines.sites()
        number = 0
        while block := list(islice(sites, self._block_size)):
            yield number, block
            number += 1

    def score(
        self, sites: Sequence[Site], advance: Advance | None = None
    ) -> tuple[AlleleTable, dict[str, NDArray[np.float64]]]:
        """Scores of records, each followed by its calibrated value where it has one.

        Parameters
        ----------
        sites
            Records.
        advance
            Called with the number of windows just read.

        Returns
        -------
        tuple
            The alleles, and (n,) values by column, NaN where there is none.
        """
        table = allele_table(sites, self.assembly, self.aliases)
        values = self.scorer.score(table, advance)
        around = table.around(self.assembly, 2)
        calibrated = self.means.calibrate(values, around, table.alternative)
        found = {}
        for each in self.scorer.fields:
            found[each.name] = values[each.name]
            if each.calibrated:
                found[f"{each.name}_cal"] = calibrated.get(each.name, np.full(len(table), np.nan))
        return table, found

    def notes(self) -> tuple[str, ...]:
        """What was read, assumed and left out.

        Returns
        -------
        tuple of str
            Sentences.
        """
        found = [f"{self.lines.path.name}: {note}." for note in self.lines.notes]
        if not self.survey.is_sorted:
            found.append("The records are not sorted: windows may be read more than once.")
        missing = {name: count for name, count in self.survey.reasons.items() if name != NoScoreReason.SCORED}
        if missing:
            listed = ", ".join(f"{count:,} {name}" for name, count in missing.items())
            found.append(f"Alleles without a score by reason: {listed}.")
        if self._automatic and "alternative" not in self.scorer.costs:
            found.append(
                f"Only scores of the reference pass were computed, because there are more than {FEW:,} "
                "alleles; --scores names others."
            )
        lacking = [f.name for f in self.scorer.fields if f.calibrated and f.name not in self.means.means]
        if lacking:
            found.append(f"The genome has too few neutral bases to calibrate {', '.join(lacking)}.")
        if self.scorer.neighbours is None:
            found.append("The genome is too small for a k-mer model: there is no k-mer score.")
        if not training_profiles(self.checkpoint.digest):
            found.append(
                "Of this checkpoint no profile of training species is known: the genome is compared with "
                "k-mers alone."
            )
        if self.profile.better_than_kmers is False and "no_better_than_kmers" not in self.outside:
            found.append(
                "Masked bases of this genome are predicted no better than by its k-mers, but genes as surely "
                "as in training species: use the consequence, not the log-likelihood ratio."
            )
        found += [f"Out of distribution, {name}: {sentence}." for name, sentence in self.outside.items()]
        return tuple(found)


def open_job(options: ScoreOptions, threads: OrderedThreads | None = None) -> ScoringJob:
    """Open the files of a job, check and count its records.

    Parameters
    ----------
    options
        What to score.
    threads
        Read windows; the caller's own where None.

    Returns
    -------
    ScoringJob
        Ready to draw windows and to score.

    Raises
    ------
    BudwoodError
        If a file cannot be used, most variants do not fit the genome, or the encoder has no region head.
    """
    if options.scores is not None:
        fields_of(options.scores)
    lines, assembly = open_lines(options.vcf), open_fasta(options.reference)
    checkpoint = options.encoder.open()
    if not isinstance(checkpoint, Checkpoint):
        raise BudwoodError(
            "this model predicts no gene structure, which scores of variants need",
            where=checkpoint.name,
            mend="give a checkpoint of Budwood's own, or leave out --checkpoint",
        )
    half = options.precision == "bf16" or (options.precision == "auto" and _multiplies_bf16(checkpoint))
    groups = GROUPS if options.scores is None else options.scores
    batch_size = options.encoder.batch_size
    scorer_of = partial(
        VariantScorer, assembly, checkpoint, batch_size=batch_size, half_precision=half, threads=threads
    )
    scorer = scorer_of(fields_of(groups))
    survey = _survey(lines, assembly, scorer, options.aliases)
    if options.scores is None and survey.alleles > FEW:
        scorer = scorer_of(fields_of(REFERENCE_SCORES))
        survey = Survey(**{**vars(survey), "readings": Readings(survey.readings.reference, 0)})
    return ScoringJob(lines, assembly, scorer, survey, options.aliases, options.seed, options.scores is None)


def _survey(lines: VcfLines, assembly: Assembly, scorer: VariantScorer, aliases: Mapping[str, str]) -> Survey:
    """Count what a file holds, and refuse one that does not fit the genome."""
    sites = lines.sites()
    records = alleles = reference = alternative = 0
    reasons: Counter[str] = Counter()
    seen: set[str] = set()
    last, is_sorted = ("", -1), True
    while block := list(islice(sites, _RECORDS)):
        table = allele_table(block, assembly, aliases)
        if not records:
            check_reference_alleles(table, str(lines.path))
        for site in block:
            if site.contig != last[0]:
                is_sorted &= site.contig not in seen
                seen.add(site.contig)
            elif site.start < last[1]:
                is_sorted = False
            last = (site.contig, site.start)
        records += len(block)
        alleles += len(table)
        reasons.update(str(reason) for reason in table.reasons)
        reasons[NoScoreReason.NO_ALTERNATIVE] += sum(len(site.alleles) == 1 for site in block)
        needed = scorer.readings(table)
        reference, alternative = reference + needed.reference, alternative + needed.alternative
    return Survey(
        records=records,
        alleles=alleles,
        reasons={name: count for name, count in sorted(reasons.items()) if count},
        is_sorted=is_sorted,
        readings=Readings(reference, alternative),
    )


def _kmer_model(scorer: VariantScorer, sample: GenomeSample, seed: int) -> KmerModel | None:
    """A model of each base given up to five on either side, counted without the sample's windows."""
    reader = scorer.alternative
    starts, codes = reader.codes_of(sample.short)
    places = [
        Interval(contig, start, min(start + reader.window, scorer.assembly.contigs[contig]))
        for (contig, _), start in zip(sample.short, starts.tolist(), strict=True)
    ]
    pieces = sample_sequence(scorer.assembly, places, seed=seed)
    # k-mers as long as are seen once on average.
    reach = min(KMER_REACH, max(1, int((math.log(max(1, sum(map(len, pieces))), 4) - 1) / 2)))
    width = 2 * reach + 1
    counts = both_strand_counts(pieces, width)
    held_out = np.concatenate([codes[:, i : i + width] for i in range(0, reader.window - width, width)])
    try:
        return fit_kmer_model(counts, reach, reach, held_out) if counts.any() else None
    except BudwoodError:
        return None


def _multiplies_bf16(checkpoint: Checkpoint) -> bool:
    """Whether the device multiplies in bfloat16 faster than in float32."""
    import torch

    if checkpoint.device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if checkpoint.device.type != "cpu":
        return False
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # earlier releases have none
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
