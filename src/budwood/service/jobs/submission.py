"""From an upload to a job that waits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fastapi import UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError

from budwood.errors import BudwoodError
from budwood.service.embedding.routes import genome_files, open_genome
from budwood.service.jobs.job_folder import JobFolder, JobRecord, is_job_id
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.states import ENDED, State
from budwood.service.jobs.verbs import NEEDED, ROLES, WITH_ENCODER, Options, saved_models, takes, words_of
from budwood.service.library.entries import adapter_named
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import saved_model_named
from budwood.service.transfers.source_files import check_sources
from budwood.service.uploads import role_with_number, save_uploads

#: Jobs of one key that may wait or run.
_MOST_JOBS: Final = 50
_DRAFT: Final = "draft.json"
_OPTIONS: Final[TypeAdapter[Any]] = TypeAdapter(Options)


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
        options: BaseModel = _OPTIONS.validate_json(text)
    except ValidationError as error:
        raise RequestValidationError(
            [{**each, "loc": ("options", *each["loc"][1:])} for each in error.errors(include_url=False)]
        ) from error
    return options


@dataclass(frozen=True)
class JobDraft:
    """Uploaded files that are no job yet: a folder without ``job.json``.

    Attributes
    ----------
    folder
        Becomes that of the job.
    owner
        Name of the key that uploaded them.
    files
        Paths by role, relative to the folder.
    """

    folder: JobFolder
    owner: str
    files: Mapping[str, str]

    @classmethod
    def find(cls, jobs: Path, id: str) -> JobDraft | None:
        """A draft by its id.

        Parameters
        ----------
        jobs
            Folder of all jobs.
        id
            As a request gives it.

        Returns
        -------
        JobDraft or None
            None where there is none, or it has become a job.
        """
        folder = jobs / id
        if not is_job_id(id) or not (folder / _DRAFT).is_file() or (folder / "job.json").exists():
            return None
        values = json.loads((folder / _DRAFT).read_text(encoding="utf-8"))
        return cls(JobFolder(folder), values["owner"], values["files"])


def save_draft(
    settings: ServiceSettings,
    queue: JobQueue,
    uploads: Mapping[str, Sequence[UploadFile]],
    owner: str,
    genome: str = "",
) -> JobDraft:
    """Save uploaded files in a folder that can become a job.

    Parameters
    ----------
    settings, queue
        Of the service.
    uploads
        Files by role.
    owner
        Name of the key.
    genome
        Name of a genome of the service that is the reference; empty for none.

    Returns
    -------
    JobDraft
        The files.

    Raises
    ------
    Refusal
        If a packed file holds too much, two files have one name, or there is no such genome.
    """
    folder = JobFolder.new(queue.jobs)
    try:
        inputs, most = folder.path / "inputs", settings.largest_unpacked
        files = {
            role: save_uploads(each, inputs / role, most_unpacked=most) for role, each in uploads.items()
        }
        if genome:
            open_genome(settings, genome)
            files["reference"] = _linked(genome_files(settings)[genome], inputs / "reference")
        relative = {role: path.relative_to(folder.path).as_posix() for role, path in files.items()}
        text = json.dumps({"owner": owner, "files": relative})
        (folder.path / _DRAFT).write_text(text, encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    return JobDraft(folder, owner, relative)


def copy_draft(queue: JobQueue, job: JobFolder, owner: str) -> JobDraft:
    """The uploaded files of a job once more, for another job.

    Parameters
    ----------
    queue
        Names the folder of jobs.
    job
        Whose files are copied; they are linked where the disk can.
    owner
        Name of the key.

    Returns
    -------
    JobDraft
        The same files under the same roles.
    """
    folder, files = JobFolder.new(queue.jobs), dict(job.record().files)
    try:
        for path in files.values():
            source, target = job.path / path, folder.path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # Files of one upload lie together: a PLINK trio is named by its first file.
            for each in source.parent.iterdir():
                _copied(each, target.parent / each.name)
        text = json.dumps({"owner": owner, "files": files})
        (folder.path / _DRAFT).write_text(text, encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    return JobDraft(folder, owner, files)


def _copied(source: Path, target: Path) -> None:
    """A second name of a file; a copy where the disk allows none. A link of the service stays a link."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def start_draft(settings: ServiceSettings, queue: JobQueue, draft: JobDraft, options: BaseModel) -> JobFolder:
    """Make a draft a job that waits for a worker.

    Parameters
    ----------
    settings, queue
        Of the service.
    draft
        The files; those that the verb does not take stay unused.
    options
        One of the verbs.

    Returns
    -------
    JobFolder
        The job.

    Raises
    ------
    Refusal
        If a file lacks, a model does not exist, a name is taken, the key has too many jobs, or the draft has
        become a job.
    """
    verb, folder = str(getattr(options, "verb")), draft.folder  # noqa: B009
    files = {role: path for role, path in draft.files.items() if takes(verb, role)}
    _check(settings, queue, options, list(files), draft.owner)
    sequence = any(role == "fasta" or "reference" in role for role in files)
    linked = _link_models(settings, options, folder, sequence=sequence)
    record = JobRecord(
        id=folder.id,
        owner=draft.owner,
        verb=verb,
        options=options.model_dump(mode="json", exclude_defaults=True),
        files=files,
        words=tuple(words_of(options, files, linked=linked)),
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        save_as=getattr(options, "save_as", None),
    )
    try:
        folder.write_record(record)
    except FileExistsError as error:  # a form that was sent twice
        raise Refusal(
            409, "these files are those of a job already", where=folder.id, mend="see the list of jobs"
        ) from error
    try:
        folder.add_event("state", state=State.QUEUED)
        queue.add(folder)
    except BaseException:  # the client is refused, so that nothing may wait or run
        folder.withdraw_record()
        raise
    return folder


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
    uploads = _tracks_apart(uploads)
    for role in uploads:
        if not takes(verb, role):
            raise Refusal(
                422, f"{verb} takes no file {role!r}", where=role, mend=f"it takes: {', '.join(ROLES[verb])}"
            )
    genome = getattr(options, "genome", None)
    if genome is not None and "reference" in uploads:
        raise Refusal(422, "there are two reference genomes", where="genome", mend="send one of them")
    roles = [*uploads, *(["reference"] if genome is not None else [])]
    _check(settings, queue, options, roles, owner)
    draft = save_draft(settings, queue, uploads, owner, genome or "")
    try:
        return start_draft(settings, queue, draft, options)
    except BaseException:
        shutil.rmtree(draft.folder.path, ignore_errors=True)
        raise


