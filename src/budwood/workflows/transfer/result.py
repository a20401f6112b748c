"""Sources and a target compared, with what was read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from budwood.workflows.transfer.sides import Side

if TYPE_CHECKING:
    from budwood.prediction.phenotype_next import PhenotypeNext
    from budwood.transfer.comparison import TransferComparison


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferResult:
    """Sources and a target compared.

    Attributes
    ----------
    sources, target
        All sides.
    found
        Tests, accuracies and the outcome.
    next_lines
        Which target lines to phenotype next, beside those that are; as if none were, where all are. None
        where none was wanted.
    notes
        What was read, matched and assumed, and warnings.
    """

    sources: tuple[Side, ...]
    target: Side
    found: TransferComparison
    next_lines: PhenotypeNext | None
    notes: tuple[str, ...]
