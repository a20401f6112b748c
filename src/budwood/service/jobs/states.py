"""The states of a job: a closed list."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job stands.

    ``refused`` is bad input, with the sentence of the command line; ``failed`` is everything else that went
    wrong. ``expired`` is a finished job whose files were removed.
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


#: States that a job stays in, but that the files of each expire.
ENDED: Final = (State.DONE, State.REFUSED, State.FAILED, State.CANCELLED, State.EXPIRED)
