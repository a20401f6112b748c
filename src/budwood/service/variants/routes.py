"""``/v1/variants``: scores of the variants of a VCF, at once where they are few, else as a job."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response

from budwood.genomics.io.variants.vcf.lines import open_lines
from budwood.service import schemas
from budwood.service.access.gate import caller_of
from budwood.service.access.scopes import Scope
from budwood.service.embedding.routes import genome_files, open_genome
from budwood.service.jobs.job_folder import SCORED_FILE
from budwood.service.jobs.job_queue import JobQueue
from budwood.service.jobs.routes import accepted
from budwood.service.jobs.schemas import Job
from budwood.service.jobs.submission import submit
from budwood.service.jobs.verbs import ScoreName, ScoreVariants
from budwood.service.plain_values import plain
from budwood.service.refusal import Refusal
from budwood.service.server_paths import named_from, shortened
from budwood.service.settings import ServiceSettings
from budwood.service.uploads import save_uploads
from budwood.service.variants.schemas import ScoredVariants
from budwood.workflows.variants.score_options import ScoreOptions
from budwood.workflows.variants.score_variants import ScoreResult, score_file

router: Final = APIRouter(prefix="/v1/variants", tags=["variants"], responses=schemas.ERRORS)
VCF: Final = "application/gzip"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {VCF: {"schema": {"type": "string", "format": "binary"}}},
        "description": "JSON, or with format=vcf the file of budwood score-variants",
    },
    202: {"model": Job, "description": "The file is large: a job scores it"},
}

Format = Literal["json", "vcf"]
Upload = UploadFile | None


@dataclass(frozen=True, kw_only=True)
class UploadedVariants:
    """Files of a request, and what is wanted of them.

    Attributes
    ----------
    vcf, reference, annotation
        Files; no reference where ``genome`` names one of the service.
    genome
        Name of a genome of the service.
    scores
        Groups of scores; those of the command where empty.
    format
        Of the answer.
    """

    vcf: UploadFile
    reference: UploadFile | None
    annotation: UploadFile | None
    genome: str | None
    scores: Sequence[ScoreName]
    format: Format


@router.post("", response_model=ScoredVariants, responses=_ANSWERS)
async def score_variants(
    request: Request,
    vcf: Annotated[UploadFile, File(description="VCF or BCF, packed or not")],
    reference: Annotated[Upload, File(description="FASTA that the variants were called on")] = None,
    genome: Annotated[str | None, Form(description="Instead: a genome of the service")] = None,
    annotation: Annotated[Upload, File(description="Genes (GFF or GTF): adds INFO/ANN to the VCF")] = None,
    scores: Annotated[list[ScoreName] | None, Form(max_length=5)] = None,
    format: Format = "json",
) -> Response | dict[str, Any]:
    """Score variants, as ``budwood score-variants`` does; a large file is answered with 202 and a job."""
    sent = UploadedVariants(
        vcf=vcf,
        reference=reference,
        annotation=annotation,
        genome=genome,
        scores=scores or (),
        format=format,
    )
    if (reference is None) == (genome is None):
        raise Refusal(422, "one genome is needed", where="reference", mend="send reference, or name a genome")
    if annotation is not None and format == "json":
        raise Refusal(
            422, "consequences by an annotation are in the VCF", where="annotation", mend="ask for format=vcf"
        )
    async with request.app.state.applying:
        return await asyncio.to_thread(_answered, request, sent)


def _answered(request: Request, sent: UploadedVariants) -> Response | dict[str, Any]:
    settings: ServiceSettings = request.app.state.settings
    most = settings.most_variants
    with tempfile.TemporaryDirectory(prefix="budwood-variants-") as made, named_from(Path(made)):
        folder = Path(made)
        vcf = save_uploads([sent.vcf], folder / "vcf", most_unpacked=settings.largest_unpacked)
        if _holds_over(vcf, most):
            if Scope.JOBS not in caller_of(request.state).scopes:
                raise Refusal(
                    413,
                    f"the file holds over {most:,} alternative alleles",
                    where=vcf.name,
                    mend="send fewer, or ask for a key of the scope jobs",
                )
            return _as_job(request, sent)
        options = _options(settings, sent, vcf, folder)
        with named_from(settings.genomes or folder):
            if sent.format == "json":
                return scores_of(score_file(options), folder)
            score_file(options, folder / SCORED_FILE)
        named = {"Content-Disposition": f'attachment; filename="{SCORED_FILE}"'}
        return Response((folder / SCORED_FILE).read_bytes(), media_type=VCF, headers=named)


def _options(settings: ServiceSettings, sent: UploadedVariants, vcf: Path, folder: Path) -> ScoreOptions:
    saved = {
        role: save_uploads([file], folder / role, most_unpacked=settings.largest_unpacked)
        for role, file in (("reference", sent.reference), ("annotation", sent.annotation))
        if file is not None
    }
    if sent.genome is not None:
        open_genome(settings, sent.genome)
        saved["reference"] = genome_files(settings)[sent.genome]
    return ScoreOptions(
        vcf=vcf,
        reference=saved["reference"],
        annotation=saved.get("annotation"),
        scores=tuple(sent.scores) or None,
        encoder=settings.encoder,
    )


def _as_job(request: Request, sent: UploadedVariants) -> Response:
    """Let a job score the same files."""
    settings: ServiceSettings = request.app.state.settings
    queue: JobQueue = request.app.state.queue
    sent.vcf.file.seek(0)
    uploads = {
        role: [file]
        for role, file in (("vcf", sent.vcf), ("reference", sent.reference), ("annotation", sent.annotation))
        if file is not None
    }
    options = ScoreVariants(verb="score-variants", scores=list(sent.scores), genome=sent.genome)
    folder = submit(settings, queue, options, uploads, caller_of(request.state).name)
    return accepted(folder, queue)


def _holds_over(vcf: Path, most: int) -> bool:
    """Whether a file has more alternative alleles than are scored at once; read no further than that."""
    found = 0
    for site in open_lines(vcf).sites():
        found += len(site.alleles) - 1
        if found > most:
            return True
    return False


def scores_of(found: ScoreResult, folder: Path) -> dict[str, Any]:
    """Scores as plain values.

    Parameters
    ----------
    found
        Of the workflow, with the scores in it.
    folder
        Where the uploaded files were; notes do not name it.

    Returns
    -------
    dict
        As :class:`budwood.service.variants.schemas.ScoredVariants`.
    """
    columns = found.columns or {}
    record = plain(found.record())
    rows = [[plain(cell) for cell in row] for row in zip(*columns.values(), strict=True)]
    notes = [shortened(note, folder) for note in record["notes"]]
    return {**record, "notes": notes, "columns": list(columns), "rows": rows}
