"""Build a corpus from a recipe: run the stages in order and write the artifact."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from filelock import FileLock, Timeout

from budwood.artifacts import (
    Draft,
    check_destination,
    files_digest,
    read_manifest,
    sha256,
    verify_artifact,
    write_artifact,
)
from budwood.corpus.masking.assembly_filter import AssemblyFacts, FilterDecision, filter_assemblies
from budwood.corpus.masking.kmer_spectrum import kmer_length
from budwood.corpus.masking.repeat_mask import MaskFacts, MaskPlan, calibrate, is_informative
from budwood.corpus.recipe.recipe import CorpusRecipe
from budwood.corpus.recipe.source_check import check_sources
from budwood.corpus.recipe.sources import OpenSource, SourceContig, open_assemblies
from budwood.corpus.sampling.species_weights import species_weights
from budwood.corpus.sampling.store import SUMMARY
from budwood.corpus.stages.assembly_stats import AssemblyStats, contig_stats, read_assembly_stats
from budwood.corpus.stages.kmer_excess import add_counts, count_group, excess_group
from budwood.corpus.stages.pairwise_tasks import cluster_in_parts, deduplicate_in_parts, leakage_in_parts
from budwood.corpus.stages.select_windows import select_windows
from budwood.corpus.stages.shards import order_windows, write_shard
from budwood.corpus.stages.stage import SHARD_MANIFEST, LocalRunner, Runner, Task, unwritable_stage
from budwood.corpus.stages.summary import Built, summarise_corpus
from budwood.corpus.stages.tokenise import learn_tokens
from budwood.corpus.stages.window_relatives import split_windows
from budwood.corpus.stages.windowing import cut_group
from budwood.errors import BudwoodError
from budwood.progress import progress

_LEAKAGE: Final = "leakage.json"


def build_corpus(
    recipe: CorpusRecipe,
    out: Path,
    *,
    runner: Runner | None = None,
    show: bool | None = None,
    overwrite: bool = False,
) -> Path:
    """Build the corpus of a recipe; a build that was stopped resumes.

    A complete corpus of the same recipe and files is left unchanged. Finished stages are kept in a folder
    beside ``out`` (``.NAME.building``) until the corpus is complete; then the folder is removed. The same
    recipe and files give the same bytes, however often the build was stopped and whatever runs its tasks.

    Parameters
    ----------
    recipe
        What to build from.
    out
        Destination of the artifact.
    runner
        Runs the tasks of a stage; in this process if not given.
    show
        Whether to show progress bars; by default where standard error is a terminal.
    overwrite
        Whether a corpus of another recipe or of other files may be replaced.

    Returns
    -------
    pathlib.Path
        The corpus, which :func:`budwood.corpus.sampling.store.open_corpus` opens.

    Raises
    ------
    BudwoodError
        If an input cannot be used, the output folder must not be replaced, the disk is full, or another
        process is building the same corpus.
    """
    given, out = out, Path(out).absolute()
    inputs = recipe.files()
    # Whether the corpus at hand is this one is known once its inputs are read.
    check_destination(given, inputs=inputs, overwrite=overwrite or _is_corpus(out))
    sources = open_assemblies(recipe)
    # Fails now rather than at the end if the tree lacks a species.
    species_weights(recipe, sources, {c.species: 1 for opened in sources for c in opened.contigs})
    digests = {path: sha256(path) for path in inputs}
    same = _is_of_recipe(recipe, out, list(digests.values()))
    if same and not verify_artifact(out):
        return out
    overwrite = overwrite or same
    check_destination(given, inputs=inputs, overwrite=overwrite)
    notes = check_sources(recipe, sources, digests)
    work = out.parent / f".{out.name}.building"
    with _own(work):
        build = _Build(recipe, sources, digests, notes, work, runner or LocalRunner(), show)
        build.run()
        build.publish(out, overwrite=overwrite)
        shutil.rmtree(work, ignore_errors=True)
    return out


class _Build:
    """One run through the stages; only its files persist."""

    def __init__(
        self,
        recipe: CorpusRecipe,
        sources: Sequence[OpenSource],
        digests: Mapping[Path, str],
        notes: Sequence[str],
        work: Path,
        runner: Runner,
        show: bool | None,
    ) -> None:
        self.recipe = recipe
        self.sources = list(sources)
        self.digests = digests
        self.notes = notes
        self.work = work
        self.runner = runner
        self.show = show

    def run(self) -> None:
        """Run all stages."""
        surveys, conclusions = self.survey()
        kept = [number for number, conclusion in enumerate(conclusions) if conclusion.used]
        self.surveys, self.conclusions, self.kept = surveys, conclusions, kept
        used = [self.sources[number] for number in kept]
        self.contigs = [(place, contig) for place, each in enumerate(used) for contig in each.contigs]
        self.species = list(dict.fromkeys(contig.species for _, contig in self.contigs))
        excess, self.masks = self.mask()
        self.groups = self.cut(excess)
        self.relate()
        self.write()

    def survey(self) -> tuple[list[AssemblyStats], list[FilterDecision]]:
        """Compute the statistics of every assembly and decide which are used."""
        found = self._per_group("survey", "reading assemblies", contig_stats, range(len(self.sources)))
        folders = iter(found.values())
        surveys = [read_assembly_stats([next(folders) for _ in opened.groups]) for opened in self.sources]
        facts = [
            AssemblyFacts(opened.source.species, opened.source.assembly, seen.contig_n50, seen.unknown_share)
            for opened, seen in zip(self.sources, surveys, strict=True)
        ]
        for opened, seen in zip(self.sources, surveys, strict=True):
            if opened.source.mask == "soft" and not is_informative(seen.lower_share):
                raise BudwoodError(
                    f"the soft mask of {opened.source.label} holds {seen.lower_share:.1%} of its bases",
                    where=self.recipe.name,
                    mend="leave mask out, or give a track of repeats",
                )
        return surveys, filter_assemblies(facts, self.recipe.filter)

    def mask(self) -> tuple[dict[str, Path], dict[int, MaskPlan]]:
        """Excess tracks by shard, and the mask plan of every assembly that is used."""
        scored = [number for number in self.kept if self._asked(number) != "none"]
        k = {number: kmer_length(self.surveys[number].bases) for number in scored}
        counts = self._per_group("kmers", "counting k-mers", count_group, scored, lambda n: {"k": k[n]})
        spectra = [
            Task(
                "spectrum",
                f"{number:04d}",
                add_counts,
                {name: path for name, path in counts.items() if name.startswith(f"{number:04d}-")},
                {"k": k[number]},
            )
            for number in scored
        ]
        spectrum = dict(zip(scored, self._stage("adding k-mers", spectra), strict=True))
        excess = self._per_group(
            "excess",
            "k-mer excess",
            excess_group,
            scored,
            lambda n: {"k": k[n], "gc_share": self.surveys[n].gc_share, "given": self._given(n)},
            lambda n, _: {"spectrum": spectrum[n]},
        )
        plans = calibrate([self._mask_facts(n, excess) for n in self.kept], self.recipe.mask.excess)
        return excess, dict(zip(self.kept, plans, strict=True))

    def cut(self, excess: dict[str, Path]) -> dict[str, Path]:
        """Cut every group of contigs into windows."""
        index = {(self.kept[at], contig.name): place for place, (at, contig) in enumerate(self.contigs)}
        names = {species: place for place, species in enumerate(self.species)}

        def parameters(number: int) -> dict[str, Any]:
            return {
                "given": self._given(number),
                "mask": self.masks[number].table(),
                "windows": asdict(self.recipe.windows),
            }

        def contigs(number: int, group: Sequence[SourceContig]) -> list[list[Any]]:
            return [[c.name, index[number, c.name], names[c.species]] for c in group]

        return self._per_group(
            "cut",
            "cutting windows",
            cut_group,
            self.kept,
            parameters,
            lambda n, shard: {"excess": excess[shard]} if shard in excess else {},
            contigs,
        )

    def relate(self) -> None:
        """Choose windows, drop near-duplicates, cluster, split and measure leakage."""
        recipe = self.recipe
        inputs = {f"group-{shard}": path for shard, path in sorted(self.groups.items())}
        chosen = {
            "sources": [int(shard.split("-")[0]) for shard in sorted(self.groups)],
            "limits": {str(number): self.sources[number].source.limit for number in self.kept},
            "windows": asdict(recipe.windows),
            "seed": recipe.seed,
        }
        self.selected = self._one("select", select_windows, inputs, chosen)
        if not len(np.load(self.selected / "windows.npy", mmap_mode="r")):
            raise BudwoodError(
                "no window of the genomes can be used",
                where=recipe.name,
                mend="lower shortest or raise max_unknown in [windows]",
            )
        found = {"selected": self.selected}
        dropped = {"duplicates": asdict(recipe.duplicates)}
        found["duplicates"] = deduplicate_in_parts(self._stage, self.selected, dropped)
        found["clusters"] = cluster_in_parts(self._stage, dict(found))
        split = {"split": asdict(recipe.split), "seed": recipe.seed}
        found["split"] = self._one("split", split_windows, found, split)
        self.leakage = leakage_in_parts(self._stage, dict(found))
        self.order = self._one("order", order_windows, found | inputs, {})
        self.related = found

    def write(self) -> None:
        """Write the shards, with tokens where the recipe has them."""
        recipe = self.recipe
        inputs = {f"group-{shard}": path for shard, path in self.groups.items()} | {"order": self.order}
        self.tokenizer: Path | None = None
        if recipe.tokens.kind != "base":
            sources = {"selected": self.selected, "order": self.order}
            parameters = {"tokens": asdict(recipe.tokens), "seed": recipe.seed}
            self.tokenizer = self._one("tokenizer", learn_tokens, sources, parameters)
            inputs["tokenizer"] = self.tokenizer
        count = len(np.load(self.order / "kept.npy", mmap_mode="r"))
        firsts = range(0, count, recipe.shards.windows)
        tasks = [
            Task(
                "shards",
                f"{number:05d}",
                write_shard,
                inputs,
                {
                    "first": first,
                    "last": min(count, first + recipe.shards.windows),
                    "length": recipe.windows.length,
                },
            )
            for number, first in enumerate(firsts)
        ]
        self.shards = self._stage("writing shards", tasks)

    def publish(self, out: Path, *, overwrite: bool) -> None:
        """Assemble the artifact from finished stages."""
        recipe = self.recipe
        built = Built(
            recipe,
            [self.sources[number] for number in self.kept],
            self.contigs,
            self.species,
            [
                (opened.source.label, survey, conclusion)
                for opened, survey, conclusion in zip(
                    self.sources, self.surveys, self.conclusions, strict=True
                )
            ],
            [self.masks[number] for number in self.kept],
            np.load(self.order / "windows.npy"),
            np.load(self.related["duplicates"] / "partner.npy"),
            np.load(self.selected / "windows.npy")["species"],
            self.notes,
        )
        with write_artifact(
            out,
            kind="corpus",
            inputs=recipe.files(),
            parameters={"recipe": recipe.table()},
            seeds={"recipe": recipe.seed},
            overwrite=overwrite,
        ) as draft:
            self._fill(draft)
            summary = summarise_corpus(built)
            draft.path(SUMMARY).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
            draft.metrics |= summary["totals"] | {"digest": _digest(draft.folder)}

    def _fill(self, draft: Draft) -> None:
        draft.path("shards").mkdir()
        for name in ("windows.npy", "loci.npy"):
            _link(self.order / name, draft.path(name))
        _link(self.leakage / _LEAKAGE, draft.path(_LEAKAGE))
        if self.tokenizer is not None:
            _link(self.tokenizer / "tokenizer.json", draft.path("tokenizer.json"))
        for folder in self.shards:
            for path in sorted(folder.glob("*.npy")):
                _link(path, draft.path(f"shards/{folder.name}.{path.name}"))

    def _asked(self, number: int) -> str:
        source = self.sources[number].source
        # Frequent k-mers in the genes of many species show conservation, not repeats.
        return "none" if source.collection and source.mask == "auto" else source.mask

    def _given(self, number: int) -> str:
        source, asked = self.sources[number].source, self._asked(number)
        if source.repeats and asked in ("auto", "track"):
            return "track"
        return "soft" if asked in ("auto", "soft") else "none"

    def _mask_facts(self, number: int, excess: dict[str, Path]) -> MaskFacts:
        source = self.sources[number].source
        histogram = np.zeros((2, 256), dtype=np.int64)
        for shard, path in excess.items():
            if shard.startswith(f"{number:04d}-"):
                histogram += np.load(path / "histogram.npy")
        return MaskFacts(self._asked(number), bool(source.repeats), source.repeat_share, histogram)

    def _per_group(
        self,
        stage: str,
        message: str,
        function: Any,
        numbers: Sequence[int],
        parameters: Any = lambda number: {},
        inputs: Any = lambda number, shard: {},
        contigs: Any = None,
    ) -> dict[str, Path]:
        """Run a stage with a task for each group of contigs; returns folders by shard."""
        files = {number: self.sources[number].inputs() for number in numbers}
        tasks = [
            Task(
                stage,
                _shard(number, part),
                function,
                files[number] | inputs(number, _shard(number, part)),
                {
                    "contigs": contigs(number, group) if contigs else [c.name for c in group],
                    "collection": self.sources[number].source.collection,
                    **parameters(number),
                },
                {name: self.digests[path] for name, path in files[number].items()},
            )
            for number in numbers
            for part, group in enumerate(self.sources[number].groups)
        ]
        return dict(zip([task.shard for task in tasks], self._stage(message, tasks), strict=True))

    def _one(self, stage: str, function: Any, inputs: dict[str, Path], parameters: dict[str, Any]) -> Path:
        """Run a stage with a single task."""
        return self._stage(stage, [Task(stage, "all", function, dict(inputs), parameters)])[0]

    def _stage(self, message: str, tasks: Sequence[Task]) -> list[Path]:
        with progress(message, total=len(tasks), show=self.show) as advance:
            return self.runner.run(tasks, self.work, advance)


def _shard(number: int, part: int) -> str:
    return f"{number:04d}-{part:05d}"


@contextmanager
def _own(work: Path) -> Iterator[None]:
    """Lock the work folder for this process."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work.with_suffix(".lock"))
        with lock.acquire(timeout=0):
            try:
                yield
            finally:
                # Without a finished task there is nothing to resume.
                if not any(work.glob(f"*/*/{SHARD_MANIFEST}")):
                    shutil.rmtree(work, ignore_errors=True)
                    work.with_suffix(".lock").unlink(missing_ok=True)
    except Timeout as error:
        raise BudwoodError(
            "this corpus is being built by another process",
            where=str(work),
            mend="wait for it, or choose another --out",
        ) from error
    except OSError as error:
        raise unwritable_stage(work, error) from error


def _is_corpus(out: Path) -> bool:
    """Whether the output folder is a corpus."""
    try:
        return bool(read_manifest(out)["kind"] == "corpus")
    except BudwoodError:
        return False


def _is_of_recipe(recipe: CorpusRecipe, out: Path, digests: list[str]) -> bool:
    """Whether the output folder is a corpus of this recipe and these files."""
    if not _is_corpus(out):
        return False
    manifest = read_manifest(out)
    same = manifest["parameters"].get("recipe") == json.loads(json.dumps(recipe.table()))
    return bool(same and [each["sha256"] for each in manifest["inputs"]] == digests)


def _link(source: Path, target: Path) -> None:
    """Make a hard link, or a copy where the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return files_digest(folder, [str(path.relative_to(folder)) for path in files])