def _tracks_apart(uploads: Mapping[str, Sequence[UploadFile]]) -> dict[str, Sequence[UploadFile]]:
    """The uploads with a role for each track: several files of another role belong together."""
    apart: dict[str, Sequence[UploadFile]] = {
        role: each for role, each in uploads.items() if role != "tracks"
    }
    for number, file in enumerate(uploads.get("tracks", ()), start=1):
        apart[role_with_number("tracks", number)] = [file]
    return apart


def _check(
    settings: ServiceSettings, queue: JobQueue, options: BaseModel, roles: Sequence[str], owner: str
) -> None:
    """Refuse what can be refused before a file is saved."""
    verb = str(getattr(options, "verb"))  # noqa: B009
    for role in NEEDED[verb]:
        if role not in roles:
            raise Refusal(422, f"{verb} needs a file {role!r}", where=role, mend="send it as well")
    if getattr(options, "genome", None) is not None:
        open_genome(settings, options.genome)  # type: ignore[attr-defined]
    if verb == "transfer-evaluate":
        check_sources(roles, len(saved_models(options)))
    name = getattr(options, "save_as", None)
    if name is not None and (settings.model_folder / name).exists():
        raise Refusal(409, f"there is a model {name!r} already", where="save_as", mend="choose another name")
    for saved in saved_models(options):
        saved_model_named(settings, saved)
    if getattr(options, "adapter", None) is not None:
        adapter_named(settings, options.adapter)  # type: ignore[attr-defined]
    mine = [each for each in JobFolder.every(queue.jobs) if each.record().owner == owner]
    active = [each for each in queue.standings(mine).values() if each.state not in ENDED]
    if len(active) >= _MOST_JOBS:
        raise Refusal(
            429,
            f"{len(active)} jobs of this key wait or run",
            mend="wait for one to end, or cancel one",
            headers={"Retry-After": "60"},
        )


def _link_models(
    settings: ServiceSettings, options: BaseModel, folder: JobFolder, *, sequence: bool
) -> dict[str, str]:
    """Links to the model, encoder and adapter that a job reads, relative to its folder."""
    found: dict[str, Path] = {}
    adapter = getattr(options, "adapter", None)
    for number, saved in enumerate(saved_models(options), start=1):
        found[role_with_number("saved_model", number)] = saved_model_named(settings, saved)
    # A job reads sequence with the encoder of the service, as answers at once do.
    reads = sequence and getattr(options, "verb") in WITH_ENCODER  # noqa: B009
    if settings.encoder.checkpoint is not None and reads:
        found["checkpoint"] = settings.encoder.checkpoint
    if adapter is not None:
        found["adapter"] = adapter_named(settings, adapter)
    return {
        name: _linked(path, folder.path / "inputs" / name).relative_to(folder.path).as_posix()
        for name, path in found.items()
    }


def _linked(path: Path, folder: Path) -> Path:
    """A link to a file of the service within a job, so that the job names no path of the server."""
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / path.name
    try:
        if link.is_symlink():  # of a start that was refused
            link.unlink()
        link.symlink_to(path.resolve())
    except OSError as error:
        raise BudwoodError("the server cannot link files", mend="send the file itself") from error
    return link
