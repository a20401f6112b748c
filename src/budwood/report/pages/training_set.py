"""The page of a choice of lines to phenotype."""

from __future__ import annotations

from pathlib import Path

from budwood.errors import counted
from budwood.prediction.phenotype_next import PhenotypeNext
from budwood.report.context import ReportContext
from budwood.report.frame import LAST_SECTIONS, PageSection, render_page, write_page
from budwood.report.numerals import fixed
from budwood.report.pictures.curve import expected_accuracy_curve
from budwood.report.pictures.scatter import SIDE

SECTIONS = (
    PageSection("lines-to-phenotype", "Lines to phenotype"),
    PageSection("expectation", "How many lines"),
    *LAST_SECTIONS,
)


def write_training_set(
    path: Path, chosen: PhenotypeNext, *, trait: str | None, context: ReportContext
) -> None:
    """Write the page of a choice of lines.

    Parameters
    ----------
    path
        The file to write; it appears whole or not at all.
    chosen
        Lines to phenotype, with the accuracy to expect.
    trait
        Trait of the phenotypes, None without any.
    context
        Files, options and notes of the run.
    """
    write_page(path, render_training_set(chosen, trait=trait, context=context))


def render_training_set(chosen: PhenotypeNext, *, trait: str | None, context: ReportContext) -> str:
    """The page as a string of HTML.

    Parameters
    ----------
    chosen
        Lines to phenotype, with the accuracy to expect.
    trait
        Trait of the phenotypes, None without any.
    context
        Files, options and notes of the run.

    Returns
    -------
    str
        HTML without external resources.
    """
    rows = [
        {
            "order": order,
            "accession": line.accession,
            "group": line.group,
            "cost": f"{line.cost:g}",
            "reason": line.reason,
            "accuracy": fixed(line.expected_accuracy_after, 3),
        }
        for order, line in enumerate(chosen.lines, start=1)
    ]
    before, after = fixed(chosen.accuracy_before, 2), fixed(chosen.accuracy_after, 2)
    return render_page(
        "training_set.html",
        title=f"Lines to phenotype for {trait}" if trait else "Lines to phenotype",
        kind="Budwood training set",
        context=context,
        sections=SECTIONS,
        facts={
            "chosen": f"{len(chosen.lines):,}",
            "accuracy before": before,
            "accuracy after": after,
            "heritability": fixed(chosen.heritability, 2),
        },
        notes=(*context.notes, *chosen.notes),
        skip=PageSection("lines-to-phenotype", "the list of lines"),
        headline=f"With these {counted(len(chosen.lines), 'line')} phenotyped, the expected accuracy for the "
        f"lines left is {after} instead of {before}.",
        rows=rows,
        grouped=any(line.group for line in chosen.lines),
        priced=any(line.cost != 1.0 for line in chosen.lines),
        curve=expected_accuracy_curve(chosen.curve, chosen.accuracy_before) if chosen.curve else None,
        side=SIDE,
    )
