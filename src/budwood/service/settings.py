"""How a service is set up."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.workflows.setup.encoder import EncoderOptions

MEGABYTE: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """Where a service listens, what it keeps and what it allows.

    Attributes
    ----------
    folder
        Holds keys, jobs and the request log; made where it is absent.
    models
        Folder of saved trait models; ``models`` in the folder where None.
    library
        Folder of the model library; ``library`` in the folder where None.
    genomes
        Folder of FASTA files whose intervals may be embedded; none where None.
    host, port
        Where it listens.
    database
        SQLAlchemy URL of the database of jobs; a SQLite file in the folder where None.
    worker
        Name of this process among those that share a database; it must be the same after a restart.
    parallel_jobs
        Jobs that run at once; with 0 this process takes jobs and another one runs them.
    job_hours
        Hours after which a job is ended.
    kept_days
        Days after which the files of a finished job are removed.
    largest_upload, largest_json
        Bytes of a request with files, and of any other.
    largest_unpacked
        Bytes that a packed upload may hold.
    slow_seconds
        Longest wait for the next bytes of a request.
    rate
        Requests that a key allows unless it has limits of its own, such as ``"600/minute; 50000/day"``.
    most_windows
        Windows of 512 bases that one request may embed at once.
    most_variants
        Alternative alleles that one request may score at once; a larger file becomes a job.
    batch_windows, batch_wait
        Windows that requests share an encoder batch of at most, and seconds that the first one waits.
    encoder
        Which encoder, and where it runs.
    lesson
        HTML of the lesson; the service has no such page where it is empty.
    """

    folder: Path
    models: Path | None = None
    library: Path | None = None
    genomes: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    database: str | None = None
    worker: str = "budwood"
    parallel_jobs: int = 1
    job_hours: float = 24.0
    kept_days: float = 7.0
    largest_upload: int = 2048 * MEGABYTE
    largest_json: int = 16 * MEGABYTE
    largest_unpacked: int = 8192 * MEGABYTE
    slow_seconds: float = 30.0
    rate: str = "600/minute"
    most_windows: int = 4096
    most_variants: int = 200
    batch_windows: int = 64
    batch_wait: float = 0.005
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    lesson: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.parallel_jobs < 0:
            raise BudwoodError(f"--parallel-jobs {self.parallel_jobs} is not possible", mend="give 0 or more")
        if not 1 <= self.port <= 65535:
            raise BudwoodError(f"there is no port {self.port}", mend="give a number from 1 to 65535")

    @property
    def is_open(self) -> bool:
        """Whether no key is needed: only where the service listens on this machine alone."""
        return is_loopback(self.host)

    @property
    def model_folder(self) -> Path:
        """Folder of saved trait models."""
        return self.models or self.folder / "models"

    @property
    def library_folder(self) -> Path:
        """Folder of the model library."""
        return self.library or self.folder / "library"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database of jobs."""
        return self.database or f"sqlite:///{(self.folder / 'jobs.sqlite').resolve()}"


def is_loopback(host: str) -> bool:
    """Whether an address is that of this machine alone.

    Parameters
    ----------
    host
        Name or number of an address, without a port.

    Returns
    -------
    bool
        False for every name but ``localhost``, whatever it stands for.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
