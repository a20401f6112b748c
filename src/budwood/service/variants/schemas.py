"""What answers on variants look like."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from budwood.service.schemas import CheckpointName


class ScoredVariants(BaseModel):
    """Scores of alternative alleles: one row for each, in the order of the file."""

    records: int
    alleles: int
    reasons: dict[str, int]
    scores: list[str]
    genome: dict[str, Any]
    outside: dict[str, str]
    checkpoint: CheckpointName
    precision: str
    notes: list[str]
    columns: list[str]
    rows: list[list[Any]]
