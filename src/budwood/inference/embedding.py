"""Embed: vectors of letters, intervals or haplotypes by one call."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, shown
from budwood.genomics.assembly import Assembly
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import encode
from budwood.inference.embed import Pool, blank_notes, embed_haplotypes, embed_intervals, embed_sequences
from budwood.model.backbone import Backbone, load_backbone

#: IUPAC codes of nucleotides, for :meth:`str.translate`, which removes them.
_NUCLEOTIDES: Final = str.maketrans("", "", "ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx")


def embed(
    what: str | HaplotypeTable | Sequence[str] | Sequence[Interval] | Sequence[NDArray[np.uint8]],
    *,
    assembly: Assembly | None = None,
    checkpoint: Backbone | Path | str | None = None,
    pool: str = "mean",
    device: str = "auto",
    batch_size: int | None = None,
    cache: bool = True,
    show: bool | None = None,
) -> NDArray[np.float32]:
    """Turn DNA into vectors.

    Parameters
    ----------
    what
        Sequences as letters or codes, of any length; intervals of ``assembly``; or the distinct haplotypes of
        a panel.
    assembly
        The sequence that intervals lie in.
    checkpoint
        A loaded encoder or its folder; the packaged one where None.
    pool
        ``"mean"`` over all bases, or ``"centre"`` over the middle ones.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    batch_size
        Windows that are read at once, 16 where None.
    cache
        Keep vectors on disk, and use those kept.
    show
        Draw a progress bar; by default in a terminal.

    Returns
    -------
    ndarray
        (rows, size) ``float32``; size is 512 for the packaged checkpoint.

    Raises
    ------
    BudwoodError
        If intervals come without an assembly, a sequence is empty or holds letters that are no nucleotide
        codes, or there is no such device.

    Warns
    -----
    UserWarning
        If a sequence holds no known base (N alone): its vector describes no sequence.

    Examples
    --------
    >>> embed(["ACGTACGT", "TTGACA" * 200], cache=False, show=False).shape
    (2, 512)
    """
    if checkpoint is not None and not isinstance(checkpoint, Path | str) and not hasattr(checkpoint, "on"):
        raise BudwoodError(
            f"a {type(checkpoint).__name__} is no checkpoint",
            mend="give its folder, or what load_checkpoint returns",
        )
    encoder = load_backbone(checkpoint) if isinstance(checkpoint, Path | None) else checkpoint
    if isinstance(encoder, str):
        encoder = load_backbone(Path(encoder))
    if isinstance(what, HaplotypeTable):
        return embed_haplotypes(what, encoder, cache=cache, device=device, batch_size=batch_size, show=show)
    if batch_size is not None and (isinstance(batch_size, bool) or not isinstance(batch_size, int)):
        raise BudwoodError(
            f"the batch size {shown(batch_size)} is no number of windows", mend="give a whole number from 1"
        )
    items = [what] if isinstance(what, str) else list(what) if isinstance(what, Iterable) else [what]
    for place, each in enumerate(items):
        codes = isinstance(each, np.ndarray) and each.ndim == 1 and each.dtype.kind in "iu"
        if not (codes or isinstance(each, str | Interval)):
            raise BudwoodError(
                f"item {place + 1} is no sequence but a {type(each).__name__}",
                mend="give letters, codes, intervals of an assembly, or haplotypes",
            )
    intervals = [each for each in items if isinstance(each, Interval)]
    sequences = [each for each in items if not isinstance(each, Interval)]
    _check_letters(items)
    how = {"pool": _pool(pool), "cache": cache, "device": device, "batch_size": batch_size, "show": show}
    if not intervals:
        vectors = embed_sequences(sequences, encoder, **how)  # type: ignore[arg-type]
        _warn_of_blank([f"sequence {place}" for place in range(1, len(items) + 1)], sequences)
        return vectors
    if sequences or assembly is None:
        raise BudwoodError(
            "intervals need the assembly they lie in, and no sequences beside them",
            mend="give assembly=, for example budwood.open_fasta(path)",
        )
    vectors = embed_intervals(assembly, intervals, encoder, **how)  # type: ignore[arg-type]
    _warn_of_blank([str(each) for each in intervals], [assembly.sequence(each) for each in intervals])
    return vectors


def _check_letters(items: Sequence[object]) -> None:
    """Refuse letters that are no nucleotide codes, gaps included: they would move what follows them."""
    for place, each in enumerate(items, start=1):
        strange = each.translate(_NUCLEOTIDES) if isinstance(each, str) else ""
        if strange:
            gap = strange[0] in "-.*"
            raise BudwoodError(
                f"{strange[0]!r} is no nucleotide letter",
                where=f"sequence {place}",
                mend="remove the gaps of the alignment" if gap else "give DNA: A, C, G, T, N or IUPAC codes",
            )


def _warn_of_blank(names: Sequence[str], sequences: Sequence[object]) -> None:
    codes = [encode(each) if isinstance(each, str) else np.asarray(each) for each in sequences]
    for sentence in blank_notes(names, codes):
        warnings.warn(sentence, stacklevel=3)


def _pool(name: str) -> Pool:
    try:
        return Pool(name)
    except ValueError as error:
        raise BudwoodError(f"there is no pool {shown(name)}", mend="choose mean or centre") from error
