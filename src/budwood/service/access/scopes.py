"""What a key may do: one scope for each part of the service."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    """A part of the service that a key opens."""

    EMBED = "embed"
    PREDICT = "predict"
    JOBS = "jobs"
    BRAPI = "brapi"
    ADMIN = "admin"


#: Scopes of a key that is added without any: all but the administration.
USUAL: Final = (Scope.EMBED, Scope.PREDICT, Scope.JOBS, Scope.BRAPI)

#: Paths without a key.
_OPEN: Final = ("/v1/health", "/openapi.json", "/style.css", "/page.js", "/login", "/request-access")
#: Paths that any key opens.
_ANY: Final = ("/logout", "/lesson")
_BY_PATH: Final = (
    ("/v1/embeddings", Scope.EMBED),
    ("/v1/genomes", Scope.EMBED),
    ("/v1/variants", Scope.EMBED),
    ("/v1/models", Scope.PREDICT),
    ("/v1/library", Scope.PREDICT),
    ("/v1/jobs", Scope.JOBS),
    ("/v1/transfers", Scope.JOBS),
    ("/brapi", Scope.BRAPI),
    ("/models", Scope.PREDICT),
    ("/library", Scope.PREDICT),
    ("/v1/keys", Scope.ADMIN),
    ("/keys", Scope.ADMIN),
    ("/metrics", Scope.ADMIN),
)


def needs_key(path: str) -> bool:
    """Whether a path is closed without a key.

    Parameters
    ----------
    path
        Path of a request.

    Returns
    -------
    bool
        False for the few open pages and calls.

    Examples
    --------
    >>> needs_key("/v1/health"), needs_key("/v1/health/../jobs"), needs_key("/v1/jobs")
    (False, True, True)
    """
    return path not in _OPEN


def scope_of(path: str) -> Scope | None:
    """The scope that a path needs; None where any key will do.

    Parameters
    ----------
    path
        Path of a request.

    Returns
    -------
    Scope or None
        The scope; that of jobs for every path that is not listed.

    Examples
    --------
    >>> scope_of("/v1/embeddings"), scope_of("/v1/embeddingsX"), scope_of("/keys/3/revoke")
    (<Scope.EMBED: 'embed'>, <Scope.JOBS: 'jobs'>, <Scope.ADMIN: 'admin'>)
    """
    if path in _ANY or path in _OPEN:
        return None
    for beginning, scope in _BY_PATH:
        if path == beginning or path.startswith(f"{beginning}/"):
            return scope
    return Scope.JOBS
