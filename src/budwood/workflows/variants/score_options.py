"""What variants are scored, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from budwood.errors import BudwoodError
from budwood.workflows.setup.encoder import EncoderOptions

Precision = Literal["auto", "float32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """What to score, and how.

    Attributes
    ----------
    vcf, reference
        Variants, and the genome that they were called on.
    annotation
        Genes of the genome: adds consequences by the annotation as INFO/ANN.
    joint
        Whether to add, as INFO/BCSQ, what several variants on one phased copy of a gene do together.
    scores
        Groups of :data:`budwood.inference.variants.score_field.GROUPS`; where None, those of one reading of
        the reference, and all of them for few alleles.
    aliases
        Contig names of the variants and what the genome calls them.
    encoder
        Which encoder, and where it runs.
    precision
        ``float32``, ``bf16`` (products in bfloat16), or ``auto``: bf16 where the processor multiplies in it.
    seed
        Seed of the windows drawn from the genome.
    threads
        Threads that read windows, each on one core; as many as there are cores where None. Results do not
        depend on it.

    Raises
    ------
    BudwoodError
        If there is less than one thread.
    """

    vcf: Path
    reference: Path
    annotation: Path | None = None
    joint: bool = False
    scores: tuple[str, ...] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    precision: Precision = "auto"
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise BudwoodError(
                f"--threads {self.threads} is not possible", mend="give 1 or more, or leave it out"
            )

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read."""
        return [self.vcf, self.reference, *([self.annotation] if self.annotation else [])]
