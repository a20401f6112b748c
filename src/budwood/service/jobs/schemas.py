"""What requests and answers on jobs look like."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from budwood.service.jobs.states import State
from budwood.service.schemas import ErrorParts


class Job(BaseModel):
    """A job: what was asked, and where it stands."""

    id: str
    verb: str
    options: dict[str, Any]
    files: dict[str, str]
    owner: str
    created: str
    state: State
    error: ErrorParts | None
    result: list[str]


class Jobs(BaseModel):
    """Jobs, the newest first."""

    jobs: list[Job]
