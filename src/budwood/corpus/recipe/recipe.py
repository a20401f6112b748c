"""Recipes of corpora in TOML: the genomes, and the settings of each stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from budwood.corpus.recipe.recipe_table import (
    build_table,
    check_nothing_left,
    expanded,
    read_tables,
    take_entries,
)
from budwood.corpus.similarity.minhash import WIDEST
from budwood.errors import BudwoodError

_MASKS: Final = ("auto", "soft", "track", "kmers", "none")
_METHODS: Final = ("tree", "lineage", "equal", "size")
_TOKENS: Final = ("base", "kmer", "bpe")


@dataclass(frozen=True)
class AssemblySource:
    """One FASTA file of a recipe and its properties; ``$VARIABLES`` in paths are expanded.

    Attributes
    ----------
    species
        Species, or the name of the collection.
    fasta, annotation, repeats
        Genome; genes (GFF3, GTF, BED12); repeats (BED, GFF3).
    assembly
        Name of the assembly, required where a species has several.
    collection, species_table
        Whether the sequences come from many species, and the table with the species of each
        (:func:`budwood.genomics.io.tables.species_table.read_species_table`); without a table the whole file
        counts as one species.
    exclude
        Patterns (``Oryza *``) of sequence or species names to leave out.
    taxonomy_id, lineage, ploidy, subgenomes
        NCBI taxonomy id; ranks from the widest to the genus; copies of the genome; patterns of contig
        names by subgenome.
    mask, repeat_share
        Origin of the repeat mask (``auto``: the track, else the soft mask, else k-mers), and the share of
        bases to which it is adjusted (0: determined by the common scale).
    share
        Share of training windows (0: determined by the taxonomic balance).
    limit
        Largest number of windows, drawn at random before near-duplicates are dropped; 0 for all.
    """

    species: str
    fasta: str
    annotation: str = ""
    repeats: str = ""
    assembly: str = ""
    collection: bool = False
    species_table: str = ""
    exclude: tuple[str, ...] = ()
    taxonomy_id: int = 0
    lineage: tuple[str, ...] = ()
    ploidy: int = 2
    subgenomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mask: str = "auto"
    repeat_share: float = 0.0
    share: float = 0.0
    limit: int = 0

    @property
    def label(self) -> str:
        """Species and assembly, for messages and file names."""
        return f"{self.species} {self.assembly}".strip()

    def path(self, name: str) -> Path:
        """Path of a file of the source, with environment variables expanded.

        Parameters
        ----------
        name
            The path as the recipe gives it.

        Returns
        -------
        pathlib.Path
            The expanded path.
        """
        return expanded(name, self.label)


@dataclass(frozen=True)
class FilterConfig:
    """Thresholds below which assemblies are left out.

    Attributes
    ----------
    min_n50
        Smallest contig N50 in bases.
    max_unknown
        Largest share of N.
    """

    min_n50: int = 50_000
    max_unknown: float = 0.5


@dataclass(frozen=True)
class WindowConfig:
    """How contigs are cut into windows.

    Attributes
    ----------
    length
        Bases of a window. Training crops its windows out of these, so it may be a multiple of theirs.
    promoter, flank
        Bases before and after a gene that count as its surroundings.
    random_per_genic
        Windows drawn elsewhere for each window of genes and their surroundings; all without an annotation.
    max_unknown
        Largest share of N in a window.
    shortest
        Smallest number of bases of the last window of a stretch; the rest of the window is N.
    """

    length: int = 960
    promoter: int = 1000
    flank: int = 200
    random_per_genic: float = 1.0
    max_unknown: float = 0.2
    shortest: int = 256


@dataclass(frozen=True)
class MaskConfig:
    """Settings of repeat masking.

    Attributes
    ----------
    excess
        Excess of k-mers in bits above which a base is a repeat if no genome has a mask.
    """

    excess: float = 1.5


@dataclass(frozen=True)
class DuplicateConfig:
    """Settings of near-duplicate removal.

    Attributes
    ----------
    drop
        Whether near-duplicates are dropped.
    min_identity, min_coverage
        Smallest identity, over this share of the window, of a near-duplicate.
    """

    drop: bool = True
    min_identity: float = 0.85
    min_coverage: float = 0.4


@dataclass(frozen=True)
class SplitConfig:
    """Settings of the split into training and validation.

    Attributes
    ----------
    validation
        Share of every species' windows for validation.
    largest_cluster
        Largest homology cluster that may be used for validation, as a share of all windows.
    """

    validation: float = 0.03
    largest_cluster: float = 0.002


@dataclass(frozen=True)
class BalanceConfig:
    """Source of the species' weights.

    Attributes
    ----------
    method
        ``tree`` (a Newick file), ``lineage``, ``equal`` or ``size``.
    tree
        Path of the tree for ``tree``.
    """

    method: str = "lineage"
    tree: str = ""


@dataclass(frozen=True)
class TokenConfig:
    """Tokens to store beside the bases.

    Attributes
    ----------
    kind
        ``base`` for none; ``kmer`` or ``bpe``, which need the library tokenizers.
    k
        Length of the k-mers.
    vocabulary
        Size of the vocabulary of byte-pair encoding.
    """

    kind: str = "base"
    k: int = 6
    vocabulary: int = 4096


@dataclass(frozen=True)
class ShardConfig:
    """Sizes of shards.

    Attributes
    ----------
    windows
        Windows in each shard of the corpus.
    megabases
        Megabases in each shard of the earlier stages.
    """

    windows: int = 16_384
    megabases: int = 32


@dataclass(frozen=True)
class CorpusRecipe:
    """Everything that determines a corpus, apart from the files and the code.

    Attributes
    ----------
    name
        Name of the corpus.
    seed
        Determines everything random.
    sources
        Assemblies and collections.
    filter, windows, mask, duplicates, split, balance, tokens, shards
        Settings of each stage.
    """

    name: str
    seed: int
    sources: tuple[AssemblySource, ...]
    filter: FilterConfig = FilterConfig()
    windows: WindowConfig = WindowConfig()
    mask: MaskConfig = MaskConfig()
    duplicates: DuplicateConfig = DuplicateConfig()
    split: SplitConfig = SplitConfig()
    balance: BalanceConfig = BalanceConfig()
    tokens: TokenConfig = TokenConfig()
    shards: ShardConfig = ShardConfig()

    def files(self) -> list[Path]:
        """List all files of the corpus, each once.

        Returns
        -------
        list of pathlib.Path
            The paths.
        """
        named = [
            source.path(name)
            for source in self.sources
            for name in (source.fasta, source.annotation, source.repeats, source.species_table)
            if name
        ]
        if self.balance.tree:
            named.append(expanded(self.balance.tree, "balance"))
        return list(dict.fromkeys(named))

    def table(self) -> dict[str, Any]:
        """Convert to plain values, for manifests.

        Returns
        -------
        dict
            Field names and values.
        """
        return asdict(self)


@dataclass(frozen=True)
class Head:
    """Keys outside the tables of a recipe.

    Attributes
    ----------
    name
        Name of the corpus; the name of the file by default.
    seed
        Determines everything random.
    """

    name: str = ""
    seed: int = 0


def read_corpus_recipe(path: Path) -> CorpusRecipe:
    """Read a recipe.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    CorpusRecipe
        The recipe, checked.

    Raises
    ------
    BudwoodError
        If the file is missing or is not TOML, a table or key does not exist, a value is out of range, or two
        species have the same name.
    """
    table, where = read_tables(path), str(path)
    sources = [build_table(AssemblySource, entry, where) for entry in take_entries(table, "assembly", where)]
    sources += [
        build_table(AssemblySource, {**entry, "collection": True}, where)
        for entry in take_entries(table, "collection", where)
    ]
    parts: dict[str, Any] = asdict(
        build_table(Head, {key: table.pop(key) for key in ("name", "seed") if key in table}, where)
    )
    parts["name"] = parts["name"] or Path(path).stem
    for each in fields(CorpusRecipe)[3:]:
        parts[each.name] = build_table(type(each.default), table.pop(each.name, {}), where)
    check_nothing_left(table, where)
    recipe = CorpusRecipe(sources=tuple(sources), **parts)
    _check(recipe, where)
    return recipe


def _check(recipe: CorpusRecipe, where: str) -> None:
    sources, windows = recipe.sources, recipe.windows
    open_shares = [s for s in sources if not s.share]
    checks = (
        (sources, "the recipe names no genome", "add an [[assembly]]"),
        (
            all(s.species.strip() and s.fasta for s in sources),
            "a source lacks its name",
            "fill in species and fasta",
        ),
        (all(s.mask in _MASKS for s in sources), "unknown mask", f"choose from {', '.join(_MASKS)}"),
        (all(s.repeats for s in sources if s.mask == "track"), "mask 'track' without repeats", "name it"),
        (
            all(s.ploidy >= len(s.subgenomes) for s in sources),
            "more subgenomes than ploidy",
            "correct ploidy",
        ),
        (sum(s.share for s in sources) <= 1, "the shares are more than 1 in sum", "lower them"),
        (
            sum(s.share for s in sources) < 1 or not open_shares,
            "the shares leave nothing for the others",
            "lower them",
        ),
        (recipe.balance.method in _METHODS, "unknown balance", f"choose from {', '.join(_METHODS)}"),
        (
            recipe.balance.method != "tree" or recipe.balance.tree,
            "balance by tree without one",
            "name the tree",
        ),
        (recipe.tokens.kind in _TOKENS, "unknown tokens", f"choose from {', '.join(_TOKENS)}"),
        (windows.shortest <= windows.length, "shortest must lie within length", "correct [windows]"),
        (windows.length <= WIDEST, f"windows may be at most {WIDEST} bases long", "lower length"),
    )
    for sound, what, mend in checks:
        if not sound:
            raise BudwoodError(what, where=where, mend=mend)
    _check_ranges(recipe, where)
    _check_names(sources, where)
    _check_lineages(recipe, where)


def _check_ranges(recipe: CorpusRecipe, where: str) -> None:
    """Check that every number lies in its range."""
    shares = ((recipe.filter, "max_unknown"), (recipe.windows, "max_unknown"), (recipe.split, "validation"))
    ranges: list[tuple[Any, str, float, float]] = [
        (recipe, "seed", 0, 2**63 - 1),
        *((source, "repeat_share", 0, 0.999) for source in recipe.sources),
        *((source, "share", 0, 1) for source in recipe.sources),
        *((source, "ploidy", 1, 64) for source in recipe.sources),
        *((source, "taxonomy_id", 0, 2**31) for source in recipe.sources),
        *((source, "limit", 0, 2**31) for source in recipe.sources),
        *((config, name, 0, 0.999) for config, name in shares),
        (recipe.filter, "min_n50", 0, 2**40),
        (recipe.windows, "shortest", 1, WIDEST),
        *((recipe.windows, name, 0, 2**20) for name in ("promoter", "flank")),
        (recipe.windows, "random_per_genic", 0, 1e6),
        (recipe.mask, "excess", -8, 24),
        *((recipe.duplicates, name, 0.01, 1) for name in ("min_identity", "min_coverage")),
        (recipe.split, "largest_cluster", 0, 1),
        (recipe.tokens, "k", 1, 8),
        (recipe.tokens, "vocabulary", 8, 2**16),
        (recipe.shards, "windows", 1, 2**24),
        (recipe.shards, "megabases", 1, 2**20),
    ]
    for holder, name, least, most in ranges:
        value = getattr(holder, name)
        if not least <= value <= most:
            raise BudwoodError(
                f"{name} is {value}", where=where, mend=f"give a number from {least} to {most}"
            )


def _check_lineages(recipe: CorpusRecipe, where: str) -> None:
    """Check that all species or none have a lineage if the balance is by lineage."""
    pool = [s for s in recipe.sources if not (s.share or s.collection)]
    without = [s for s in pool if not s.lineage]
    if recipe.balance.method == "lineage" and 0 < len(without) < len(pool):
        raise BudwoodError(
            f"{without[0].label} has no lineage, as others have",
            where=where,
            mend="add its ranks as lineage = [...], or choose another [balance] method",
        )


def _check_names(sources: tuple[AssemblySource, ...], where: str) -> None:
    """Check that a species that is listed twice has two named assemblies with the same properties."""
    seen: dict[str, list[AssemblySource]] = {}
    for source in sources:
        seen.setdefault(" ".join(source.species.lower().replace("_", " ").split()), []).append(source)
    for same in seen.values():
        first = same[0]
        facts = {(s.species, s.taxonomy_id, s.lineage, s.ploidy, s.collection) for s in same}
        names = {s.assembly for s in same}
        if len(facts) > 1 or len(names) < len(same) or (len(same) > 1 and "" in names):
            raise BudwoodError(
                f"two species are called {first.species!r}",
                where=where,
                mend="rename one; two assemblies of one species each need a name as assembly = '...'",
            )
