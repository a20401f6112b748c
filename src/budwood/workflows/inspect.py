"""Inspect: what a set of input files holds and how they fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.errors import BudwoodError, counted
from budwood.workflows.records import inspection as sentences

if TYPE_CHECKING:
    from budwood.genomics.annotation.genes import Annotation
    from budwood.genomics.io.kind import Kind
    from budwood.genomics.io.sequence.fasta import FastaAssembly
    from budwood.genomics.io.variants.open_genotypes import GenotypeFile


@dataclass(frozen=True, kw_only=True)
class InspectOptions:
    """Which files to look at, and how to read the genotypes.

    Attributes
    ----------
    files
        Genomes, genotypes, annotations, phenotypes and marker maps, in any order.
    marker_map
        Places of the markers of a table of dosages; the only marker map among the files where None.
    ploidy
        Copies per accession; read from the genotypes where None.
    aliases
        Contig names of the genotypes and what the genome calls them.
    accession_column
        Column of the phenotypes that names the accession; known by its name and cells where None.
    seed
        Noted in the manifest; nothing is drawn.
    """

    files: tuple[Path, ...]
    marker_map: Path | None = None
    ploidy: int | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    accession_column: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class FileSection:
    """Report on one file, or on two that belong together: for people and for machines.

    Attributes
    ----------
    title
        Name of the file, or of the comparison.
    sentences
        What was found, for people.
    record
        The same as plain values, for machines.
    """

    title: str
    sentences: list[str]
    record: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class InspectResult:
    """What the files hold, and what is wrong with them.

    Attributes
    ----------
    sections
        Reports on the files, then on those that belong together.
    problems
        Files that cannot be used as they are, in order.
    """

    sections: tuple[FileSection, ...]
    problems: tuple[BudwoodError, ...]

    def record(self) -> dict[str, Any]:
        """The result as plain values; ``error`` is the first problem, in the shape all errors have.

        Returns
        -------
        dict[str, Any]
            As the file of the verb holds it; None for what was not measured.
        """
        problems = [{"what": e.what, "where": e.where, "mend": e.mend} for e in self.problems]
        sections = [{"title": s.title, "sentences": s.sentences, **s.record} for s in self.sections]
        found: dict[str, Any] = {"sections": sections, "problems": problems}
        return found | ({"error": problems[0]} if problems else {})


def inspect(options: InspectOptions, out: Path | None = None, *, overwrite: bool = False) -> InspectResult:
    """Look at every file, then at those that belong together.

    Parameters
    ----------
    options
        Which files to look at.
    out
        Folder to write inspection.json to; nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.

    Returns
    -------
    InspectResult
        A section for each file and for each pair that belongs together.
    """
    from budwood.artifacts import check_destination, write_artifact
    from budwood.panel.files import genotype_files
    from budwood.workflows.records.files import write_json

    if out is not None:
        check_destination(out, overwrite=overwrite)
    inspection = _Inspection(
        ploidy=options.ploidy,
        aliases=options.aliases,
        marker_map=options.marker_map,
        accession_column=options.accession_column,
    )
    inspection.look_at(options.files)
    result = InspectResult(sections=tuple(inspection.sections), problems=tuple(inspection.problems))
    if out is not None:
        inputs = [part for file in options.files for part in genotype_files(file) if part.is_file()]
        with write_artifact(
            out, kind="inspect", inputs=inputs, seeds={"seed": options.seed}, overwrite=overwrite
        ) as draft:
            write_json(draft.path("inspection.json"), result.record())
    return result


@dataclass
class _Inspection:
    """Looks at files one by one and then at pairs; a problem with one does not stop the rest."""

    ploidy: int | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    marker_map: Path | None = None
    accession_column: str | None = None
    sections: list[FileSection] = field(default_factory=list)
    problems: list[BudwoodError] = field(default_factory=list)
    _genotypes: dict[Path, GenotypeFile] = field(default_factory=dict)
    _assemblies: dict[Path, FastaAssembly] = field(default_factory=dict)
    _annotations: dict[Path, Annotation] = field(default_factory=dict)
    _phenotyped: dict[Path, tuple[str, ...]] = field(default_factory=dict)

    def look_at(self, files: Sequence[Path]) -> None:
        """Look at every file, then at what belongs together."""
        kinds = {}
        for path in files:
            with self._one_at_a_time():
                kinds[path] = _kind(path)
        maps = [path for path, kind in kinds.items() if kind == "marker map"]
        if self.marker_map is None and len(maps) == 1:
            self.marker_map = maps[0]
        for path, kind in kinds.items():
            with self._one_at_a_time():
                self._file(path, kind)
        for panel in self._genotypes:
            self._identity(panel)
            for genome in self._assemblies:
                with self._one_at_a_time():
                    self._reference(panel, genome)
        for annotation in self._annotations:
            for genome in self._assemblies:
                with self._one_at_a_time():
                    self._genes(annotation, genome)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        try:
            yield
        except BudwoodError as error:
            self.problems.append(error)

    def _add(self, title: str, sentences: list[str], record: Mapping[str, Any]) -> None:
        self.sections.append(FileSection(title, sentences, record))

    def _file(self, path: Path, kind: Kind) -> None:
        looks = {
            "genome": self._assembly,
            "genotypes": self._calls,
            "annotation": self._annotation,
            "phenotypes": self._traits,
            "marker map": self._markers,
        }
        looks[kind.value](path, f"{path}: {kind.value}")

    def _assembly(self, path: Path, title: str) -> None:
        from budwood.genomics.assembly import assembly_quality
        from budwood.genomics.io.sequence.fasta import open_fasta

        assembly = open_fasta(path)
        quality = assembly_quality(assembly)
        self._assemblies[path] = assembly
        self._add(title, sentences.of_assembly(quality), asdict(quality))

    def _calls(self, path: Path, title: str) -> None:
        from budwood.genomics.io.variants.open_genotypes import open_calls, summarise_calls

        calls = open_calls(path, ploidy=self.ploidy)
        if self.marker_map is not None and calls.format == "dosage table" and "" in calls.contigs:
            calls = open_calls(path, ploidy=self.ploidy, marker_map=self.marker_map)
        summary = summarise_calls(calls, ploidy=self.ploidy)
        self._genotypes[path] = calls
        self._add(title, sentences.of_genotypes(summary), asdict(summary))

    def _annotation(self, path: Path, title: str) -> None:
        from budwood.genomics.io.annotation.open_annotation import read_annotation

        annotation = read_annotation(path)
        self._annotations[path] = annotation
        counts = {"genes": len(annotation.genes), "repeats": len(annotation.repeats)}
        record = {**counts, "contigs": annotation.contigs, "assumptions": dict(annotation.assumptions)}
        self._add(title, sentences.of_annotation(annotation), record)

    def _traits(self, path: Path, title: str) -> None:
        from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table

        phenotypes, summary = read_phenotype_table(path, accession_column=self.accession_column)
        self.problems += [phenotypes.unusable[trait] for trait in summary.unreadable]
        self._phenotyped[path] = summary.accessions
        self._add(title, sentences.of_phenotypes(summary), asdict(summary))

    def _markers(self, path: Path, title: str) -> None:
        from budwood.genomics.io.variants.tables.marker_map import read_marker_map

        marker_map = read_marker_map(path)
        count = len(marker_map.markers)
        assumed = [f"Assumed: {assumption}." for assumption in marker_map.assumptions]
        self._add(
            title,
            [f"{counted(count, 'marker')} with {'its place' if count == 1 else 'their places'}.", *assumed],
            {"markers": count},
        )

    def _identity(self, panel: Path) -> None:
        from budwood.genomics.checks.identity import identity_report
        from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table
        from budwood.genomics.io.variants.open_genotypes import read_genotypes

        calls = self._genotypes[panel]
        with self._one_at_a_time():
            placed = self.marker_map if getattr(calls, "format", "") == "dosage table" else None
            genotypes = read_genotypes(panel, ploidy=self.ploidy, marker_map=placed)
            report = identity_report(calls.accessions, (), genotypes)
            self._add(f"{panel}: accessions", report.sentences()[1:], report.as_dict())
        for path in self._phenotyped:
            with self._one_at_a_time():
                _, summary = read_phenotype_table(
                    path, accession_column=self.accession_column, genotyped=calls.accessions
                )
                report = identity_report(calls.accessions, summary.accessions)
                self._add(f"{panel} and {path}: accessions", report.sentences(), report.as_dict())

    def _reference(self, panel: Path, genome: Path) -> None:
        from budwood.genomics.checks.reference_check import check_reference
        from budwood.genomics.io.variants.vcf.reader import VcfCalls

        calls, assembly = self._genotypes[panel], self._assemblies[genome]
        if calls.has_letters:
            either = not isinstance(calls, VcfCalls)
            check = check_reference(calls, assembly, aliases=self.aliases, either_allele=either)
            self._add(f"{panel} and {genome}: alleles", check.sentences(), check.as_dict())

    def _genes(self, annotation: Path, genome: Path) -> None:
        from budwood.genomics.checks.reference_check import check_annotation

        found, assembly = self._annotations[annotation], self._assemblies[genome]
        title = f"{annotation} and {genome}"
        self._add(f"{title}: contigs", sentences.of_contigs(found.contigs, assembly.contigs), {})
        if found.genes:
            check = check_annotation(found, assembly)
            self._add(f"{title}: genes", sentences.of_genes(check), asdict(check))


def _kind(path: Path) -> Kind:
    from budwood.genomics.io.kind import file_kind

    return file_kind(path)
