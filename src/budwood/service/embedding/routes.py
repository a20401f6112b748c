"""``/v1/embeddings`` and ``/v1/genomes``."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from numpy.typing import NDArray

from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import FastaAssembly, open_fasta
from budwood.genomics.sequence import encode
from budwood.inference.embed import Pool, middle_window
from budwood.service import schemas
from budwood.service.embedding.shared_batches import SharedBatches, windows_of
from budwood.service.refusal import Refusal
from budwood.service.server_paths import named_from
from budwood.service.settings import ServiceSettings

router: Final = APIRouter(prefix="/v1", tags=["embeddings"], responses=schemas.ERRORS)
NPZ: Final = "application/x-npz"
_BULK: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {NPZ: {"schema": {"type": "string", "format": "binary"}}},
        "description": "JSON, or with format=npz a NumPy archive: vectors (float32) and names",
    }
}
_SUFFIXES: Final = (".fa", ".fasta", ".fna", ".fa.gz", ".fasta.gz", ".fna.gz")

Format = Literal["json", "npz"]


@router.post("/embeddings", response_model=schemas.Vectors, responses=_BULK)
async def embed_sequences(
    request: Request, wanted: schemas.SequencesToEmbed, format: Format = "json"
) -> Response | dict[str, Any]:
    """Embed sequences: one vector for each, in their order."""
    codes = [encode(each.sequence) for each in wanted.sequences]
    return await _embedded(request, [each.name for each in wanted.sequences], codes, wanted.pool, format)


@router.post("/embeddings/intervals", response_model=schemas.Vectors, responses=_BULK)
async def embed_intervals(
    request: Request, wanted: schemas.IntervalsToEmbed, format: Format = "json"
) -> Response | dict[str, Any]:
    """Embed intervals of a genome that the service has: 0-based and half-open, read along their strand."""
    settings: ServiceSettings = request.app.state.settings
    long = sum(max(0, each.end - each.start) for each in wanted.intervals)
    if long > settings.most_windows * 512:
        raise _too_many(settings)
    codes, names = await asyncio.to_thread(_read_intervals, settings, wanted)
    return await _embedded(request, names, codes, wanted.pool, format)


@router.get("/genomes", response_model=schemas.Genomes)
def list_genomes(request: Request) -> dict[str, Any]:
    """Genomes whose intervals may be embedded, with the lengths of their contigs."""
    settings: ServiceSettings = request.app.state.settings
    found = [(name, open_fasta(path)) for name, path in genome_files(settings).items()]
    return {"genomes": [{"name": name, "contigs": dict(genome.contigs)} for name, genome in found]}


def genome_files(settings: ServiceSettings) -> dict[str, Path]:
    """The FASTA files of the service, by the names that requests use.

    Parameters
    ----------
    settings
        Name the folder.

    Returns
    -------
    dict of str to Path
        Files by their names without suffixes.
    """
    if settings.genomes is None:
        return {}
    files = sorted(path for path in settings.genomes.iterdir() if path.name.endswith(_SUFFIXES))
    return {path.name.split(".fa")[0].split(".fna")[0]: path for path in files}


def open_genome(settings: ServiceSettings, name: str) -> FastaAssembly:
    """A genome of the service.

    Parameters
    ----------
    settings
        Name the folder.
    name
        As a request gives it.

    Returns
    -------
    FastaAssembly
        The genome.

    Raises
    ------
    Refusal
        If there is none of that name.
    """
    files = genome_files(settings)
    if name not in files:
        known = ", ".join(files) or "none"
        raise Refusal(
            404, f"there is no genome {name!r}", where="genome", mend=f"choose one of /v1/genomes: {known}"
        )
    return open_fasta(files[name])


def _read_intervals(
    settings: ServiceSettings, wanted: schemas.IntervalsToEmbed
) -> tuple[list[NDArray[np.uint8]], list[str]]:
    places = [Interval(each.contig, each.start, each.end, each.strand) for each in wanted.intervals]
    for place in places:
        if place.length < 1:
            raise Refusal(422, "the interval is empty", where=str(place), mend="give 1 or more bases")
    genome = open_genome(settings, wanted.genome)
    with named_from(genome.path.parent):
        return [genome.sequence(place) for place in places], [str(place) for place in places]


async def _embedded(
    request: Request, names: Sequence[str], codes: list[NDArray[np.uint8]], pool: str, format: Format
) -> Response | dict[str, Any]:
    settings: ServiceSettings = request.app.state.settings
    batches: SharedBatches = request.app.state.batches
    pooling = Pool(pool)
    if pooling is Pool.CENTRE:
        codes = [middle_window(each) for each in codes]
    if windows_of(codes) > settings.most_windows:
        raise _too_many(settings)
    vectors = await batches.embed(codes, pooling)
    encoder = await batches.encoder()
    if format == "npz":
        packed = await asyncio.to_thread(_npz, vectors, names, encoder.name, encoder.digest)
        return Response(packed, media_type=NPZ)
    rows = [{"name": name, "vector": row} for name, row in zip(names, vectors.tolist(), strict=True)]
    checkpoint = {"name": encoder.name, "digest": encoder.digest}
    return {"checkpoint": checkpoint, "numbers": vectors.shape[1], "rows": rows}


def _npz(vectors: NDArray[np.float32], names: Sequence[str], checkpoint: str, digest: str) -> bytes:
    packed = io.BytesIO()
    arrays = {"vectors": vectors, "names": np.array(names, dtype=np.str_)}
    about = {"checkpoint": np.array(checkpoint), "digest": np.array(digest)}
    np.savez(packed, allow_pickle=False, **arrays, **about)
    return packed.getvalue()


def _too_many(settings: ServiceSettings) -> Refusal:
    return Refusal(
        413,
        f"the sequences are over {settings.most_windows:,} windows of 512 bases",
        mend="send fewer at once, or start a job of the verb embed with a FASTA file",
    )
