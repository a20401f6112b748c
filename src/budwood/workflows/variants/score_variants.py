"""Score variants: the records of a VCF again, with what the encoder expects of each alternative allele."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.errors import BudwoodError, counted
from budwood.genomics.io.text.given_path import given_path
from budwood.workflows.setup.cost import Announce, duration, silent
from budwood.workflows.setup.encoder import Device, EncoderOptions
from budwood.workflows.variants.score_options import Precision, ScoreOptions

if TYPE_CHECKING:
    import pandas

    from budwood.inference.variants.genome_profile import GenomeProfile
    from budwood.progress import Advance
    from budwood.workflows.variants.scoring_job import ScoringJob


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreResult:
    """What was scored.

    Attributes
    ----------
    records, alleles
        Their numbers.
    reasons
        How many alleles were scored, and how many were not by reason.
    scores
        Names of the scores.
    profile
        How the encoder predicts this genome.
    outside
        Why the genome is outside what the encoder knows: a sentence by name; empty where it is not.
    checkpoint, digest, device, precision
        The encoder and how it ran.
    notes
        Sentences about what was read, assumed and left out.
    columns
        One value for each allele by column; None where a file was written.
    """

    records: int
    alleles: int
    reasons: Mapping[str, int]
    scores: tuple[str, ...]
    profile: GenomeProfile
    outside: Mapping[str, str]
    checkpoint: str
    digest: str
    device: str
    precision: str
    notes: tuple[str, ...] = ()
    columns: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        held = f"{counted(self.alleles, 'allele')} in {counted(self.records, 'record')}"
        return f"ScoreResult({held}, {counted(len(self.scores), 'score')} by {self.checkpoint})"

    def record(self) -> dict[str, Any]:
        """The result as plain values.

        Returns
        -------
        dict
            Counts, scores, how far the genome can be trusted, the encoder and notes.
        """
        return {
            "records": self.records,
            "alleles": self.alleles,
            "reasons": dict(self.reasons),
            "scores": list(self.scores),
            "genome": self.profile.record(),
            "outside": dict(self.outside),
            "checkpoint": {"name": self.checkpoint, "digest": self.digest},
            "device": self.device,
            "precision": self.precision,
            "notes": list(self.notes),
        }

    def to_frame(self) -> pandas.DataFrame:
        """One row for each alternative allele, in the order of the file.

        Returns
        -------
        pandas.DataFrame
            Contig, position (1-based), alleles, reason and scores.

        Raises
        ------
        BudwoodError
            If the scores were written to a file, or pandas is not installed.
        """
        from budwood.prediction.data_frame import data_frame

        if self.columns is None:
            raise BudwoodError(
                "the scores are in the file that was written", mend="leave out the output file"
            )
        return data_frame(self.columns)


def score_variants(
    vcf: Path | str,
    reference: Path | str,
    out: Path | str | None = None,
    *,
    annotation: Path | str | None = None,
    joint: bool = False,
    scores: Sequence[str] | str | None = None,
    aliases: Mapping[str, str] | None = None,
    checkpoint: Path | str | None = None,
    device: Device = "auto",
    batch_size: int | None = None,
    precision: Precision = "auto",
    overwrite: bool = False,
    seed: int = 0,
    threads: int | None = None,
) -> ScoreResult:
    """Score the variants of a VCF without any training.

    Parameters
    ----------
    vcf, reference
        Variants, and the genome that they were called on.
    out
        File to write the same records to, with the scores as INFO entries: ``.vcf.gz`` or ``.vcf``. Where
        None the result holds the scores (:meth:`ScoreResult.to_frame`).
    annotation
        GFF or GTF of the genome's genes: adds INFO/ANN; needs ``out``.
    joint
        Whether to add INFO/BCSQ, what several variants on one phased copy of a gene do together; needs
        ``annotation``.
    scores
        Any of ``consequence``, ``kmer``, ``divergence``, ``shift`` and ``likelihood``; by default the first
        two, and all of them for at most 1,000 alleles; one name may be plain text.
    aliases
        Contig names of the variants and what the genome calls them.
    checkpoint, device, batch_size
        Folder of the encoder, the packaged one where None; where it runs; windows that it reads at once.
    precision
        ``float32``, ``bf16``, or ``auto``: bf16 where the processor multiplies in it.
    overwrite
        Whether an earlier result may be replaced.
    seed
        Seed of the windows drawn from the genome.
    threads
        Threads that read windows, each on one core; as many as there are cores where None. Results do not
        depend on it.

    Returns
    -------
    ScoreResult
        Counts, how far the genome can be trusted, and the scores where no file was written.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or most variants do not fit the genome.
    """
    if isinstance(scores, str):
        scores = (scores,)
    if scores is not None and not (
        isinstance(scores, Sequence) and all(isinstance(name, str) for name in scores)
    ):
        raise BudwoodError(
            "the scores are no list of names", mend="give names such as ['consequence', 'kmer']"
        )
    if not isinstance(aliases, Mapping | None):
        raise BudwoodError(
            f"aliases are of type {type(aliases).__name__}", mend="give names of contigs by name of contig"
        )
    options = ScoreOptions(
        vcf=given_path(vcf, "variants"),
        reference=given_path(reference, "reference"),
        annotation=None if annotation is None else given_path(annotation, "annotation"),
        joint=joint,
        scores=None if scores is None else tuple(scores),
        aliases=aliases or {},
        encoder=EncoderOptions(
            checkpoint=None if checkpoint is None else given_path(checkpoint, "checkpoint"),
            device=device,
            batch_size=batch_size,
        ),
        precision=precision,
        seed=seed,
        threads=threads,
    )
    return score_file(options, None if out is None else given_path(out, "file to write"), overwrite=overwrite)


def score_file(
    options: ScoreOptions, out: Path | None = None, *, overwrite: bool = False, announce: Announce = silent
) -> ScoreResult:
    """Score the variants of a file.

    Parameters
    ----------
    options
        What to score, and how.
    out
        File to write; None to keep the scores in the result.
    overwrite
        Whether an earlier result may be replaced.
    announce
        Receives what the scoring will take.

    Returns
    -------
    ScoreResult
        What was scored.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or most variants do not fit the genome.
    """
    from budwood.inference.threads import OrderedThreads, one_core_each
    from budwood.model.device import choose_device
    from budwood.progress import progress
    from budwood.workflows.variants.scored_vcf import check_out, write_scored
    from budwood.workflows.variants.scoring_job import open_job

    if out is not None:
        check_out(out, options.inputs, overwrite=overwrite)
    elif options.annotation is not None:
        raise BudwoodError(
            "consequences by an annotation are written to a file",
            where="annotation",
            mend="give --out as well",
        )
    if options.joint and options.annotation is None:
        raise BudwoodError(
            "what variants do together is known by an annotation", where="--joint", mend="give --annotation"
        )
    device = choose_device(options.encoder.device)
    with one_core_each(options.threads, device.type) as count, OrderedThreads(count) as threads:
        job = open_job(options, threads)
        announce_cost(job, announce)
        with progress("reading", total=job.windows) as advance:
            job.draw(advance)
            if out is not None:
                write_scored(job, options, out, advance)
                columns = None
            else:
                columns = _columns(job, advance)
    return ScoreResult(
        records=job.survey.records,
        alleles=job.survey.alleles,
        reasons=job.survey.reasons,
        scores=tuple(each.name for each in job.scorer.fields),
        profile=job.profile,
        outside=job.outside,
        checkpoint=job.checkpoint.name,
        digest=job.checkpoint.digest,
        device=str(job.checkpoint.device),
        precision=job.precision,
        notes=job.notes(),
        columns=columns,
    )


def announce_cost(job: ScoringJob, announce: Announce) -> None:
    """Announce how long the reading takes.

    Parameters
    ----------
    job
        What is to be scored; one small batch is timed.
    announce
        Receives the sentence.
    """
    if announce is silent:
        return
    reference, alternative = job.seconds_per_window()
    seconds = job.reference_windows * reference + job.alternative_windows * alternative
    announce(
        f"{counted(job.survey.alleles, 'allele')} in {counted(job.survey.records, 'record')}: "
        f"{job.reference_windows:,} windows of the reference and "
        f"{job.alternative_windows:,} for alternative alleles and masked bases, "
        f"{duration(seconds)}"
    )


def _columns(job: ScoringJob, advance: Advance) -> dict[str, Any]:
    """Scores of every allele by column."""
    import numpy as np

    found: dict[str, list[Any]] = {}
    for _, sites in job.blocks():
        table, values = job.score(sites, advance)
        alleles = [allele for site in sites for allele in site.alleles[1:]]
        places = [sites[i] for i in table.record]
        rows = {
            "contig": [site.contig for site in places],
            "position": [site.start + 1 for site in places],
            "reference": [site.alleles[0] for site in places],
            "alternative": alleles,
            "reason": [str(reason) for reason in table.reasons],
            **values,
        }
        for name, column in rows.items():
            found.setdefault(name, []).append(np.asarray(column))
    return {name: np.concatenate(parts) for name, parts in found.items()}
