"""A built corpus on disk: memory-mapped shards of windows with their tracks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from budwood.artifacts import read_manifest, verify_artifact
from budwood.corpus.sampling.locus import Loci
from budwood.corpus.stages.windowing import REPEAT_BIT
from budwood.errors import BudwoodError

#: Version of the files of a corpus, docs/corpus.md.
CORPUS_FORMAT: Final = 1
SUMMARY: Final = "corpus.json"


@dataclass(frozen=True)
class CorpusSpecies:
    """One species of a corpus.

    Attributes
    ----------
    name, source
        Label of the species, and of the first source of the recipe that contains it.
    taxonomy_id, lineage, ploidy
        Values from the recipe.
    weight
        Share of the training windows; over all species they sum to 1.
    training, validation
        Number of windows.
    """

    name: str
    source: str
    taxonomy_id: int
    lineage: tuple[str, ...]
    ploidy: int
    weight: float
    training: int
    validation: int


class WindowRow(NamedTuple):
    """Tracks of one stored window.

    Attributes
    ----------
    codes, repeat, region
        (length,) bases, whether each is a repeat, and its base class.
    """

    codes: NDArray[np.uint8]
    repeat: NDArray[np.bool_]
    region: NDArray[np.uint8]


@dataclass(frozen=True)
class Corpus:
    """A corpus opened by :func:`open_corpus`.

    Attributes
    ----------
    folder
        Its folder.
    length
        Bases of each window.
    species
        Species in the order of their indices.
    windows
        (windows,) :data:`budwood.corpus.stages.shards.CORPUS_WINDOW_FIELDS`.
    shard_windows
        Windows in each shard; the last one may have fewer.
    """

    folder: Path
    length: int
    species: tuple[CorpusSpecies, ...]
    windows: NDArray[np.void]
    shard_windows: int

    def row(self, number: int) -> WindowRow:
        """Read one window on the forward strand.

        Parameters
        ----------
        number
            Number of the window from 0.

        Returns
        -------
        WindowRow
            Its tracks.
        """
        shard, row = divmod(number, self.shard_windows)
        bases, region = self._shards[shard]
        packed = np.asarray(bases[row])
        return WindowRow(packed & np.uint8(0x7F), packed >= REPEAT_BIT, np.asarray(region[row]))

    def tokens(self, number: int) -> NDArray[np.uint32]:
        """Read the tokens of one window, where the recipe has tokens of more than one base.

        Parameters
        ----------
        number
            Number of the window from 0.

        Returns
        -------
        numpy.ndarray
            (tokens,) ``uint32`` token numbers.

        Raises
        ------
        BudwoodError
            If the corpus was built without tokens.
        """
        shard, row = divmod(number, self.shard_windows)
        path = self.folder / "shards"
        if not (path / f"{shard:05d}.tokens.npy").is_file():
            raise BudwoodError(
                "the corpus has no tokens", where=str(self.folder), mend="build it with [tokens] kind = 'bpe'"
            )
        ends = np.load(path / f"{shard:05d}.token_ends.npy", mmap_mode="r")
        tokens = np.load(path / f"{shard:05d}.tokens.npy", mmap_mode="r")
        return np.asarray(tokens[ends[row - 1] if row else 0 : ends[row]])

    @property
    def bases(self) -> int:
        """Number of bases for training, without the padding of short windows."""
        return int(self.windows["length"][~self.windows["validation"]].sum())

    @property
    def summary(self) -> dict[str, Any]:
        """Summary of the build: contigs, assembly filter, masks, near-duplicates, balance."""
        return _summary(self.folder)

    @cached_property
    def loci(self) -> dict[int, Loci]:
        """Genes by index of the contig."""
        table = np.load(self.folder / "loci.npy")
        bounds = np.flatnonzero(np.diff(table["contig"])) + 1
        return {
            int(part["contig"][0]): Loci(part["start"], part["end"], part["anchor"], part["direction"])
            for part in np.split(table, bounds)
            if len(part)
        }

    @cached_property
    def _shards(self) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        count = -(-len(self.windows) // self.shard_windows)
        names = [self.folder / "shards" / f"{number:05d}" for number in range(count)]
        return [
            (
                np.load(name.with_suffix(".bases.npy"), mmap_mode="r"),
                np.load(name.with_suffix(".region.npy"), mmap_mode="r"),
            )
            for name in names
        ]


def open_corpus(folder: Path, *, check: bool = True) -> Corpus:
    """Open a corpus.

    Parameters
    ----------
    folder
        Folder that ``budwood corpus build`` wrote.
    check
        Compare every file with its SHA-256 first (about a second for each gigabyte).

    Returns
    -------
    Corpus
        The corpus; windows stay on disk.

    Raises
    ------
    BudwoodError
        If the folder is not a corpus, or a file of it is missing or changed; the message names the file.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest.get("kind") != "corpus":
        raise BudwoodError(
            f"this is a {manifest.get('kind')}, not a corpus",
            where=str(folder),
            mend="give a folder that budwood corpus build wrote",
        )
    problems = verify_artifact(folder) if check else []
    if problems:
        raise BudwoodError(
            f"the corpus is damaged: {problems[0]}", where=str(folder), mend="build it again or copy it again"
        )
    summary = _summary(folder)
    if summary["format"] > CORPUS_FORMAT:
        raise BudwoodError(
            f"the corpus has format {summary['format']}, this release reads up to {CORPUS_FORMAT}",
            where=str(folder),
            mend="update budwood",
        )
    species = tuple(
        CorpusSpecies(**{**each, "lineage": tuple(each["lineage"])}) for each in summary["species"]
    )
    windows = np.load(folder / "windows.npy")
    return Corpus(folder, summary["length"], species, windows, summary["shard_windows"])


def _summary(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / SUMMARY).read_text(encoding="utf-8")))
