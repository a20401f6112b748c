"""What answers on transfers look like."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class MeasuredTransfer(BaseModel):
    """One finished job of transfer evaluate."""

    job: str
    source: str
    target: str
    trait: str
    outcome: str
    created: str


class MeasuredTransfers(BaseModel):
    """Finished transfers, the newest first."""

    transfers: list[MeasuredTransfer]


class TransferCell(BaseModel):
    """A source and a target: what was measured, or that nobody measured."""

    trait: str
    source: str
    sources: list[str]
    target: str
    outcome: str
    distance: float | None
    gain: dict[str, dict[str, float]]
    predicted_r: float | None


class TransferMap(BaseModel):
    """The map of ``budwood transfer map``, with sentences for people."""

    cells: list[TransferCell]
    predictor: dict[str, Any] | None
    notes: list[str]
    sentences: list[str]
