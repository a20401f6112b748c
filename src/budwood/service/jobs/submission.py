"""From an upload to a job that waits."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError

from budwood.errors import BudwoodError
from budwood.service.embedding.routes import genome_files, open_genome
from budwood.service.jobs.job_folder import JobFolder, JobRecord
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.states import ENDED
from budwood.service.jobs.verbs import NEEDED, ROLES, Options, words_of
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import model_named
from budwood.service.uploads import save_uploads

#: Jobs of one key that may wait or run.
_MOST_JOBS: Final = 50
_OPTIONS: Final[TypeAdapter[BaseModel]] = TypeAdapter(Options)


def read_options(text: str) -> BaseModel:
    """The options of a job.

    Parameters
    ----------
    text
        JSON with the field ``verb`` and the options of that verb.

    Returns
    -------
    BaseModel
        One of the verbs.

    Raises
    ------
    RequestValidationError
        If the text is not that.
    """
    try:
        return _OPTIONS.validate_json(text)
    except ValidationError as error:
        raise RequestValidationError(
            [{**each, "loc": ("options", *each["loc"][1:])} for each in error.errors(include_url=False)]
        ) from error


def submit(
    settings: ServiceSettings,
    queue: JobQueue,
    options: BaseModel,
    uploads: Mapping[str, Sequence[UploadFile]],
    owner: str,
) -> JobFolder:
    """Save the files of a job, write it down, and let it wait for a worker.

    Parameters
    ----------
    settings, queue
        Of the service.
    options
        One of the verbs.
    uploads
        Files by role.
    owner
        Name of the key.

    Returns
    -------
    JobFolder
        The job.

    Raises
    ------
    Refusal
        If a file lacks or is not one of the verb's, a model or genome does not exist, a name is taken, or the
        key has too many jobs.
    """
    verb = str(getattr(options, "verb"))  # noqa: B009
    _check(settings, queue, options, uploads, owner)
    folder = JobFolder.new(queue.jobs)
    try:
        files = {
            role: save_uploads(each, folder.path / "inputs" / role, most_unpacked=settings.largest_unpacked)
            for role, each in uploads.items()
        }
        genome = getattr(options, "genome", None)
        if genome is not None:
            files["reference"] = _linked(genome_files(settings)[genome], folder.path / "inputs" / "reference")
        saved = getattr(options, "saved_model", None)
        model = (
            None if saved is None else _linked(model_named(settings, saved), folder.path / "inputs" / "model")
        )
        relative = {role: path.relative_to(folder.path).as_posix() for role, path in files.items()}
        words = words_of(
            options,
            relative,
            model_folder=None if model is None else model.relative_to(folder.path).as_posix(),
        )
        folder.write_record(
            JobRecord(
                id=folder.id,
                owner=owner,
                verb=verb,
                options=options.model_dump(mode="json", exclude_defaults=True),
                files=relative,
                words=tuple(words),
                created=datetime.now(UTC).isoformat(timespec="milliseconds"),
                save_as=getattr(options, "save_as", None),
            )
        )
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    folder.add_event("state", state="queued")
    queue.add(folder)
    return folder


def _check(
    settings: ServiceSettings,
    queue: JobQueue,
    options: BaseModel,
    uploads: Mapping[str, Sequence[UploadFile]],
    owner: str,
) -> None:
    """Refuse what can be refused before a file is saved."""
    verb = str(getattr(options, "verb"))  # noqa: B009
    for role in uploads:
        if role not in ROLES[verb]:
            raise Refusal(
                422, f"{verb} takes no file {role!r}", where=role, mend=f"it takes: {', '.join(ROLES[verb])}"
            )
    for role in NEEDED[verb]:
        if role not in uploads:
            raise Refusal(422, f"{verb} needs a file {role!r}", where=role, mend="send it as well")
    genome = getattr(options, "genome", None)
    if genome is not None:
        if "reference" in uploads:
            raise Refusal(422, "there are two reference genomes", where="genome", mend="send one of them")
        open_genome(settings, genome)
    name = getattr(options, "save_as", None)
    if name is not None and (settings.model_folder / name).exists():
        raise Refusal(409, f"there is a model {name!r} already", where="save_as", mend="choose another name")
    if getattr(options, "saved_model", None) is not None:
        model_named(settings, options.saved_model)  # type: ignore[attr-defined]
    mine = [each for each in JobFolder.every(queue.jobs) if each.record().owner == owner]
    active = [each for each in queue.standings(mine).values() if each.state not in ENDED]
    if len(active) >= _MOST_JOBS:
        raise Refusal(
            429,
            f"{len(active)} jobs of this key wait or run",
            mend="wait for one to end, or cancel one",
            headers={"Retry-After": "60"},
        )


def _linked(path: Path, folder: Path) -> Path:
    """A link to a file of the service within a job, so that the job names no path of the server."""
    folder.mkdir(parents=True)
    link = folder / path.name
    try:
        link.symlink_to(path.resolve())
    except OSError as error:
        raise BudwoodError("the server cannot link files", mend="send the file itself") from error
    return link
