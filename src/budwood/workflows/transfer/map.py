"""Transfer map: results of many transfers as one table and heat map."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from budwood.errors import BudwoodError, counted
from budwood.workflows.records.files import cell, finite, write_json, write_table
from budwood.workflows.transfer.evaluate import KIND

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.transfer.compatibility_map import Cell, CompatibilityMap

#: Columns of ``map.csv``, in order; part of the command line's contract.
COLUMNS: Final = (
    "trait",
    "source",
    "target",
    "outcome",
    "distance",
    "r_without_phenotypes",
    "r_lower_95",
    "r_upper_95",
    "gain_at_50",
    "gain_at_50_lower_95",
    "gain_at_50_upper_95",
    "gain_at_150",
    "gain_at_150_lower_95",
    "gain_at_150_upper_95",
    "predicted_r",
)


@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """What to lay out.

    Attributes
    ----------
    folders
        Results of ``transfer evaluate``, or folders that hold them.
    tree
        Newick tree of the species.
    species
        Further names to show as untested.
    """

    folders: tuple[Path, ...]
    tree: Path | None = None
    species: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class MapResult:
    """The map, and what reading noted.

    Attributes
    ----------
    found
        Cells and predictor.
    notes
        Which results were read.
    """

    found: CompatibilityMap
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The result as plain values, as map.json has them."""
        predictor = self.found.predictor
        return {
            "version": 1,
            "cells": [_cell_record(each) for each in self.found.cells],
            "predictor": None
            if predictor is None
            else {
                "intercept": predictor.intercept,
                "slope": predictor.slope,
                "error": predictor.error,
                "mean_error": predictor.mean_error,
                "pairs": predictor.pairs,
                "used": predictor.beats_mean,
            },
            "notes": list(self.notes),
        }

    def sentences(self) -> list[str]:
        """The result for people."""
        tested = [each for each in self.found.cells if each.is_tested]
        untested = len(self.found.cells) - len(tested)
        counts: dict[str, int] = {}
        for each in tested:
            counts[each.outcome] = counts.get(each.outcome, 0) + 1
        listed = ", ".join(f"{number} {name}" for name, number in counts.items())
        cells = "1 measured cell" if len(tested) == 1 else f"{len(tested):,} measured cells"
        found = [f"{cells} ({listed}), {untested:,} untested"]
        predictor = self.found.predictor
        if predictor is None:
            found.append("untested cells are not predicted: under six measured pairs have a distance")
        elif not predictor.beats_mean:
            found.append(
                f"untested cells are not predicted: on left-out pairs distance errs by {predictor.error:.3f} "
                f"and the mean of the others by {predictor.mean_error:.3f}"
            )
        else:
            found.append(
                f"r of untested cells is predicted from distance (error {predictor.error:.3f} on left-out "
                f"pairs, the mean's {predictor.mean_error:.3f})"
            )
        return found


def map_transfers(options: MapOptions, out: Path | None = None, *, overwrite: bool = False) -> MapResult:
    """Read measured transfers and lay them out.

    Parameters
    ----------
    options
        What to lay out.
    out
        Folder to write map.json, map.csv and report.html to; nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.

    Raises
    ------
    BudwoodError
        If a folder holds no result of ``transfer evaluate``, or one is damaged.
    """
    from budwood.artifacts import write_artifact

    results = _results(options.folders)
    inputs = [folder / "transfer.json" for folder in results]
    if options.tree is not None:
        inputs.append(options.tree)
    if out is None:
        return _map(options, results)
    with write_artifact(out, kind="transfer-map", inputs=inputs, overwrite=overwrite) as draft:
        result = _map(options, results)
        _write(draft, result)
    return result


