"""Embed: vectors of sequences, intervals or a panel's haplotypes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from budwood.config import WINDOW
from budwood.errors import BudwoodError
from budwood.workflows.setup.cost import Announce, announce_embedding, silent
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.setup.places import check_no_gap, read_places

#: Empty records, or contigs, that a note names.
_NAMED: Final = 8
#: File of the vectors, and the bytes of its header.
VECTORS: Final = "vectors.npy"
_HEADER: Final = 128
#: Windows that are read, embedded and written together: 4 MB of bases and 17 MB of vectors.
BLOCK: Final = 8192

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.artifacts import Draft
    from budwood.genomics.haplotypes.table import HaplotypeTable
    from budwood.genomics.interval import Interval
    from budwood.model.backbone import Backbone


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """What to embed: the sequences of a FASTA, or the haplotypes of a panel.

    Attributes
    ----------
    fasta, bed
        Sequences, and the intervals of them to embed; consecutive windows where ``bed`` is None.
    genotypes, reference
        Instead: a panel and its genome.
    pool
        Mean over all bases of a window, or over its middle ones.
    tiles
        Whether a sequence longer than a window gives one vector for each of its tiles, instead of one in all.
    encoder
        Which encoder, and where it runs.
    ploidy, aliases
        How to read the genotypes.
    ray
        Address of a Ray cluster to work on; this process where None.
    seed
        Noted in the manifest; nothing is drawn.

    Raises
    ------
    BudwoodError
        If the options name neither of the two, or both.
    """

    fasta: Path | None = None
    bed: Path | None = None
    genotypes: Path | None = None
    reference: Path | None = None
    pool: Literal["mean", "centre"] = "mean"
    tiles: bool = False
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    ploidy: int | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    ray: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        sequences = self.fasta is not None and self.genotypes is None and self.reference is None
        panel = self.genotypes is not None and self.reference is not None
        if not sequences and not (panel and self.fasta is None and self.bed is None):
            raise BudwoodError(
                "it is not clear what to embed",
                where="command line",
                mend="give --fasta (and --bed if you like), or --genotypes with --reference",
            )
        if panel and self.encoder.precision != "float32":
            raise BudwoodError(
                f"haplotypes are not embedded in {self.encoder.precision}: it rounds their differences away",
                where="--precision",
                mend="leave it out",
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class EmbedResult:
    """Vectors, and what each row is.

    Attributes
    ----------
    files
        What was read.
    names, intervals
        One entry per row.
    codes
        Bases of each row, of any length.
    vectors
        (rows, size) ``float32``; mapped from ``vectors.npy`` where a folder was written.
    checkpoint, digest
        Name and digest of the encoder.
    device
        Where the encoder ran, such as ``cpu``.
    table
        The haplotype table that the rows are the sequences of, None for plain intervals.
    notes
        Sentences about what was read and what was left out.
    """

    files: list[Path]
    names: Sequence[str]
    intervals: Sequence[Interval]
    codes: Sequence[NDArray[np.uint8]]
    vectors: NDArray[np.float32]
    checkpoint: str
    digest: str
    device: str
    table: HaplotypeTable | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        rows, numbers = self.vectors.shape
        return f"EmbedResult({rows:,} vectors of {numbers} numbers by {self.checkpoint})"

    def record(self) -> dict[str, Any]:
        """The result as plain values, the vectors left out.

        Returns
        -------
        dict[str, Any]
            As the file of the verb holds it; None for what was not measured.
        """
        rows, numbers = self.vectors.shape
        checkpoint = {"name": self.checkpoint, "digest": self.digest}
        return {"rows": rows, "numbers": numbers, "checkpoint": checkpoint, "notes": list(self.notes)}


_Source = TypeVar("_Source")
_Item = TypeVar("_Item")


class _Derived(Sequence[_Item]):
    """What a function makes of the items of a sequence, made when it is asked for."""

    def __init__(self, source: Sequence[_Source], make: Callable[[_Source], _Item]) -> None:
        self._source, self._make = source, make

    def __len__(self) -> int:
        return len(self._source)

    @overload
    def __getitem__(self, row: int) -> _Item: ...
    @overload
    def __getitem__(self, row: slice) -> list[_Item]: ...
    def __getitem__(self, row: int | slice) -> _Item | list[_Item]:
        if isinstance(row, slice):
            return [self._make(each) for each in self._source[row]]
        return self._make(self._source[row])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """What is to be embedded; see :class:`EmbedResult`."""

    files: list[Path]
    names: Sequence[str]
    intervals: Sequence[Interval]
    codes: Sequence[NDArray[np.uint8]]
    table: HaplotypeTable | None = None
    notes: tuple[str, ...] = ()


def embed(
    options: EmbedOptions, out: Path | None = None, *, overwrite: bool = False, announce: Announce = silent
) -> EmbedResult:
    """Read sequences and encode each distinct one once.

    Parameters
    ----------
    options
        What to embed, and how.
    out
        Folder to write vectors.npy, index.csv and, for a panel, haplotypes.npz to; nothing is written where
        None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what the embedding will take.

    Returns
    -------
    EmbedResult
        Vectors and what each row is.

    Raises
    ------
    BudwoodError
        If a file cannot be used.
    """
    from budwood.artifacts import check_destination, write_artifact

    if out is not None:
        check_destination(out, overwrite=overwrite)
    rows = _interval_rows(options) if options.genotypes is None else _haplotype_rows(options)
    if out is None:
        return _encode(rows, options, announce)
    parameters, seeds = {"pool": options.pool, "rows": len(rows.names)}, {"seed": options.seed}
    with write_artifact(
        out, kind="embed", inputs=rows.files, parameters=parameters, seeds=seeds, overwrite=overwrite
    ) as draft:
        result = _encode(rows, options, announce, draft.path(VECTORS))
        draft.notes += result.notes
        draft.parameters["checkpoint"] = {"name": result.checkpoint, "digest": result.digest}
        draft.parameters["device"] = result.device
        draft.parameters["precision"] = options.encoder.precision
        _write(draft, result)
    return replace(result, vectors=_mapped(out / VECTORS))


def _interval_rows(options: EmbedOptions) -> _Rows:
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.inference.embed import GenomeTiles, blank_notes

    assert options.fasta is not None, "checked with the options"
    assembly = open_fasta(options.fasta)
    renamed: tuple[str, ...] = ()
    intervals: Sequence[Interval]
    names: Sequence[str]
    if options.bed is None:
        contigs = assembly.contigs
        intervals = GenomeTiles(contigs)
        names = _Derived(intervals, lambda i: i.contig if i.length == contigs[i.contig] else str(i))
        files = [options.fasta]
    else:
        records, renamed = read_places(options.bed, assembly.contigs)
        intervals, names = [record.interval for record in records], [record.name for record in records]
        files = [options.fasta, options.bed]
        if options.tiles:
            intervals, names = _tiles(intervals, names)
    for interval in intervals:
        if interval.length < 1:
            raise BudwoodError("the interval is empty", where=str(interval), mend="give 1 or more bases")
        check_no_gap(assembly, options.fasta, interval)
    codes = _Derived(intervals, assembly.sequence)
    notes = (*renamed, *_empty_notes(assembly.empty_contigs), *blank_notes(names, codes))
    return _Rows(files=files, names=names, intervals=intervals, codes=codes, notes=notes)


def _empty_notes(names: Sequence[str]) -> tuple[str, ...]:
    """A sentence that names the records without a base, if there are any."""
    if not names:
        return ()
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    records = "record of the FASTA file has" if len(names) == 1 else "records of the FASTA file have"
    return (f"{len(names):,} {records} no base and no row: {listed}.",)


def _tiles(intervals: Sequence[Interval], names: Sequence[str]) -> tuple[list[Interval], list[str]]:
    """The tiles of each interval with names of their own; intervals of one tile stay as they are."""
    from budwood.genomics.interval import Interval
    from budwood.inference.tiles import tile_bounds

    places, labels = [], []
    for interval, name in zip(intervals, names, strict=True):
        starts, ends = tile_bounds(interval.length)
        for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True), 1):
            first = interval.start + start
            places.append(Interval(interval.contig, first, first + end - start, interval.strand))
            labels.append(name if len(starts) == 1 else f"{name}/{number}")
    return places, labels


def _haplotype_rows(options: EmbedOptions) -> _Rows:
    from budwood.panel.files import genotype_files
    from budwood.panel.haplotypes import read_haplotypes

    assert options.genotypes is not None, "checked with the options"
    assert options.reference is not None, "checked with the options"
    found = read_haplotypes(
        options.genotypes, options.reference, ploidy=options.ploidy, aliases=options.aliases
    )
    table = found.table
    rows = [
        (f"{interval}#{k}", interval)
        for w, interval in enumerate(table.windows)
        for k in range(int(table.offsets[w + 1] - table.offsets[w]))
    ]
    return _Rows(
        files=[*genotype_files(options.genotypes), options.reference],
        names=[name for name, _ in rows],
        intervals=[place for _, place in rows],
        codes=list(table.sequences),
        table=table,
        notes=found.notes(),
    )


def _encode(rows: _Rows, options: EmbedOptions, announce: Announce, path: Path | None = None) -> EmbedResult:
    """Vectors in memory, or in a file that they are written to block by block."""
    from budwood.inference.embed import Pool, embed_sequences

    encoder, runner = options.encoder.open(), None
    if options.ray is not None:
        from budwood.inference.ray_chunks import RayChunks

        runner = RayChunks(options.ray)
    pool, batch_size = Pool(options.pool), options.encoder.batch_size
    lengths = map(len, rows.codes) if rows.table is not None else (each.length for each in rows.intervals)
    if max(lengths, default=0) > WINDOW:
        if runner is not None:
            raise BudwoodError("sequences longer than a window are not embedded on Ray", mend="add --tiles")
        vectors = embed_sequences(rows.codes, encoder, pool=pool, batch_size=batch_size)
        if path is not None:
            write_vectors(path, vectors)
    else:
        announce_embedding(
            len(rows.names), encoder, announce, workers=runner.workers if runner else 1, streamed=bool(path)
        )
        vectors = _windows_embedded(rows, encoder, path, pool=pool, runner=runner, batch_size=batch_size)
    return EmbedResult(
        **vars(rows),
        vectors=vectors,
        checkpoint=encoder.name,
        digest=encoder.digest,
        device=str(encoder.device),
    )


def _windows_embedded(rows: _Rows, encoder: Backbone, path: Path | None, **how: Any) -> NDArray[np.float32]:
    """Vectors of rows that are no longer than a window; the cache keeps those of an interrupted run."""
    import numpy as np

    from budwood.inference.embed import embed_windows, stack_sequences
    from budwood.progress import progress

    shape = (len(rows.codes), encoder.embedding_size)
    if path is None:
        return embed_windows(stack_sequences(rows.codes), encoder, **how)
    with path.open("wb") as handle, progress("embedding", total=len(rows.codes)) as advance:
        _write_header(handle, shape)
        for first in range(0, len(rows.codes), BLOCK):
            codes = stack_sequences(rows.codes[first : first + BLOCK])
            handle.write(embed_windows(codes, encoder, advance=advance, **how).data)
    return _mapped(path) if len(rows.codes) else np.empty(shape, dtype=np.float32)


def _mapped(path: Path) -> NDArray[np.float32]:
    """Vectors of a file, read when they are used; an empty array cannot be mapped."""
    import numpy as np

    vectors: NDArray[np.float32] = np.load(path, mmap_mode="r" if path.stat().st_size > _HEADER else None)
    return vectors


def _write(draft: Draft, result: EmbedResult) -> None:
    write_index(draft.path("index.csv"), result)
    if result.table is not None:
        from budwood.genomics.io.variants.haplotype_store import write_haplotypes

        write_haplotypes(result.table, draft.path("haplotypes.npz"))


def write_vectors(path: Path, vectors: NDArray[np.float32]) -> None:
    """Write vectors as an ``npy`` file that reports a full disk.

    Parameters
    ----------
    path
        File to write.
    vectors
        (rows, D) vectors.
    """
    import numpy as np

    # numpy.save writes past Python's file object, and a full disk then has no error number.
    with path.open("wb") as handle:
        _write_header(handle, vectors.shape)
        handle.write(np.ascontiguousarray(vectors).data)


def _write_header(handle: IO[bytes], shape: tuple[int, ...]) -> None:
    import numpy as np

    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(handle, header)


def write_index(path: Path, result: EmbedResult) -> None:
    """Write what each row of the vectors is.

    Parameters
    ----------
    path
        File to write.
    result
        Vectors and what their rows are.
    """
    from budwood.inference.embed import sequence_digest, stack_sequences
    from budwood.workflows.records.files import write_table

    places = zip(result.names, result.intervals, result.codes, strict=True)
    # A window is known by its padded bases, so that its digest is that of the same window of a panel.
    rows = (
        (
            row,
            name,
            place.contig,
            place.start,
            place.end,
            place.strand,
            sequence_digest(stack_sequences([codes])[0] if len(codes) <= WINDOW else codes).hex(),
        )
        for row, (name, place, codes) in enumerate(places)
    )
    write_table(path, ("row", "name", "contig", "start", "end", "strand", "digest"), rows)
