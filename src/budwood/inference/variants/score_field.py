"""The scores of variants: their names, what they mean, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from budwood.errors import BudwoodError, suggestion

#: ``reference``: from the reading of the reference alone. ``alternative``: one more reading for each allele.
#: ``masked``: one for each site.
Cost = Literal["reference", "alternative", "masked"]


@dataclass(frozen=True)
class ScoreField:
    """One number for each alternative allele.

    Attributes
    ----------
    name
        Name in tables.
    group
        Name by which users ask for it; several fields may share one.
    cost
        What it takes beyond the reading of the reference.
    meaning
        Description for the header of a VCF.
    calibrated
        Name of the field that it is calibrated to, None where it is not.
    """

    name: str
    group: str
    cost: Cost
    meaning: str
    calibrated: bool = False

    @property
    def info(self) -> str:
        """Name of the INFO entry of a VCF."""
        return f"BW_{self.name.upper()}"


_SITE: Final = "within 16 bases, reference and alternative readings"
#: Every score, in the order in which they are written.
FIELDS: Final = (
    ScoreField(
        "expected_consequence",
        "consequence",
        "reference",
        "Expected consequence, 0 to 1: genetic code times the probabilities of codon position and strand "
        "that the encoder reads in the reference; 1 each for stop gained, stop lost, start lost, splice site "
        "lost and frameshift, 0.1 each for missense and in-frame indel",
        calibrated=True,
    ),
    ScoreField("stop_gained", "consequence", "reference", "Expected probability that a stop codon arises"),
    ScoreField("stop_lost", "consequence", "reference", "Expected probability that a stop codon is lost"),
    ScoreField("start_lost", "consequence", "reference", "Expected probability that a start codon is lost"),
    ScoreField("splice_lost", "consequence", "reference", "Probability that a splice site is changed"),
    ScoreField("frameshift", "consequence", "reference", "Expected probability that the frame is shifted"),
    ScoreField("missense", "consequence", "reference", "Expected probability of another amino acid"),
    ScoreField("inframe", "consequence", "reference", "Expected probability of an in-frame indel"),
    ScoreField(
        "kmer",
        "kmer",
        "reference",
        "Baseline, no DNA model: natural log of the probability of ALT over REF given up to 5 bases on "
        "either side, by k-mer counts of this genome; single-base changes only",
    ),
    ScoreField(
        "divergence",
        "divergence",
        "alternative",
        f"Kullback-Leibler divergence in nats of predicted regions, summed {_SITE}",
        calibrated=True,
    ),
    ScoreField(
        "splice_gained",
        "divergence",
        "alternative",
        f"Largest rise of the probability of a splice site {_SITE}",
    ),
    ScoreField(
        "shift",
        "shift",
        "alternative",
        f"Distance of the mean vectors of the bases {_SITE}",
        calibrated=True,
    ),
    ScoreField(
        "log_likelihood_ratio",
        "likelihood",
        "masked",
        "Natural log of the probability of ALT over REF where the base is masked: the usual score of "
        "masked language models. It does not find stops or splice sites (docs/variants.md). "
        "Single-base changes only",
        calibrated=True,
    ),
)
#: Names by which scores are asked for.
GROUPS: Final = tuple(dict.fromkeys(field.group for field in FIELDS))


def fields_of(groups: Sequence[str]) -> tuple[ScoreField, ...]:
    """The fields of groups of scores.

    Parameters
    ----------
    groups
        Names of groups.

    Returns
    -------
    tuple of ScoreField
        In the order in which they are written.

    Raises
    ------
    BudwoodError
        If there is no such group, or none is named.

    Examples
    --------
    >>> [field.info for field in fields_of(["shift", "kmer"])]
    ['BW_KMER', 'BW_SHIFT']
    """
    for group in groups:
        if group not in GROUPS:
            raise BudwoodError(
                f"there is no score {group!r}", where="--scores", mend=suggestion(group, GROUPS)
            )
    if not groups:
        raise BudwoodError("no score is named", where="--scores", mend=suggestion("", GROUPS))
    return tuple(field for field in FIELDS if field.group in groups)
