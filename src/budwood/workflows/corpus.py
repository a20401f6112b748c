"""Corpus: windows of genomes to pre-train on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.workflows.setup.cost import Announce, silent

if TYPE_CHECKING:
    from budwood.corpus.stages.cost_estimate import CorpusCost


@dataclass(frozen=True, kw_only=True)
class CorpusOptions:
    """Which corpus to build, and where.

    Attributes
    ----------
    recipe
        TOML file that names the genomes.
    ray
        Address of a Ray cluster to work on; this machine where None.
    show
        Progress bars on or off; by default they show in a terminal.
    """

    recipe: Path
    ray: str | None = None
    show: bool | None = None


@dataclass(frozen=True, kw_only=True)
class CorpusResult:
    """A corpus that was built.

    Attributes
    ----------
    folder
        The artifact.
    metrics
        Figures of its manifest.
    notes
        Sentences of its summary.
    """

    folder: Path
    metrics: Mapping[str, Any]
    notes: tuple[str, ...]


def corpus(
    options: CorpusOptions, out: Path, *, overwrite: bool = False, announce: Announce = silent
) -> CorpusResult:
    """Build a corpus; called again after an interruption, it resumes.

    Parameters
    ----------
    options
        Which corpus to build, and where.
    out
        Folder to write.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what the work will take.

    Returns
    -------
    CorpusResult
        What was built.

    Raises
    ------
    BudwoodError
        If the recipe or a genome cannot be used.
    """
    from budwood.artifacts import read_manifest
    from budwood.corpus.recipe.recipe import read_corpus_recipe
    from budwood.corpus.recipe.sources import open_assemblies
    from budwood.corpus.sampling.store import SUMMARY
    from budwood.corpus.stages.build import build_corpus
    from budwood.corpus.stages.cost_estimate import estimate_corpus_cost

    plan = read_corpus_recipe(options.recipe)
    announce(f"{plan.name}: {estimate_corpus_cost(plan, open_assemblies(plan)).sentence()}")
    runner = None
    if options.ray is not None:
        from budwood.corpus.stages.ray_runner import RayRunner

        runner = RayRunner(options.ray)
    folder = build_corpus(plan, out, runner=runner, show=options.show, overwrite=overwrite)
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    # Corpora of earlier releases have no notes.
    notes = tuple(summary.get("notes", ()))
    return CorpusResult(folder=folder, metrics=read_manifest(folder)["metrics"], notes=notes)


def corpus_cost(options: CorpusOptions) -> CorpusCost:
    """What a corpus will cost to build, without building it.

    Parameters
    ----------
    options
        Which corpus, and where it would stand.

    Returns
    -------
    CorpusCost
        Time, disk and memory.
    """
    from budwood.corpus.recipe.recipe import read_corpus_recipe
    from budwood.corpus.recipe.sources import open_assemblies
    from budwood.corpus.stages.cost_estimate import estimate_corpus_cost

    plan = read_corpus_recipe(options.recipe)
    return estimate_corpus_cost(plan, open_assemblies(plan))
