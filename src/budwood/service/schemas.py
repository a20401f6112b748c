"""What requests and answers look like, for /openapi.json and for checking what is sent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

#: Letters of a sequence: bases, U and the IUPAC codes, which count as N.
BASES = r"^[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]+$"

Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    """Unknown fields are refused, so that a misspelt one is not taken for one left out."""

    model_config = ConfigDict(extra="forbid")


class ErrorParts(BaseModel):
    """What is wrong, where, and how to mend it."""

    what: str
    where: str
    mend: str


class ErrorAnswer(BaseModel):
    """The shape of every error."""

    error: ErrorParts


class NamedSequence(_Strict):
    """A sequence and what the client calls it."""

    name: Name
    sequence: Annotated[str, Field(min_length=1, pattern=BASES)]


class SequencesToEmbed(_Strict):
    """Sequences of any length; one over 512 bases is cut into tiles, whose mean is its vector."""

    sequences: Annotated[list[NamedSequence], Field(min_length=1, max_length=20_000)]
    pool: Literal["mean", "centre"] = "mean"


class Place(_Strict):
    """0-based half-open interval of a contig."""

    contig: Name
    start: Annotated[int, Field(ge=0, le=2**53)]
    end: Annotated[int, Field(ge=1, le=2**53)]
    strand: Literal["+", "-"] = "+"


class IntervalsToEmbed(_Strict):
    """Intervals of a genome that the service has."""

    genome: Name
    intervals: Annotated[list[Place], Field(min_length=1, max_length=20_000)]
    pool: Literal["mean", "centre"] = "mean"


class CheckpointName(BaseModel):
    """Which encoder made vectors."""

    name: str
    digest: str


class Vector(BaseModel):
    """One row: the name that was sent, and its numbers."""

    name: str
    vector: list[float]


class Vectors(BaseModel):
    """Embeddings, in the order of what was sent."""

    checkpoint: CheckpointName
    numbers: int
    rows: list[Vector]


class Health(BaseModel):
    """Whether the service answers."""

    status: Literal["ok"]
    version: str


class SavedModel(BaseModel):
    """A saved trait model."""

    name: str
    trait: str
    model: str
    training_lines: int | None
    lower_is_better: bool
    mean_r: dict[str, float | None]
    reads_sequence: bool | None
    digest: str


class SavedModels(BaseModel):
    """The saved trait models of the service."""

    models: list[SavedModel]


class PredictionsReply(BaseModel):
    """Predictions of new lines; the rows have the columns of predictions.csv."""

    trait: str
    model: str
    training_lines: int
    mean_r: dict[str, float | None]
    notes: list[str]
    columns: list[str]
    rows: list[list[Any]]


class Genome(BaseModel):
    """A genome of the service."""

    name: str
    contigs: dict[str, int]


class Genomes(BaseModel):
    """The genomes of the service."""

    genomes: list[Genome]


#: For ``responses`` of every route.
ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorAnswer} for code in (400, 401, 403, 404, 405, 408, 413, 422, 429, 500)
}
