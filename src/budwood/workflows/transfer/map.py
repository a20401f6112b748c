"""Transfer map: results of many transfers as one table and heat map."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from budwood.errors import BudwoodError, counted
from budwood.workflows.records.files import cell, finite, write_json, write_table
from budwood.workflows.transfer.evaluate import KIND

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.transfer.compatibility_map import Cell, CompatibilityMap, MappedModel

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
    library
        Folder of a model library: every pair of its trait models has a cell, and the results that it holds
        are read as well.
    """

    folders: tuple[Path, ...] = ()
    tree: Path | None = None
    species: tuple[str, ...] = ()
    library: Path | None = None


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
        found = [f"{cells}{f' ({listed})' if listed else ''}, {untested:,} untested."]
        predictor = self.found.predictor
        if predictor is None:
            found.append(
                "Untested cells are not predicted: fewer than six measured pairs have a distance in the tree."
            )
        elif not predictor.beats_mean:
            found.append(
                f"Untested cells are not predicted: on left-out pairs distance errs by {predictor.error:.3f} "
                f"and the mean of the others by {predictor.mean_error:.3f}."
            )
        else:
            found.append(
                f"The r of untested cells is predicted from distance (error {predictor.error:.3f} on "
                f"left-out pairs, the mean's {predictor.mean_error:.3f})."
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
        If a folder holds no result of ``transfer evaluate``, one is damaged, or the library holds no trait
        model.
    """
    from budwood.artifacts import write_artifact

    if not options.folders and options.library is None:
        raise BudwoodError(
            "a map needs measured transfers or a library",
            where="command line",
            mend="give folders that budwood transfer evaluate wrote, or --library",
        )
    library = None if options.library is None else _LibraryModels.read(options.library)
    kept = [] if library is None else list(library.results)
    results, copies = _once([*_results(options.folders), *kept])
    inputs = [folder / "transfer.json" for folder in results]
    inputs += [] if library is None else library.cards
    if options.tree is not None:
        inputs.append(options.tree)
    if out is None:
        return _map(options, results, copies, library)
    with write_artifact(out, kind="transfer-map", inputs=inputs, overwrite=overwrite) as draft:
        result = _map(options, results, copies, library)
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
    return found


def _once(folders: Sequence[Path]) -> tuple[list[Path], int]:
    """Each result once, also where it was copied or is named by two paths, and how many were left out."""
    from budwood.artifacts import sha256

    found: dict[str, Path] = {}
    for folder in folders:
        found.setdefault(sha256(folder / "transfer.json"), folder)
    places = {folder.resolve() for folder in folders}
    return list(found.values()), len(places) - len(found)


@dataclass(frozen=True, kw_only=True, eq=False)
class _LibraryModels:
    """What the map reads of a library.

    Attributes
    ----------
    models
        Its trait models.
    by_digest
        Its trait models by the digest of the model.
    results
        Folders of the measured transfers that it holds.
    cards
        Files of the trait models' cards.
    damaged
        Entries whose cards cannot be read.
    """

    models: tuple[MappedModel, ...]
    by_digest: Mapping[str, tuple[MappedModel, ...]]
    results: tuple[Path, ...]
    cards: tuple[Path, ...]
    damaged: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> _LibraryModels:
        from budwood.library.card import CARD
        from budwood.library.model_facts import TRAIT_MODEL, TRANSFER
        from budwood.library.model_library import ModelLibrary
        from budwood.transfer.compatibility_map import MappedModel

        library = ModelLibrary.existing(folder)
        cards, damaged = library.readable_cards()
        models = [card for card in cards if card.kind == TRAIT_MODEL]
        if not models and damaged:
            raise BudwoodError(
                f"the library holds no trait model that can be read; damaged cards: {', '.join(damaged)}",
                where=str(folder),
                mend="see budwood library verify, and add the models again",
            )
        if not models:
            raise BudwoodError(
                "the library holds no trait model",
                where=str(folder),
                mend="add models that budwood predict --save-model wrote, with budwood library add",
            )
        found: list[MappedModel] = []
        by_digest: dict[str, tuple[MappedModel, ...]] = {}
        for card in models:
            model = MappedModel(
                name=card.name,
                trait=card.traits[0] if card.traits else "unnamed trait",
                term=next(iter(card.terms.values()), ""),
                species=card.species,
            )
            found.append(model)
            by_digest[card.digest] = (*by_digest.get(card.digest, ()), model)
        return cls(
            models=tuple(found),
            by_digest=by_digest,
            results=tuple(library.path(card.name) for card in cards if card.kind == TRANSFER),
            cards=tuple(folder / card.name / CARD for card in models),
            damaged=damaged,
        )

    def called(self, side: _MeasuredSide) -> Sequence[MappedModel | str]:
        """Models that a side of a result is: by its digest, else by its name and trait; else its own name."""
        found = self.by_digest.get(side.digest)
        if found is None:
            trait = side.trait.casefold()
            found = tuple(m for m in self.models if m.name == side.name and m.trait.casefold() == trait)
        return found or (side.name,)


def _map(options: MapOptions, results: list[Path], copies: int, library: _LibraryModels | None) -> MapResult:
    from budwood.genomics.io.tables.newick import read_newick
    from budwood.transfer.compatibility_map import compatibility_map

    cells = [cell for folder in results for cell in _read_cells(folder, library)]
    tree = None if options.tree is None else read_newick(options.tree)
    models = () if library is None else library.models
    found = compatibility_map(cells, tree, options.species, models)
    read = "was" if len(results) == 1 else "were"
    notes = [f"{counted(len(results), 'result')} of transfer evaluate {read} read."]
    if copies:
        what = "A folder holds" if copies == 1 else f"{copies} folders hold"
        notes.append(f"{what} a copy of another result and {'is' if copies == 1 else 'are'} left out.")
    alike = sorted({c.source for c in cells if c.source == c.target})
    if alike:
        notes.append(
            f"Source and target of a result bear one name: {', '.join(alike)}. Where they are not one "
            "population, measure again with --source-name and --target-name."
        )
    if tree is not None:
        unplaced = sorted({c.source for c in found.cells if not c.sources and not isfinite(c.distance)})
        if unplaced:
            notes.append(f"No distance in the tree for some pairs of: {', '.join(unplaced)}.")
    if library is not None:
        notes.append(f"The library holds {counted(len(models), 'trait model')}.")
        unknown = [each.name for each in models if not each.species]
        if unknown and tree is not None:
            notes.append(f"The cards state no species of: {', '.join(unknown)}.")
        known = {each.name for each in models}
        sides = {name for cell in cells for name in (*(cell.sources or (cell.source,)), cell.target)}
        strange = sorted(sides - known)
        if strange:
            notes.append(
                "Results name what no trait model of the library is called, in rows and columns of their "
                f"own: {', '.join(strange)}. Measure with --source DIR and --target DIR of the saved models, "
                "or give --source-name and --target-name the names of the entries."
            )
        if library.damaged:
            notes.append(f"Cards that cannot be read were left out: {', '.join(library.damaged)}.")
    return MapResult(found=found, notes=tuple(notes))


def _read_cells(folder: Path, library: _LibraryModels | None) -> list[Cell]:
    """The cell of a result; sides that are models of the library bear the names of their entries.

    A model that was added twice has as many cells.
    """
    cell, sides = _read_cell(folder)
    if library is None:
        return [cell]
    if len(sides) > 2:
        names = tuple(_name(library.called(side)[0]) for side in sides[:-1])
        cell = replace(cell, source=" + ".join(names), sources=names)
        return [replace(cell, target=_name(target)) for target in library.called(sides[-1])]
    return [
        replace(
            cell,
            source=_name(source),
            target=_name(target),
            trait=cell.trait
            if isinstance(source, str) or isinstance(target, str)
            else source.trait_with(target),
        )
        for source in library.called(sides[0])
        for target in library.called(sides[1])
    ]


def _name(called: MappedModel | str) -> str:
    return called if isinstance(called, str) else called.name


@dataclass(frozen=True, kw_only=True)
class _MeasuredSide:
    """A side of a result: its name, its trait, and the digest of its model (empty where it is no model)."""

    name: str
    trait: str
    digest: str


def _read_cell(folder: Path) -> tuple[Cell, tuple[_MeasuredSide, ...]]:
    """The cell of a result and its sides, the target last."""
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
        several = record.get("sources") or []
        sides = [*(several if len(several) > 1 else [record["source"]]), record["target"]]
        measured = tuple(
            _MeasuredSide(name=side["name"], trait=side["trait"], digest=str(side.get("model") or ""))
            for side in sides
        )
        outcome = str(record["outcome"])
        if not all(isinstance(word, str) for side in measured for word in (side.name, side.trait)):
            raise TypeError("a name or a trait is no text")
        gain = {
            size: ConfidenceInterval(*(float(each[name]) for name in ("mean", "lower", "upper")))
            for size, each in gains.items()
            # None where nothing could be measured at that size.
            if each is not None and each["mean"] is not None
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BudwoodError(
            "transfer.json is damaged", where=str(folder), mend="run transfer evaluate again"
        ) from error
    trait = traits[1] if traits[0] == traits[1] else f"{traits[0]} to {traits[1]}"
    cell = Cell(
        source=names[0],
        target=names[1],
        trait=trait,
        outcome=outcome,
        gain=gain,
        sources=tuple(side.name for side in measured[:-1]) if len(measured) > 2 else (),
    )
    return cell, measured


def _cell_record(each: Cell) -> dict[str, Any]:
    return {
        "trait": each.trait,
        "source": each.source,
        "sources": list(each.sources or (each.source,)),
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
