"""From files to a job: upload, read the identity report, choose, start."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budwood.genomics.io.text.whole_number import whole_number
from budwood.service.access.gate import caller_of
from budwood.service.access.scopes import Scope
from budwood.service.embedding.routes import genome_files
from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.submission import JobDraft, read_options, save_draft, start_draft
from budwood.service.pages.layout import page
from budwood.service.refusal import Refusal
from budwood.service.server_paths import named_from
from budwood.service.settings import ServiceSettings
from budwood.service.uploads import in_turn
from budwood.workflows.inspect import InspectOptions, inspect

router: Final = APIRouter(include_in_schema=False)
Upload = Annotated[UploadFile | None, File()]
#: Fields of the form that stand for several words, and those that are switches.
_LISTS: Final = ("models",)
_SWITCHES: Final = ("lower_is_better", "marker_effects")
_NUMBERS: Final = ("count", "repeats", "folds", "seed", "ploidy", "heritability", "budget")


@router.get("/")
def first_page(request: Request) -> HTMLResponse:
    """Choose files."""
    settings: ServiceSettings = request.app.state.settings
    return page(request, "new_job.html", title="New job", genomes=list(genome_files(settings)))


@router.post("/drafts")
async def upload_files(
    request: Request,
    genotypes: Annotated[list[UploadFile], File()],
    phenotypes: Upload = None,
    reference: Upload = None,
    genome: Annotated[str, Form(max_length=200)] = "",
    haplotypes: Upload = None,
    marker_map: Upload = None,
    annotation: Upload = None,
    environments: Upload = None,
    covariates: Upload = None,
    groups: Upload = None,
    candidates: Upload = None,
    costs: Upload = None,
) -> Response:
    """Save the files, and look at them."""
    given = {name: value for name, value in locals().items() if name not in ("request", "genome")}
    uploads = {
        role: [file for file in (files if isinstance(files, list) else [files]) if file and file.filename]
        for role, files in given.items()
    }
    if not uploads["genotypes"]:
        raise Refusal(422, "no genotypes were chosen", where="Genotypes", mend="choose a file and try again")
    settings: ServiceSettings = request.app.state.settings
    queue: JobQueue = request.app.state.queue
    owner = caller_of(request.state).name
    draft = await in_turn(
        request,
        save_draft,
        settings,
        queue,
        {role: files for role, files in uploads.items() if files},
        owner,
        genome,
    )
    try:
        await in_turn(request, _look, draft)
    except BaseException:  # nobody knows its address
        shutil.rmtree(draft.folder.path, ignore_errors=True)
        raise
    return RedirectResponse(f"/drafts/{draft.folder.id}", 303)


@router.get("/drafts/{id}")
def show_identity_report(request: Request, id: str) -> Response:
    """What the files hold and whether they fit together; and what to do with them."""
    if _is_job(request, id):
        return RedirectResponse(f"/jobs/{id}", 303)
    draft = _own_draft(request, id)
    found = json.loads((draft.folder.path / "inspection.json").read_text(encoding="utf-8"))
    traits = {name: n for section in found["sections"] for name, n in section.get("values", {}).items() if n}
    return page(
        request,
        "draft.html",
        title="Identity report",
        draft=draft,
        found=found,
        traits=traits,
        id=draft.folder.id,
    )


@router.post("/drafts/{id}/start")
async def start(request: Request, id: str) -> Response:
    """Start the job that the form describes."""
    settings: ServiceSettings = request.app.state.settings
    queue: JobQueue = request.app.state.queue
    # A second click finds what the first one started.
    if await asyncio.to_thread(_is_job, request, id):
        return RedirectResponse(f"/jobs/{id}", 303)
    draft = await asyncio.to_thread(_own_draft, request, id)
    async with request.form() as form:
        fields = {name: str(value).strip() for name, value in form.items() if str(value).strip()}
    options = read_options(json.dumps(_as_options(fields)))
    folder = await asyncio.to_thread(start_draft, settings, queue, draft, options)
    return RedirectResponse(f"/jobs/{folder.id}", 303)


@router.post("/drafts/{id}/discard")
def discard(request: Request, id: str) -> Response:
    """Remove the files of a draft."""
    draft = _own_draft(request, id)
    shutil.rmtree(draft.folder.path)
    return RedirectResponse("/", 303)


def _look(draft: JobDraft) -> None:
    """Inspect the files of a draft, as ``budwood inspect`` does."""
    inputs = draft.folder.path / "inputs"
    roles = ("genotypes", "phenotypes", "reference", "haplotypes", "annotation", "marker_map")
    files = tuple(draft.folder.path / draft.files[role] for role in roles if role in draft.files)
    with named_from(inputs):
        record = inspect(InspectOptions(files=files)).record()
    text = json.dumps(record, ensure_ascii=False, default=str).replace(f"{inputs}/", "")
    (draft.folder.path / "inspection.json").write_text(text, encoding="utf-8")


def _as_options(fields: Mapping[str, str]) -> dict[str, Any]:
    """The form as the options of a job: those of the verb that was chosen."""
    verb = fields.get("verb", "")
    own = {
        "predict": ("trait", "model", "lower_is_better", "marker_effects", "save_as", "csv_dialect"),
        "evaluate": ("trait", "models", "scheme", "repeats", "lower_is_better"),
        "select": ("count", "trait", "criterion", "csv_dialect"),
    }.get(verb, ())
    options: dict[str, Any] = {"verb": verb}
    for name in own:
        if name not in fields:
            continue
        text = fields[name]
        if name in _LISTS:
            options[name] = [each.strip() for each in text.split(",") if each.strip()]
        elif name in _SWITCHES:
            options[name] = True
        elif name in _NUMBERS and (number := whole_number(text)) is not None:
            options[name] = number
        else:
            options[name] = text
    return options


def _is_job(request: Request, id: str) -> bool:
    """Whether a draft has become a job; that of others is said where it is asked for."""
    queue: JobQueue = request.app.state.queue
    return JobFolder.find(queue.jobs, id) is not None


def _own_draft(request: Request, id: str) -> JobDraft:
    queue: JobQueue = request.app.state.queue
    caller, draft = caller_of(request.state), JobDraft.find(queue.jobs, id)
    if draft is None or not (Scope.ADMIN in caller.scopes or draft.owner == caller.name):
        raise Refusal(404, "these files are not here any more", where=id[:80], mend="upload them again")
    return draft
