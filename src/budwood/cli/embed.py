"""``budwood embed``: vectors of sequences, intervals or a panel's haplotypes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from budwood.cli.options import (
    Aliases,
    CheckpointFolder,
    Json,
    Out,
    Ploidy,
    Quiet,
    RayAddress,
    ReferenceFile,
    Seed,
)
from budwood.cli.output import hushed, print_summary
from budwood.errors import BudwoodError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.artifacts import Draft
    from budwood.genomics.haplotypes.table import HaplotypeTable
    from budwood.genomics.interval import Interval

EXAMPLE: Final = "Example: budwood embed --fasta genome.fa --bed promoters.bed --out vectors"


@dataclass(frozen=True)
class Rows:
    """What is to be embedded: a name, a place and a sequence for each row.

    Attributes
    ----------
    files
        What was read.
    names, intervals
        One entry per row.
    codes
        (rows, 512) bases, padded on the right.
    table
        The haplotype table that the rows are the sequences of, None for plain intervals.
    """

    files: list[Path]
    names: list[str]
    intervals: list[Interval]
    codes: NDArray[np.uint8]
    table: HaplotypeTable | None = None


FastaFile = Annotated[Path | None, typer.Option("--fasta", metavar="FILE", help="Sequences to embed.")]
BedFile = Annotated[
    Path | None, typer.Option("--bed", metavar="FILE", help="Intervals of the FASTA, 512 bases each at most.")
]
PanelFile = Annotated[
    Path | None,
    typer.Option("--genotypes", metavar="FILE", help="Embed a panel's distinct haplotypes instead."),
]
PoolName = Annotated[
    Literal["mean", "centre"],
    typer.Option("--pool", help="Mean over all bases of a window, or over its middle 8."),
]


def embed(
    out: Out,
    fasta: FastaFile = None,
    bed: BedFile = None,
    genotypes: PanelFile = None,
    reference: ReferenceFile = None,
    pool: PoolName = "mean",
    checkpoint: CheckpointFolder = None,
    ploidy: Ploidy = None,
    alias: Aliases = None,
    ray: RayAddress = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn DNA into vectors: vectors.npy (float32, one row each) and index.csv (what each row is).

    A FASTA without a BED file is cut into windows of 512 bases. With genotypes and a reference, the rows are
    the panel's distinct window haplotypes (#0 is the reference's), and haplotypes.npz says which accession
    carries which. Places are 0-based and half-open. What was encoded before an interruption is kept.
    The checkpoint may be a published masked language model; its vectors are as long as it makes them.
    """
    from budwood.artifacts import write_artifact

    with hushed(quiet):
        if fasta is not None and genotypes is None and reference is None:
            rows = _interval_rows(fasta, bed)
        elif genotypes is not None and reference is not None and fasta is None and bed is None:
            rows = _haplotype_rows(genotypes, reference, ploidy, alias)
        else:
            raise _unclear()
        parameters, seeds = {"pool": pool, "rows": len(rows.names)}, {"seed": seed}
        with write_artifact(
            out, kind="embed", inputs=rows.files, parameters=parameters, seeds=seeds
        ) as draft:
            vectors, used = _vectors(rows, checkpoint, pool, ray, show=not quiet)
            draft.parameters["checkpoint"] = used
            _write(draft, rows, vectors)
    count, numbers = vectors.shape
    line = f"{count:,} vectors of {numbers} numbers by checkpoint {used['name']}: {out}"
    summary = {"out": str(out), "rows": count, "numbers": numbers, "checkpoint": used}
    print_summary(summary, [line], as_json=as_json)


def _unclear() -> BudwoodError:
    return BudwoodError(
        "it is not clear what to embed",
        where="command line",
        mend="give --fasta (and --bed if you like), or --genotypes with --reference",
    )


def _interval_rows(fasta: Path, bed: Path | None) -> Rows:
    from budwood.genomics.io.annotation.bed import read_bed
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.inference.embed import stack_intervals, tile

    assembly = open_fasta(fasta)
    if bed is None:
        intervals = tile(assembly)
        names = [i.contig if i.length == assembly.contigs[i.contig] else str(i) for i in intervals]
        return Rows([fasta], names, intervals, stack_intervals(assembly, intervals))
    records = read_bed(bed)
    intervals = [record.interval for record in records]
    names = [record.name for record in records]
    return Rows([fasta, bed], names, intervals, stack_intervals(assembly, intervals))


def _haplotype_rows(genotypes: Path, reference: Path, ploidy: int | None, alias: list[str] | None) -> Rows:
    from budwood.panel.files import genotype_files, parse_aliases, read_panel_haplotypes

    aliases = parse_aliases(alias)
    table = read_panel_haplotypes(genotypes, reference, ploidy=ploidy, aliases=aliases).table
    rows = [
        (f"{interval}#{k}", interval)
        for w, interval in enumerate(table.windows)
        for k in range(int(table.offsets[w + 1] - table.offsets[w]))
    ]
    files = [*genotype_files(genotypes), reference]
    return Rows(files, [name for name, _ in rows], [place for _, place in rows], table.sequences, table)


def _vectors(
    rows: Rows, checkpoint: Path | None, pool: str, ray: str | None, *, show: bool
) -> tuple[NDArray[np.float32], dict[str, str]]:
    import numpy as np

    from budwood.inference.embed import Pool, embed_windows
    from budwood.panel.files import open_checkpoint
    from budwood.workflows.cost import announce_embedding

    encoder, runner = open_checkpoint(checkpoint), None
    if ray is not None:
        from budwood.inference.ray_chunks import RayChunks

        runner = RayChunks(ray)
    workers = runner.workers if runner else 1
    announce_embedding(len(np.unique(rows.codes, axis=0)), encoder, workers=workers, show=show)
    vectors = embed_windows(rows.codes, encoder, pool=Pool(pool), runner=runner)
    return vectors, {"name": encoder.name, "digest": encoder.digest}


def _write(draft: Draft, rows: Rows, vectors: NDArray[np.float32]) -> None:
    _write_vectors(draft.path("vectors.npy"), vectors)
    _write_index(draft.path("index.csv"), rows)
    if rows.table is not None:
        from budwood.genomics.io.variants.haplotype_store import write_haplotypes

        write_haplotypes(rows.table, draft.path("haplotypes.npz"))


def _write_vectors(path: Path, vectors: NDArray[np.float32]) -> None:
    import numpy as np

    # numpy.save writes past Python's file object, and a full disk then has no error number.
    with path.open("wb") as handle:
        np.lib.format.write_array_header_1_0(handle, np.lib.format.header_data_from_array_1_0(vectors))
        handle.write(np.ascontiguousarray(vectors).data)


def _write_index(path: Path, rows: Rows) -> None:
    from budwood.inference.embed import sequence_digest

    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("row", "name", "contig", "start", "end", "strand", "digest"))
        for row, (name, place, codes) in enumerate(zip(rows.names, rows.intervals, rows.codes, strict=True)):
            digest = sequence_digest(codes).hex()
            writer.writerow((row, name, place.contig, place.start, place.end, place.strand, digest))
