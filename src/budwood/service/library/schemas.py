"""What requests and answers on the model library look like."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from budwood.service.jobs.verbs import EntryName, ModelName, Text

Note = Annotated[str, Field(max_length=2000)]


class MeasuredAccuracy(BaseModel):
    """A measured accuracy with its 95 % interval, where one was stored."""

    measure: str
    value: float
    lower: float | None
    upper: float | None


class LibraryEntry(BaseModel):
    """A card of the library."""

    name: str
    kind: str
    species: str
    population: str
    traits: list[str]
    terms: dict[str, str]
    environments: list[str]
    provenance: str
    accuracy: list[MeasuredAccuracy]
    date: str
    digest: str
    encoder: dict[str, str]
    budwood: str
    note: str


class LibraryEntries(BaseModel):
    """Cards, by name, and names of entries whose cards cannot be read."""

    entries: list[LibraryEntry]
    damaged: list[str]


class ModelToAdd(BaseModel):
    """A model of the service that the library is to keep: of a finished job, or a saved trait model."""

    model_config = ConfigDict(extra="forbid")

    name: EntryName
    job: Annotated[str, Field(max_length=64)] | None = None
    saved_model: ModelName | None = None
    species: Note = ""
    population: Note = ""
    terms: Annotated[dict[Text, Text], Field(max_length=200)] = Field(default_factory=dict)
    environments: Annotated[list[Text], Field(max_length=200)] = Field(default_factory=list)
    provenance: str = "unknown"
    note: Note = ""
