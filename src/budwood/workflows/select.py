"""Select: which lines to phenotype next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from budwood.errors import BudwoodError
from budwood.genomics.io.text.csv_writer import CsvDialect, Numeral
from budwood.panel.files import PanelFiles, read_panel
from budwood.workflows.records.read_notes import identity_notes, read_notes
from budwood.workflows.setup.threads import blas_threads

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.genomics.genotypes import Genotypes
    from budwood.panel.panel import Panel
    from budwood.prediction.phenotype_next import PhenotypeNext, SelectionRules

#: Columns of ``selection.csv``, in order; part of the command line's contract.
COLUMNS: Final = ("order", "accession", "group", "cost", "expected_accuracy_after", "reason")

#: Fewest and most lines of a group; None for no limit.
Quota = tuple[int, int | None]


@dataclass(frozen=True, kw_only=True)
class SelectOptions:
    """What to choose from, and by which rules.

    Attributes
    ----------
    files
        Genotypes, and the phenotypes of lines that are phenotyped already.
    count
        How many lines to choose.
    trait
        Trait of the phenotypes; goes with them.
    candidates
        File of the lines to choose from and predict, one id a line; all without a phenotype where None.
    groups, group_column
        Table of accessions and their groups, and which of its columns names the group.
    quotas
        Fewest and most lines by group.
    costs
        Table of accessions and the cost of phenotyping each.
    budget
        Most that the lines may cost together.
    criterion
        Mean reliability (``"cdmean"``) or mean error variance (``"pevmean"``) of the lines left.
    heritability
        Of line means; from the phenotypes or 0.5 where None.
    seed
        Of the search.
    csv_dialect
        How the tables are written.

    Raises
    ------
    BudwoodError
        If an option needs another.
    """

    files: PanelFiles
    count: int
    trait: str | None = None
    candidates: Path | None = None
    groups: Path | None = None
    group_column: str | None = None
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    costs: Path | None = None
    budget: float | None = None
    criterion: Literal["cdmean", "pevmean"] = "cdmean"
    heritability: float | None = None
    seed: int = 0
    csv_dialect: CsvDialect = CsvDialect.PLAIN

    def __post_init__(self) -> None:
        if (self.files.phenotypes is None) != (self.trait is None):
            raise BudwoodError(
                "phenotypes and trait go together",
                where="command line",
                mend="give --phenotypes and --trait, or neither",
            )
        if self.groups is None and (self.group_column is not None or self.quotas):
            raise BudwoodError(
                "a column or quota of groups needs a table of groups",
                where="command line",
                mend="give --groups as well",
            )

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        named = (self.candidates, self.groups, self.costs)
        return [*self.files.inputs, *(file for file in named if file is not None)]

    def rules(self) -> SelectionRules:
        """Groups, quotas, costs and budget, read from their tables.

        Returns
        -------
        SelectionRules
            The rules that a choice must keep.
        """
        from budwood.genomics.io.tables.accession_table import read_accession_column, read_accession_numbers
        from budwood.prediction.phenotype_next import SelectionRules

        return SelectionRules(
            groups=read_accession_column(self.groups, self.group_column) if self.groups else {},
            quotas=self.quotas,
            costs=read_accession_numbers(self.costs) if self.costs else {},
            budget=self.budget,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectResult:
    """The chosen lines, and what reading the files noted.

    Attributes
    ----------
    chosen
        Lines to phenotype, with the accuracy to expect.
    trait
        Trait of the phenotypes, None without any.
    notes
        Sentences about the files.
    identity
        Sentences about which accessions were found where.
    """

    chosen: PhenotypeNext
    trait: str | None
    notes: tuple[str, ...]
    identity: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The result as plain values, as selection.json has them.

        Returns
        -------
        dict[str, Any]
            As the file of the verb holds it; None for what was not measured.
        """
        return {
            "trait": self.trait,
            **asdict(self.chosen),
            "notes": [*self.chosen.notes, *self.identity, *self.notes],
        }


def select(options: SelectOptions, out: Path | None = None, *, overwrite: bool = False) -> SelectResult:
    """Choose the lines whose phenotypes say most about the others.

    Parameters
    ----------
    options
        What to choose from, and by which rules.
    out
        Folder to write selection.csv, selection.json and report.html to; nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.

    Returns
    -------
    SelectResult
        Chosen lines, and the expected accuracy before and after.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or no choice keeps the rules.
    """
    from budwood.artifacts import write_artifact

    if out is None:
        return _select(options)
    quotas = {name: list(limits) for name, limits in options.quotas.items()}
    parameters: dict[str, Any] = {"count": options.count, "criterion": options.criterion}
    parameters |= {"quota": quotas, "budget": options.budget}
    seeds = {"seed": options.seed}
    with write_artifact(
        out, kind="select", inputs=options.inputs, parameters=parameters, seeds=seeds, overwrite=overwrite
    ) as draft:
        result = _select(options)
        _write(draft, result, options)
    return result


