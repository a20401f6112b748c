"""Summary of a corpus: species, contigs, and the decisions of every stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.masking.assembly_filter import FilterDecision
from budwood.corpus.masking.repeat_mask import MaskPlan
from budwood.corpus.recipe.recipe import CorpusRecipe
from budwood.corpus.recipe.sources import OpenSource, SourceContig
from budwood.corpus.sampling.balance import effective_number
from budwood.corpus.sampling.species_weights import species_weights
from budwood.corpus.sampling.store import CORPUS_FORMAT, CorpusSpecies
from budwood.corpus.similarity.homeologs import homeolog_table
from budwood.corpus.stages.assembly_stats import AssemblyStats


@dataclass(frozen=True)
class Built:
    """Results of the stages that the summary uses.

    Attributes
    ----------
    recipe, sources
        The recipe, and its sources that are used.
    contigs, species
        Contigs with the index of their source in ``sources``, and labels of species, both ordered by index.
    surveyed
        Label, statistics and filter decision of every source, used or not.
    masks
        Mask plans of the sources that are used.
    windows
        (windows,) :data:`budwood.corpus.stages.shards.CORPUS_WINDOW_FIELDS`.
    partner, selected_species
        (selected,) the window that a dropped one is a near-duplicate of, -1 for kept ones; and the species of
        each.
    notes
        Notes from the check of the sources.
    """

    recipe: CorpusRecipe
    sources: Sequence[OpenSource]
    contigs: Sequence[tuple[int, SourceContig]]
    species: Sequence[str]
    surveyed: Sequence[tuple[str, AssemblyStats, FilterDecision]]
    masks: Sequence[MaskPlan]
    windows: NDArray[np.void]
    partner: NDArray[np.int64]
    selected_species: NDArray[np.int16]
    notes: Sequence[str]

    def label(self, place: int) -> str:
        """Label of a source that is used.

        Parameters
        ----------
        place
            Index of the source.

        Returns
        -------
        str
            Species and assembly.
        """
        return self.sources[place].source.label


def summarise_corpus(built: Built) -> dict[str, Any]:
    """Build the content of ``corpus.json``.

    Parameters
    ----------
    built
        Results of the stages.

    Returns
    -------
    dict
        The summary as plain values.
    """
    species = _species(built)
    index = {name: number for number, name in enumerate(built.species)}
    return {
        "format": CORPUS_FORMAT,
        "name": built.recipe.name,
        "length": built.recipe.windows.length,
        "shard_windows": built.recipe.shards.windows,
        "notes": _notes(built, species),
        "totals": _totals(built, species),
        "species": [asdict(each) for each in species],
        "assemblies": [_assembly(*each) for each in built.surveyed],
        "masks": {built.label(place): plan.table() for place, plan in enumerate(built.masks)},
        "near_duplicates": _duplicates(built),
        "homeologs": _homeologs(built),
        "contigs": [
            {
                "name": contig.name,
                "source": built.label(place),
                "species": index[contig.species],
                "length": contig.length,
                "subgenome": contig.subgenome,
            }
            for place, contig in built.contigs
        ],
    }


def _species(built: Built) -> list[CorpusSpecies]:
    """The species with their weights; a species without training windows has weight 0."""
    index, kept = built.windows["species"], built.windows["validation"]
    training = np.bincount(index[~kept], minlength=len(built.species)).tolist()
    validation = np.bincount(index[kept], minlength=len(built.species)).tolist()
    weights = species_weights(built.recipe, built.sources, dict(zip(built.species, training, strict=True)))
    first = {contig.species: (place, contig) for place, contig in reversed(built.contigs)}
    found = []
    for number, name in enumerate(built.species):
        place, contig = first[name]
        source = built.sources[place].source
        facts = (source.label, source.taxonomy_id, contig.lineage, source.ploidy, weights.get(name, 0.0))
        found.append(CorpusSpecies(name, *facts, training[number], validation[number]))
    return found


def _totals(built: Built, species: Sequence[CorpusSpecies]) -> dict[str, Any]:
    windows, dropped = built.windows, built.partner >= 0
    training = windows[~windows["validation"]]
    return {
        "species": len(species),
        "windows": len(windows),
        "training_windows": len(training),
        "validation_windows": len(windows) - len(training),
        "training_bases": int(training["length"].sum()),
        "genic_share": round(float(windows["genic"].mean()), 4),
        "near_duplicates_dropped": int(dropped.sum()),
        "near_duplicates_share": round(float(dropped.mean()), 4),
        "homology_clusters": len(np.unique(windows["cluster"])),
        "largest_cluster": int(np.bincount(windows["cluster"]).max()),
        "effective_species": round(effective_number(each.weight for each in species), 3),
        "effective_species_by_size": round(effective_number(each.training for each in species), 3),
    }


def _assembly(label: str, survey: AssemblyStats, conclusion: FilterDecision) -> dict[str, Any]:
    return {
        "source": label,
        "used": conclusion.used,
        "reason": conclusion.reason,
        "bases": survey.bases,
        "contig_n50": survey.contig_n50,
        "unknown_share": round(survey.unknown_share, 5),
        "lower_case_share": round(survey.lower_share, 5),
        "gc_share": round(survey.gc_share, 5),
    }


def _notes(built: Built, species: Sequence[CorpusSpecies]) -> list[str]:
    """What users should know if they read nothing else of the summary."""
    left_out = [f"{label}: left out, {v.reason}" for label, _, v in built.surveyed if not v.used]
    bare = [each.name for each in species if not each.training]
    if bare:
        left_out.append(
            f"{len(bare)} of {len(species)} species have no window to train on, {bare[0]} first: "
            "they repeat others, or are too short or too full of N"
        )
    return [*built.notes, *left_out]


def _homeologs(built: Built) -> dict[str, dict[str, Any]]:
    """Relations between the windows of different subgenomes, by source with subgenomes."""
    subgenome = np.array([contig.subgenome for _, contig in built.contigs])
    place = np.array([place for place, _ in built.contigs])
    windows = built.windows
    found = {}
    for source in np.unique(place[subgenome != ""]).tolist():
        rows = windows[((place == source) & (subgenome != ""))[windows["contig"]]]
        found[built.label(source)] = homeolog_table(
            subgenome[rows["contig"]], rows["cluster"], rows["validation"]
        )
    return found


def _duplicates(built: Built) -> list[dict[str, Any]]:
    """Number of windows of each source that are near-duplicates of another source's, most frequent first."""
    label = {contig.species: built.label(place) for place, contig in built.contigs}
    names = np.array([label[species] for species in built.species])
    dropped = np.flatnonzero(built.partner >= 0)
    own = names[built.selected_species[dropped]].tolist()
    other = names[built.selected_species[built.partner[dropped]]].tolist()
    pairs = Counter(zip(own, other, strict=True)).most_common()
    return [{"dropped": a, "repeats": b, "windows": count} for (a, b), count in pairs]
