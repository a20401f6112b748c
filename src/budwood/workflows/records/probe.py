"""Files of a probe: tables, plain values, and the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.tables.table import read_table
from budwood.genomics.io.text.csv_writer import Cell
from budwood.probing.comparison.compare import MEASURES, ProbeComparison
from budwood.probing.comparison.geometry import SpeciesGeometry, WindowGeometry
from budwood.probing.comparison.scores import Estimate
from budwood.probing.tasks.examples import ExampleSet, ReadPart, labelled
from budwood.probing.tasks.genome import AnnotatedGenome, random_positions
from budwood.report.context import ReportContext
from budwood.report.numerals import fixed, percent
from budwood.report.parts.sections import Figure, Grid, Row, Section, SectionReport, write_sections
from budwood.report.pictures.scale import Scale
from budwood.report.pictures.scatter import SIDE, Layer, Mark, Scatter
from budwood.workflows.records.files import cell, finite, write_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Kinds of points that the style sheet has colours for.
_COLOURS: Final = 8
_SPLITS: Final = {
    "chromosome": "other contigs than those of the training",
    "homology": "homology clusters that hold no training example",
    "species": "another genome or table",
}
_READING: Final = {
    "Embedding": "The numbers that the frozen encoder gives a window; only the probe on top is fitted.",
    "Linear, kernel": "A penalised linear model, and a support vector machine with a Gaussian kernel; "
    "scaled and tuned inside the training examples.",
    "Random weights": "The same network before any training: what the shape of the network alone gives.",
    "Convolution": "A small network trained on the bases of the training examples alone.",
    "AUROC": "Share of pairs of two classes that are put in the right order: 0.5 is chance, 1 is perfect.",
    "AUPRC": "Area under the precision-recall curve; chance is the share of the class.",
    "Balanced accuracy": "Mean over classes of the share of correct predictions.",
    "95 % interval": "From test examples drawn again by whole blocks of 100,000 bases (or groups).",
    "Encoder minus this": "Main measure of the encoder's probe minus that of the row, on the same draws.",
}


def species_files(path: Path) -> dict[str, Path]:
    """Genome of each species from a table with columns ``species`` and ``fasta``.

    Parameters
    ----------
    path
        The table; file names are relative to its folder.

    Returns
    -------
    dict
        File by species.

    Raises
    ------
    BudwoodError
        If a column is missing or a species repeats.
    """
    table = read_table(path)
    if "species" not in table.plain or "fasta" not in table.plain:
        raise BudwoodError(
            "the table has no columns 'species' and 'fasta'", where=str(path), mend="name the two columns so"
        )
    names = table.column(table.plain.index("species"))
    if len(set(names)) < len(names):
        raise BudwoodError(
            "a species is in the table twice", where=str(path), mend="give each species one genome"
        )
    files = [path.parent / name for name in table.column(table.plain.index("fasta"))]
    return dict(zip(names, files, strict=True))


def species_windows(name: str, path: Path, count: int, seed: int) -> ExampleSet:
    """Random windows of a genome.

    Parameters
    ----------
    name, path
        Species and its FASTA.
    count, seed
        Number of windows and seed of the draws.

    Returns
    -------
    ExampleSet
        Windows whose label is the species.
    """
    genome = AnnotatedGenome(assembly=open_fasta(path))
    random = np.random.default_rng(seed)
    windows: list[NDArray[np.uint8]] = []
    places: list[tuple[str, int]] = []
    drawn = list(random_positions(list(genome.assembly.contigs.items()), 4 * count, random))
    for index in random.permutation(len(drawn)):
        codes = genome.window(*drawn[index])
        if codes is not None:
            windows.append(codes)
            places.append(drawn[index])
        if len(windows) == count:
            break
    return labelled("species", windows, [name] * len(windows), places, reading=ReadPart.WHOLE)


def comparison_record(found: ProbeComparison) -> dict[str, Any]:
    """The comparison as plain values."""
    return {
        "task": found.task,
        "classes": list(found.classes),
        "measure": found.measure,
        "training": found.training,
        "test": found.test,
        "blocks": found.blocks,
        "share_of_test_like_training": finite(found.like_training),
        "conclusion": found.conclusion,
        "encoder_adds": found.adds,
        "chosen": found.rows[found.chosen].name,
        "best_baseline": found.rows[found.best_baseline].name,
        "probes": [
            {
                "features": row.features,
                "probe": row.probe,
                "baseline": row.baseline,
                "inner_score": finite(row.inner_score),
                "seconds": round(row.seconds, 2),
                "scores": {name: _estimate(each) for name, each in row.scores.items()},
                "encoder_minus_this": None if row.above is None else _estimate(row.above),
            }
            for row in found.rows
        ],
    }


def windows_record(found: WindowGeometry) -> dict[str, Any]:
    """The geometry of windows as plain values."""
    return {
        "explained": found.components.explained.tolist(),
        "neighbour_purity": found.purity,
        "purity_by_chance": found.chance,
        "permutation_p": found.p,
        "neighbour_purity_of_6_mers": found.baseline_purity,
        "umap": found.umap is not None,
    }


def species_record(found: SpeciesGeometry) -> dict[str, Any]:
    """The geometry of species as plain values."""
    return {
        "species": list(found.species),
        "windows": list(found.windows),
        "explained": found.components.explained.tolist(),
        "distances": found.distances.tolist(),
        "evolutionary_distances": None if found.evolutionary is None else found.evolutionary.tolist(),
        "correlation_with_evolutionary_distance": {
            name: {"r": each.r, "rank_r": each.rank_r, "permutation_p": each.p}
            for name, each in found.correlations.items()
        },
    }


def write_probe_table(path: Path, found: ProbeComparison) -> None:
    """Write one row for each probe: measures with the ends of their intervals."""
    names = list(found.rows[0].scores)
    header = ["features", "probe", "baseline", "inner_score"]
    for name in [*names, "encoder_minus_this"]:
        header += [name, f"{name}_lower_95", f"{name}_upper_95"]
    write_table(path, header, _probe_rows(found, names))


def _probe_rows(found: ProbeComparison, names: list[str]) -> Iterator[list[Cell]]:
    for row in found.rows:
        cells: list[Cell] = [
            row.features,
            row.probe,
            "yes" if row.baseline else "no",
            cell(row.inner_score, 6),
        ]
        for each in (*(row.scores[name] for name in names), row.above):
            if each is None:
                cells += ["", "", ""]
            else:
                cells += [cell(each.value, 6), cell(each.lower, 6), cell(each.upper, 6)]
        yield cells


def write_examples(path: Path, training: ExampleSet, test: ExampleSet) -> None:
    """Write which examples were used: side, contig, position (1-based) and label or value."""
    rows = (
        (name, contig, position + 1 if position >= 0 else "", target)
        for name, side in (("training", training), ("test", test))
        for contig, position, target in zip(
            side.contig.tolist(),
            side.position.tolist(),
            side.labels.tolist() if side.is_classification else map(cell, side.values.tolist()),
            strict=True,
        )
    )
    write_table(path, ("side", "contig", "position", "label"), rows)


def _estimate(each: Estimate) -> dict[str, float | None]:
    return {"value": finite(each.value), "lower_95": finite(each.lower), "upper_95": finite(each.upper)}


def write_probe_report(
    path: Path,
    *,
    title: str,
    split: str,
    comparison: ProbeComparison | None,
    windows: WindowGeometry | None,
    species: SpeciesGeometry | None,
    context: ReportContext,
) -> None:
    """Write the report.

    Parameters
    ----------
    path
        The file to write.
    title
        Heading of the page.
    split
        How training and test part.
    comparison, windows, species
        Results; None for what was not asked for.
    context
        The run behind them.
    """
    sections: list[Section] = []
    facts: dict[str, str] = {}
    headline, summary = "Distances of species by their embeddings.", ""
    if comparison is not None:
        headline = comparison.conclusion
        counts = f"{sum(comparison.training.values()):,} training and {sum(comparison.test.values()):,} test"
        summary = f"{counts} examples; the test is from {_SPLITS[split]}."
        main = comparison.rows[comparison.chosen].scores[comparison.measure]
        best = comparison.rows[comparison.best_baseline].scores[comparison.measure]
        facts = {
            MEASURES[comparison.measure]: fixed(main.value, 3),
            "best baseline": fixed(best.value, 3),
            "test examples": f"{sum(comparison.test.values()):,}",
        }
        sections += [_scores_section(comparison), _recall_section(comparison)][
            : 2 if comparison.classes else 1
        ]
    if windows is not None:
        sections.append(_windows_section(windows))
    if species is not None:
        sections.append(_species_section(species))
        if comparison is None:
            headline = _species_sentence(species)
            summary = f"{len(species.species)} species, {sum(species.windows):,} windows."
    report = SectionReport(
        verb="probe",
        title=title,
        headline=headline,
        summary=summary,
        facts=facts,
        sections=tuple(sections),
        reading=_READING,
        context=context,
    )
    write_sections(path, report)


def _scores_section(found: ProbeComparison) -> Section:
    main = found.measure
    shown = [
        name
        for name in ("accuracy", "balanced_accuracy", "auroc", "auprc", "spearman_r", "r2", "rmse")
        if name != main and name in found.rows[0].scores
    ]
    chance = _chance(found)
    values = [
        number
        for row in found.rows
        for number in (row.scores[main].lower, row.scores[main].upper, row.scores[main].value)
    ]
    scale = Scale.over(values, [chance])
    rows = []
    for place, row in enumerate(found.rows):
        own = row.scores[main]
        rows.append(
            Row(
                name=row.name,
                cells=(
                    f"{fixed(own.value, 3)} ({fixed(own.lower, 3)} to {fixed(own.upper, 3)})",
                    _difference(row.above),
                    *(fixed(row.scores[name].value, 3) for name in shown),
                ),
                at=scale.percent(own.value),
                low=scale.percent(own.lower) if np.isfinite(own.lower) else None,
                high=scale.percent(own.upper) if np.isfinite(own.upper) else None,
                tag="compared" if place == found.chosen else "",
                kind="control" if row.baseline else ("reported" if place == found.chosen else ""),
            )
        )
    grid = Grid(
        caption="All probes on the same test examples; grey points are baselines. Bars: 95 % interval.",
        first="Features, probe",
        columns=(
            f"{MEASURES[main]} (95 %)",
            "Encoder minus this (95 %)",
            *(MEASURES[name] for name in shown),
        ),
        rows=tuple(rows),
        axis=MEASURES[main],
        ticks=scale.ticks(),
        zero=scale.percent(chance),
    )
    notes = (
        "The encoder's probe that is compared is the one with the highest score in folds of the training "
        "examples; the best baseline is the highest on the test itself, which favours the baselines.",
    )
    return Section(
        name="scores", title="What the embedding predicts", lead=found.conclusion, grids=(grid,), notes=notes
    )


def _chance(found: ProbeComparison) -> float:
    if found.measure == "auroc":
        return 0.5
    return 1.0 / len(found.classes) if found.classes else 0.0


def _recall_section(found: ProbeComparison) -> Section:
    rows = tuple(
        Row(
            name=row.name,
            cells=tuple(fixed(row.scores[f"recall {name}"].value, 2) for name in found.classes),
            kind="control" if row.baseline else "",
        )
        for row in found.rows
    )
    grid = Grid(
        caption="Share of the test examples of each class that are predicted as such.",
        first="Features, probe",
        columns=tuple(f"{name} ({found.test[name]:,})" for name in found.classes),
        rows=rows,
    )
    return Section(name="recall", title="Recall by class", grids=(grid,))


def _windows_section(found: WindowGeometry) -> Section:
    explained = found.components.explained
    better = "more" if found.purity > found.baseline_purity else "no more"
    lead = (
        f"Of a window's ten nearest neighbours elsewhere, {percent(found.purity)} bear its label; by chance "
        f"{percent(found.chance)} would (permutation p = {found.p:.3g}). That is {better} than with 6-mers "
        f"({percent(found.baseline_purity)})."
    )
    figures = [
        Figure(
            title="Principal components.",
            caption=f"The first two explain {percent(float(explained[:2].sum()))} of the variance, the first "
            f"{len(explained)} {percent(float(explained.sum()))}.",
            picture=_points(
                found.components.scores,
                found.labels,
                [f"component {k} ({percent(float(explained[k - 1]))})" for k in (1, 2)],
            ),
        )
    ]
    if found.umap is not None:
        figures.append(
            Figure(
                title="UMAP.",
                caption="Near neighbours stay near; distances between groups have no meaning.",
                picture=_points(found.umap, found.labels, ["UMAP 1", "UMAP 2"]),
            )
        )
    return Section(name="geometry", title="Geometry of windows", lead=lead, figures=tuple(figures))


def _points(scores: NDArray[np.float64], labels: NDArray[np.str_], titles: list[str]) -> Scatter:
    x, y = Scale.over(scores[:, 0]), Scale.over(scores[:, 1])
    names, counts = np.unique(labels, return_counts=True)
    names = names[np.argsort(-counts, kind="stable")]
    layers = []
    for number, name in enumerate(names[:_COLOURS].tolist()):
        rows = np.flatnonzero(labels == name)
        marks = tuple(
            Mark(
                round(SIDE * x.share(float(scores[row, 0])), 1),
                round(SIDE * (1 - y.share(float(scores[row, 1]))), 1),
                -1,
            )
            for row in rows
        )
        layers.append(Layer(f"class{number}", name, marks))
    return Scatter(
        description="Points in the plane of the first two coordinates, coloured by label",
        x_title=titles[0],
        y_title=titles[1],
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
        layers=tuple(layers),
    )


def _species_sentence(found: SpeciesGeometry) -> str:
    if not found.correlations:
        return "No tree was given, so distances were compared with nothing."
    own = found.correlations["embedding"]
    others = ", ".join(
        f"{name} {each.r:.2f} (p = {each.p:.3g})"
        for name, each in found.correlations.items()
        if name != "embedding"
    )
    return (
        f"Distances of embeddings and evolutionary distances correlate with r = {own.r:.2f} (permutation "
        f"p = {own.p:.3g}); baselines: {others}."
    )


def _species_section(found: SpeciesGeometry) -> Section:
    explained = found.components.explained
    grids: tuple[Grid, ...] = ()
    if found.correlations:
        rows = tuple(
            Row(name=name, cells=(fixed(each.r, 3), fixed(each.rank_r, 3), f"{each.p:.3g}"))
            for name, each in found.correlations.items()
        )
        grids = (
            Grid(
                caption="Correlation over pairs of species with the distance along the tree.",
                first="Distances of",
                columns=("r", "rank correlation", "permutation p"),
                rows=rows,
            ),
        )
    figures = [
        Figure(
            title="Species by the means of their windows.",
            caption=f"Two components explain {percent(float(explained[:2].sum()))} of the variance.",
            picture=_points(
                found.components.scores,
                np.array(found.species),
                [f"component {k} ({percent(float(explained[k - 1]))})" for k in (1, 2)],
            ),
        )
    ]
    if found.evolutionary is not None:
        upper = np.triu_indices(len(found.species), 1)
        pairs = np.stack([found.evolutionary[upper], found.distances[upper]], axis=1)
        figures.append(
            Figure(
                title="Pairs of species.",
                caption="Distance of the mean embeddings by distance along the tree.",
                picture=_points(
                    pairs,
                    np.full(len(pairs), "pair of species"),
                    ["distance along the tree", "distance of embeddings"],
                ),
            )
        )
    return Section(
        name="species",
        title="Geometry of species",
        lead=_species_sentence(found),
        grids=grids,
        figures=tuple(figures),
    )


def _difference(above: Estimate | None) -> str:
    if above is None:
        return "–"
    return f"{_signed(above.value)} ({_signed(above.lower)} to {_signed(above.upper)})"


def _signed(value: float) -> str:
    text = fixed(value, 3)
    return f"+{text}" if value > 0 else text