def _results(folders: tuple[Path, ...]) -> list[Path]:
    """Folders of results, in the order of their names."""
    found: list[Path] = []
    for folder in folders:
        here = [folder] if (folder / "transfer.json").is_file() else []
        if folder.is_dir() and not here:
            here = sorted(path.parent for path in folder.glob("*/transfer.json"))
        if not here:
            raise BudwoodError(
                "the folder holds no result of transfer evaluate",
                where=str(folder),
                mend="give folders that budwood transfer evaluate wrote, or one that holds several of them",
            )
        found += here
    return list(dict.fromkeys(found))


def _map(options: MapOptions, results: list[Path]) -> MapResult:
    from budwood.genomics.io.tables.newick import read_newick
    from budwood.transfer.compatibility_map import compatibility_map

    cells = [_read_cell(folder) for folder in results]
    tree = None if options.tree is None else read_newick(options.tree)
    found = compatibility_map(cells, tree, options.species)
    read = "was" if len(results) == 1 else "were"
    notes = [f"{counted(len(results), 'result')} of transfer evaluate {read} read."]
    if tree is not None:
        unplaced = sorted({c.source for c in found.cells if not isfinite(c.distance)})
        if unplaced:
            notes.append(f"No distance in the tree for some pairs of: {', '.join(unplaced)}.")
    return MapResult(found=found, notes=tuple(notes))


def _read_cell(folder: Path) -> Cell:
    from budwood.artifacts import read_manifest, require_unchanged
    from budwood.stats.evaluation.paired_difference import ConfidenceInterval
    from budwood.transfer.compatibility_map import GAIN_SIZES, Cell

    if read_manifest(folder).get("kind") != KIND:
        raise BudwoodError(
            "the folder is no result of transfer evaluate", where=str(folder), mend="leave it out"
        )
    require_unchanged(folder, mend="run transfer evaluate again, or copy the folder again from its source")
    try:
        record = json.loads((folder / "transfer.json").read_text(encoding="utf-8"))
        gains = {size: record["gain"].get(str(size)) for size in GAIN_SIZES}
        names = (record["source"]["name"], record["target"]["name"])
        traits = (record["source"]["trait"], record["target"]["trait"])
        outcome = str(record["outcome"])
        gain = {
            size: ConfidenceInterval(each["mean"], each["lower"], each["upper"])
            for size, each in gains.items()
            if each is not None
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BudwoodError(
            "transfer.json is damaged", where=str(folder), mend="run transfer evaluate again"
        ) from error
    trait = traits[1] if traits[0] == traits[1] else f"{traits[0]} to {traits[1]}"
    return Cell(source=names[0], target=names[1], trait=trait, outcome=outcome, gain=gain)


def _cell_record(each: Cell) -> dict[str, Any]:
    return {
        "trait": each.trait,
        "source": each.source,
        "target": each.target,
        "outcome": each.outcome,
        "distance": finite(each.distance),
        "gain": {
            str(size): {"mean": gain.mean, "lower": gain.lower, "upper": gain.upper}
            for size, gain in each.gain.items()
        },
        "predicted_r": finite(each.predicted),
    }


def _write(draft: Draft, result: MapResult) -> None:
    from budwood.report.pages.transfer_map import write_map_report
    from budwood.transfer.compatibility_map import GAIN_SIZES

    record = result.record()
    write_json(draft.path("map.json"), record)
    nan = float("nan")
    rows = []
    for each in result.found.cells:
        numbers = [each.distance]
        for size in GAIN_SIZES:
            gain = each.gain.get(size)
            numbers += [nan, nan, nan] if gain is None else [gain.mean, gain.lower, gain.upper]
        numbers.append(each.predicted)
        names = [each.trait, each.source, each.target, each.outcome]
        rows.append([*names, *(cell(number, 6) for number in numbers)])
    write_table(draft.path("map.csv"), COLUMNS, rows)
    write_map_report(draft.path("report.html"), record, result.sentences())
    draft.notes += result.notes
    draft.metrics["outcomes"] = [each.outcome for each in result.found.cells if each.is_tested]