def _select(options: SelectOptions) -> SelectResult:
    """Read everything, small files first, and choose."""
    from budwood.genomics.io.tables.accession_table import read_accession_list

    rules = options.rules()
    candidates = read_accession_list(options.candidates) if options.candidates else None
    panel = read_panel(options.files, options.trait)
    chosen = select_training_set(
        panel,
        options.count,
        trait=options.trait,
        candidates=candidates,
        rules=rules,
        criterion=options.criterion,
        heritability=options.heritability,
        seed=options.seed,
    )
    notes = read_notes(panel)
    if panel.kinship is not None:
        used = "The kinship matrix stands in the place of the markers' relationship."
        notes = (*notes, used, *panel.kinship.notes)
    identity = (*identity_notes(panel, options.trait), *_perhaps_phenotyped(panel, chosen, options.trait))
    return SelectResult(chosen=chosen, trait=options.trait, notes=notes, identity=identity)


def _perhaps_phenotyped(panel: Panel, chosen: PhenotypeNext, trait: str | None) -> tuple[str, ...]:
    """Which chosen lines have a value under an id that is spelled almost alike."""
    if trait is None or panel.identity is None:
        return ()
    measured, named = panel.measured(trait), {line.accession for line in chosen.lines}
    pairs = [
        f"{ours!r} (as {theirs!r})"
        for ours, theirs in panel.identity.near_misses
        if ours in named and theirs in measured
    ]
    if not pairs:
        return ()
    more = f" and {len(pairs) - 8} more" if len(pairs) > 8 else ""
    one = "A chosen line" if len(pairs) == 1 else f"{len(pairs)} chosen lines"
    return (f"Warning: {one} may be phenotyped already: {', '.join(pairs[:8])}{more}.",)


def select_training_set(
    panel: Panel | Genotypes,
    count: int,
    *,
    trait: str | None = None,
    candidates: Sequence[str] | None = None,
    rules: SelectionRules | None = None,
    criterion: Literal["cdmean", "pevmean"] = "cdmean",
    heritability: float | None = None,
    seed: int = 0,
) -> PhenotypeNext:
    """Choose the lines of a panel whose phenotypes say most about the others.

    Parameters
    ----------
    panel
        Genotypes and, with ``trait``, the phenotypes of lines that are phenotyped already.
    count
        How many lines to choose.
    trait
        Trait of the panel; lines with a value of it stay and are not chosen again.
    candidates
        Lines to choose from and predict; all without a value where None.
    rules
        Groups, quotas, costs and a budget to keep.
    criterion
        Mean reliability (``"cdmean"``) or mean error variance (``"pevmean"``) of the lines left.
    heritability
        Of line means; from the phenotypes, or 0.5, where None.
    seed
        Of the search.

    Returns
    -------
    PhenotypeNext
        Chosen lines, and the expected accuracy before and after.

    Raises
    ------
    BudwoodError
        If the trait or a candidate is not in the panel, or no choice keeps the rules.

    Examples
    --------
    >>> from budwood.panel.example import example_panel
    >>> chosen = select_training_set(example_panel(), 5, trait="height")
    >>> len(chosen.lines), chosen.accuracy_after > chosen.accuracy_before
    (5, True)
    """
    from budwood.panel.panel import Panel
    from budwood.prediction.phenotype_next import phenotype_next

    given = panel if isinstance(panel, Panel) else Panel(genotypes=panel)
    with blas_threads(len(given)):
        return phenotype_next(
            given.genotypes,
            count,
            values={} if trait is None else given.measured(trait),
            candidates=candidates,
            rules=rules,
            criterion=criterion,
            heritability=heritability,
            seed=seed,
            kinship=given.kinship,
        )


def _write(draft: Draft, result: SelectResult, options: SelectOptions) -> None:
    from budwood.report.pages.training_set import write_training_set
    from budwood.workflows.records.files import write_json, write_table
    from budwood.workflows.records.report_context import named_files, run_context

    chosen = result.chosen
    rows = (
        (
            order,
            line.accession,
            line.group,
            Numeral(f"{line.cost:g}"),
            Numeral(f"{line.expected_accuracy_after:.6f}"),
            line.reason,
        )
        for order, line in enumerate(chosen.lines, start=1)
    )
    write_table(draft.path("selection.csv"), COLUMNS, rows, dialect=options.csv_dialect)
    write_json(draft.path("selection.json"), result.record())
    context = run_context(named_files(options.files), notes=result.notes, identity=result.identity)
    write_training_set(draft.path("report.html"), chosen, trait=result.trait, context=context)
    draft.notes += result.record()["notes"]
    draft.metrics |= {"accuracy_before": chosen.accuracy_before, "accuracy_after": chosen.accuracy_after}
