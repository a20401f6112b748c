"""``/v1/models``: saved trait models, and predictions of new lines by them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response

from budwood.panel.files import PanelFiles
from budwood.prediction.evaluation.results import PREDICTION_COLUMNS
from budwood.service import schemas
from budwood.service.embedding.routes import genome_files, open_genome
from budwood.service.plain_values import plain
from budwood.service.server_paths import named_from, shortened
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import list_models, saved_model_named
from budwood.service.uploads import save_uploads
from budwood.workflows.apply import ApplyOptions, apply

if TYPE_CHECKING:
    from budwood.workflows.apply import ApplyResult

router: Final = APIRouter(prefix="/v1/models", tags=["trait models"], responses=schemas.ERRORS)
_TABLE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}, "text/html": {"schema": {"type": "string"}}},
        "description": "JSON; with format=csv predictions.csv, with format=html the report",
    }
}
_FILES: Final = {"csv": ("predictions.csv", "text/csv"), "html": ("report.html", "text/html")}

Format = Literal["json", "csv", "html"]
Upload = UploadFile | None


@dataclass(frozen=True, kw_only=True)
class NewLinesRequest:
    """Files of new lines, as they were uploaded, and how to read them.

    Attributes
    ----------
    genotypes
        One file, or a PLINK trio.
    reference, genome
        FASTA file, or instead the name of a genome of the service.
    haplotypes, marker_map, ploidies
        As :class:`budwood.panel.files.PanelFiles` has them.
    ploidy
        Copies per accession.
    minimum_markers
        Share of the model's markers below which the genotypes are refused.
    """

    genotypes: Sequence[UploadFile]
    reference: UploadFile | None = None
    genome: str | None = None
    haplotypes: UploadFile | None = None
    marker_map: UploadFile | None = None
    ploidies: UploadFile | None = None
    ploidy: int | None = None
    minimum_markers: float = 0.1

    def saved(self, folder: Path, settings: ServiceSettings) -> PanelFiles:
        """Write the files into a folder.

        Parameters
        ----------
        folder
            Gets a folder for each role.
        settings
            Bounds, and where genomes are.

        Returns
        -------
        PanelFiles
            What to read.
        """
        most = settings.largest_unpacked
        roles = ("reference", "haplotypes", "marker_map", "ploidies")
        saved = {
            role: save_uploads([file], folder / role, most_unpacked=most)
            for role in roles
            if (file := getattr(self, role)) is not None
        }
        if self.genome and "reference" not in saved:
            open_genome(settings, self.genome)
            saved["reference"] = genome_files(settings)[self.genome]
        genotypes = save_uploads(self.genotypes, folder / "genotypes", most_unpacked=most)
        return PanelFiles(
            genotypes=genotypes,
            reference=saved.get("reference"),
            haplotypes=saved.get("haplotypes"),
            marker_map=saved.get("marker_map"),
            ploidies=saved.get("ploidies"),
            ploidy=self.ploidy,
        )


@router.get("", response_model=schemas.SavedModels)
def saved_models(request: Request) -> dict[str, Any]:
    """Saved trait models, with the accuracy on held-out lines of the panel that each was fitted to."""
    return {"models": list_models(request.app.state.settings)}


@router.get("/{name}", response_model=schemas.SavedModel)
def saved_model(request: Request, name: str) -> dict[str, Any]:
    """One saved trait model."""
    settings: ServiceSettings = request.app.state.settings
    saved_model_named(settings, name)
    return next(each for each in list_models(settings) if each["name"] == name)


@router.post("/{name}/predictions", response_model=schemas.PredictionsReply, responses=_TABLE)
async def predict_new_lines(
    request: Request,
    name: str,
    genotypes: Annotated[list[UploadFile], File(min_length=1, description="A file, or a PLINK trio")],
    reference: Annotated[Upload, File(description="FASTA, where the model reads sequence")] = None,
    genome: Annotated[str | None, Form(description="Instead: a genome of the service")] = None,
    haplotypes: Annotated[Upload, File()] = None,
    marker_map: Annotated[Upload, File()] = None,
    ploidies: Annotated[Upload, File()] = None,
    ploidy: Annotated[int | None, Form(ge=1, le=64)] = None,
    minimum_markers: Annotated[float, Form(ge=0, le=1)] = 0.1,
    format: Format = "json",
) -> Response | dict[str, Any]:
    """Predict new lines with a saved trait model, as ``budwood apply`` does."""
    lines = NewLinesRequest(
        genotypes=genotypes,
        reference=reference,
        genome=genome,
        haplotypes=haplotypes,
        marker_map=marker_map,
        ploidies=ploidies,
        ploidy=ploidy,
        minimum_markers=minimum_markers,
    )
    settings: ServiceSettings = request.app.state.settings
    async with request.app.state.applying:
        return await asyncio.to_thread(apply_model, settings, name, lines, format)


def apply_model(
    settings: ServiceSettings, name: str, lines: NewLinesRequest, format: Format
) -> Response | dict[str, Any]:
    """Predict new lines in this thread.

    Parameters
    ----------
    settings
        Folder of models, and bounds.
    name
        Of the model.
    lines
        What was uploaded.
    format
        Of the answer.

    Returns
    -------
    Response or dict
        The file that was asked for, or the values of :class:`budwood.service.schemas.PredictionsReply`.
    """
    model = saved_model_named(settings, name)
    with tempfile.TemporaryDirectory(prefix="budwood-apply-") as made, named_from(Path(made)):
        folder = Path(made)
        options = ApplyOptions(
            model=model,
            files=lines.saved(folder, settings),
            encoder=settings.encoder,
            minimum_markers=lines.minimum_markers,
        )
        with named_from(settings.model_folder), named_from(settings.genomes or folder):
            if format == "json":
                return predictions_of(apply(options), folder)
            apply(options, folder / "result")
        file, kind = _FILES[format]
        return Response((folder / "result" / file).read_bytes(), media_type=kind)


def predictions_of(found: ApplyResult, folder: Path) -> dict[str, Any]:
    """Predictions as plain values, the best rank first.

    Parameters
    ----------
    found
        Of the workflow.
    folder
        Where the uploaded files were; notes do not name it.

    Returns
    -------
    dict
        As :class:`budwood.service.schemas.PredictionsReply`.
    """
    prediction = found.prediction
    names = prediction.accessions
    columns = [names, [prediction.trait] * len(names)]
    columns += [list(getattr(prediction, name)) for name in PREDICTION_COLUMNS[len(columns) :]]
    rows = [[plain(cell) for cell in row] for row in zip(*columns, strict=True)]
    place = PREDICTION_COLUMNS.index("rank")
    rows.sort(key=lambda row: (row[place], row[0]))
    record = found.record()
    return {
        "trait": record["trait"],
        "model": record["model"],
        "training_lines": record["training_lines"],
        "mean_r": {each: plain(r) for each, r in record["mean_r"].items()},
        "notes": [shortened(note, folder) for note in record["notes"]],
        "columns": list(PREDICTION_COLUMNS),
        "rows": rows,
    }
