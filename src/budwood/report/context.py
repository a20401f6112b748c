"""What a report says beside the numbers: how the run was made and what was found about the accessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class ReportContext:
    """The run behind a report.

    Attributes
    ----------
    model
        Name of the model that the predictions come from, as it stands in ``Evaluation.scores``.
    created
        When the run ended, with its time zone.
    inputs
        What was read: its part in the run (``"genotypes"``) and a description
        (``"rice.bed, 374 accessions x 36,901 markers"``).
    identity
        Sentences about which accessions were found where, near-misses, duplicates.
    notes
        Sentences about what was read from the files and what was assumed of them.
    checkpoint
        Name of the DNA model, None where markers alone were used.
    versions
        Versions of what computed the result.
    command
        The command that made the run, ``""`` where there was none.
    no_evaluation
        Why accuracy could not be measured, one sentence; shown only where there is no evaluation.
    """

    model: str
    created: datetime
    inputs: Mapping[str, str] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    checkpoint: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    no_evaluation: str = ""
