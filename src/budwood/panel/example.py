"""A small made-up panel, in memory or as files, to try things with."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.phenotypes import Phenotypes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from budwood.panel.panel import Panel

_FAMILIES: Final = 4
_BASES: Final = 6_000
_CONTIG: Final = "chr1"


@dataclass(frozen=True, kw_only=True)
class ExampleFiles:
    """Files of the example panel.

    Attributes
    ----------
    genotypes
        VCF of all lines.
    phenotypes
        CSV of the phenotyped lines, with the traits ``height`` and ``yield``.
    reference
        FASTA of the genome.
    """

    genotypes: Path
    phenotypes: Path
    reference: Path


def example_panel(lines: int = 60, phenotyped: int = 40, markers: int = 120, *, seed: int = 0) -> Panel:
    """A panel of inbred lines of four families with the traits ``height`` and ``yield``.

    Parameters
    ----------
    lines
        How many lines have genotypes.
    phenotyped
        How many of them, the first ones, have trait values.
    markers
        How many markers they differ at.
    seed
        Of everything that is drawn.

    Returns
    -------
    Panel
        Equal for equal arguments.

    Examples
    --------
    >>> example_panel()
    Panel(60 accessions x 120 markers, traits: height, yield)
    """
    from budwood.panel.panel import Panel

    made = _Example.drawn(lines, markers, seed)
    m = len(made.position)
    labels = np.array([f"m{j + 1}" for j in range(m)], dtype=object)
    contig = np.full(m, _CONTIG, dtype=object)
    axis = Markers(
        labels, contig, made.position, made.letters(made.alternative), made.letters(made.reference)
    )
    genotypes = Genotypes(made.names, axis, made.carried * np.int8(2), np.full(lines, 2, dtype=np.int8))
    records = [
        (name, trait, value)
        for trait, values in made.traits.items()
        for name, value in zip(made.names[:phenotyped], values, strict=False)
    ]
    accession, trait, value = zip(*records, strict=True)
    phenotypes = Phenotypes(
        np.array(accession, dtype=object),
        np.array(trait, dtype=object),
        np.full(len(records), "", dtype=object),
        np.array(value, dtype=np.float64),
        np.full(len(records), np.nan),
    )
    return Panel(genotypes=genotypes, phenotypes=phenotypes)


def write_example(
    folder: Path | str, lines: int = 60, phenotyped: int = 40, markers: int = 120, *, seed: int = 0
) -> ExampleFiles:
    """Write the files of the panel that :func:`example_panel` gives for the same arguments.

    Parameters
    ----------
    folder
        Where to; made if it does not exist.
    lines, phenotyped, markers, seed
        As for :func:`example_panel`.

    Returns
    -------
    ExampleFiles
        Where the files are.

    Raises
    ------
    BudwoodError
        If the folder cannot be written, or holds a file of one of the names with another content.

    Examples
    --------
    >>> import tempfile
    >>> files = write_example(tempfile.mkdtemp())
    >>> files.phenotypes.read_text().splitlines()[0]
    'accession,height,yield'
    """
    if not isinstance(folder, Path | str) or not str(folder):
        raise BudwoodError(f"the folder is of type {type(folder).__name__}", mend="give the path of a folder")
    folder = Path(folder)
    made = _Example.drawn(lines, markers, seed)
    files = ExampleFiles(
        genotypes=folder / "panel.vcf", phenotypes=folder / "traits.csv", reference=folder / "genome.fa"
    )
    texts = {
        files.reference: f">{_CONTIG}\n{''.join(made.genome)}\n",
        files.phenotypes: _phenotypes_text(made, phenotyped),
        files.genotypes: _genotypes_text(made),
    }
    _refuse_others(folder, texts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            if not path.exists():
                path.write_bytes(text.encode())
    except OSError as error:
        raise BudwoodError(
            f"the example cannot be written: {error.strerror or error}",
            where=str(folder),
            mend="give another folder",
        ) from error
    return files


def _refuse_others(folder: Path, texts: Mapping[Path, str]) -> None:
    """Refuse a folder that is a file, and files of these names with another content, which are the user's."""
    if folder.exists() and not folder.is_dir():
        raise BudwoodError(
            "the example is written into a folder, and this is a file",
            where=str(folder),
            mend="give the path of a new folder",
        )
    for path, text in texts.items():
        same = (
            path.is_file()
            and path.stat().st_size == len(text.encode())
            and path.read_bytes() == text.encode()
        )
        if (path.exists() or path.is_symlink()) and not same:
            raise BudwoodError(
                "a file of this name is there with another content", where=str(path), mend="give a new folder"
            )


def _phenotypes_text(made: _Example, phenotyped: int) -> str:
    handle = io.StringIO(newline="")
    writer = csv.writer(handle, lineterminator="\n")
    writer.writerow(("accession", *made.traits))
    for row, name in enumerate(made.names[:phenotyped]):
        writer.writerow((name, *(f"{values[row]:.4f}" for values in made.traits.values())))
    return handle.getvalue()


def _genotypes_text(made: _Example) -> str:
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *made.names]
    text = ["##fileformat=VCFv4.3", f"##contig=<ID={_CONTIG},length={_BASES}>", "\t".join(columns)]
    for j, place in enumerate(made.position):
        calls = ["1|1" if carries else "0|0" for carries in made.carried[:, j]]
        site = [_CONTIG, str(place + 1), f"m{j + 1}", made.reference[j], made.alternative[j]]
        text.append("\t".join([*site, ".", ".", ".", "GT", *calls]))
    return "\n".join(text) + "\n"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Example:
    """What is drawn: n lines, m sites.

    Attributes
    ----------
    names
        n ids.
    genome
        The reference, letter by letter.
    position, reference, alternative
        (m,) 0-based places and their two alleles.
    carried
        (n, m) 1 where a line carries the alternative.
    traits
        (n,) values by trait.
    """

    names: tuple[str, ...]
    genome: NDArray[np.str_]
    position: NDArray[np.int64]
    reference: list[str]
    alternative: list[str]
    carried: NDArray[np.int8]
    traits: dict[str, NDArray[np.float64]]

    @classmethod
    def drawn(cls, lines: int, markers: int, seed: int) -> _Example:
        """Lines of families that differ in their allele frequencies; traits by many small effects."""
        rng = np.random.default_rng(seed)
        genome = rng.choice(list("ACGT"), _BASES)
        position = np.sort(rng.choice(_BASES - 100, markers, replace=False))
        frequency = rng.uniform(0.1, 0.9, (_FAMILIES, markers))
        carried = (rng.random((lines, markers)) < frequency[np.arange(lines) % _FAMILIES]).astype(np.int8)
        effects = rng.normal(size=(markers, 2))
        genetic = carried @ effects
        value = 100 + genetic + rng.normal(size=(lines, 2)) * genetic.std(axis=0) / 2
        reference = [str(letter) for letter in genome[position]]
        return cls(
            names=tuple(f"line{i + 1:02d}" for i in range(lines)),
            genome=genome,
            position=position,
            reference=reference,
            alternative=["G" if letter == "A" else "A" for letter in reference],
            carried=carried,
            traits={"height": value[:, 0], "yield": value[:, 1]},
        )

    def letters(self, alleles: list[str]) -> NDArray[np.object_]:
        """Alleles as markers hold them."""
        return np.array(alleles, dtype=object)
