"""What jobs can do: verbs of the command line, the files that they take and their options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from budwood.service.jobs.job_folder import RESULT, SCORED_FILE
from budwood.service.transfers.source_files import PANEL_ROLES, SOURCE_ROLES, source_words
from budwood.service.uploads import numbered_role

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Share = Annotated[float, Field(ge=0, le=1e12)]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
EntryName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
#: A command line has room for no more.
Aliases = Annotated[dict[Text, Text], Field(max_length=1000)]
Quota = Annotated[str, Field(pattern=r"^\d*:\d*$", max_length=40)]
Provenance = Literal["field", "controlled", "mixed"]
SourceProvenance = Literal["field", "controlled", "mixed", "unknown"]
#: Sources that a transfer may join.
_SOURCES: Final = 9
ScoreName = Literal["consequence", "kmer", "divergence", "shift", "likelihood"]

#: Options whose name on the command line is not that of the field.
_SPELLED: Final[Mapping[str, str]] = MappingProxyType(
    {"marker_map": "map", "aliases": "alias", "quotas": "quota", "next_lines": "next"}
)
#: Fields that are not options of the command: files of the service that a job reads through links.
_OTHERWISE: Final = ("verb", "save_as", "saved_model", "genome", "adapter")


class _Verb(BaseModel):
    """Options of any verb."""

    model_config = ConfigDict(extra="forbid")


class Predict(_Verb):
    """Rank accessions by their predicted values of a trait."""

    verb: Literal["predict"]
    trait: Text
    model: Text | None = None
    lower_is_better: bool = False
    marker_effects: bool = False
    subgenomes_by_name: bool = False
    accession_column: Text | None = None
    ploidy: Annotated[int, Field(ge=1, le=64)] | None = None
    aliases: Aliases = Field(default_factory=dict)
    csv_dialect: Literal["csv", "excel", "excel-de"] = "csv"
    seed: Seed = 0
    save_as: ModelName | None = None
    genome: Text | None = None
    adapter: EntryName | None = None


class Evaluate(_Verb):
    """Compare models on the same folds."""

    verb: Literal["evaluate"]
    trait: Text
    models: Annotated[list[Text], Field(max_length=20)] = Field(default_factory=list)
    scheme: Text = "random"
    folds: Annotated[int, Field(ge=2, le=1000)] | None = None
    repeats: Annotated[int, Field(ge=1, le=100)] = 5
    group_column: Text | None = None
    h2: Fraction | None = None
    lower_is_better: bool = False
    subgenomes_by_name: bool = False
    accession_column: Text | None = None
    ploidy: Annotated[int, Field(ge=1, le=64)] | None = None
    aliases: Aliases = Field(default_factory=dict)
    seed: Seed = 0
    genome: Text | None = None
    adapter: EntryName | None = None


class Select(_Verb):
    """Choose the lines to phenotype next."""

    verb: Literal["select"]
    count: Count
    trait: Text | None = None
    group_column: Text | None = None
    quotas: Annotated[dict[Text, Quota], Field(max_length=1000)] = Field(default_factory=dict)
    budget: Share | None = None
    criterion: Literal["cdmean", "pevmean"] = "cdmean"
    heritability: Fraction | None = None
    accession_column: Text | None = None
    ploidy: Annotated[int, Field(ge=1, le=64)] | None = None
    csv_dialect: Literal["csv", "excel", "excel-de"] = "csv"
    seed: Seed = 0


class Apply(_Verb):
    """Predict new lines with a saved trait model."""

    verb: Literal["apply"]
    saved_model: ModelName
    minimum_markers: Fraction = 0.1
    ploidy: Annotated[int, Field(ge=1, le=64)] | None = None
    aliases: Aliases = Field(default_factory=dict)
    genome: Text | None = None


class Embed(_Verb):
    """Turn the sequences of a file into vectors."""

    verb: Literal["embed"]
    pool: Literal["mean", "centre"] = "mean"
    tiles: bool = False
    ploidy: Annotated[int, Field(ge=1, le=64)] | None = None
    aliases: Aliases = Field(default_factory=dict)
    genome: Text | None = None
    adapter: EntryName | None = None


class ScoreVariants(_Verb):
    """Score the variants of a VCF by what the encoder reads in the genome."""

    verb: Literal["score-variants"]
    scores: Annotated[list[ScoreName], Field(max_length=5)] = Field(default_factory=list)
    aliases: Aliases = Field(default_factory=dict)
    seed: Seed = 0
    genome: Text | None = None


class Attribute(_Verb):
    """Split predictions into contributions of windows along the genome."""

    verb: Literal["attribute"]
    saved_model: ModelName | None = None
    trait: Text | None = None
    model: Text | None = None
    bases: Annotated[int, Field(ge=0, le=1000)] = 0
    permutations: Annotated[int, Field(ge=1, le=100_000)] = 999
    accession_column: Text | None = None
    ploidy: Annotated[int, Field(ge=1, le=64)] | None = None
    aliases: Aliases = Field(default_factory=dict)
    seed: Seed = 0
    genome: Text | None = None


class Adapt(_Verb):
    """Train an adapter of the encoder on a genome, or on the trait values of a panel."""

    verb: Literal["adapt"]
    trait: Text | None = None
    name: EntryName | None = None
    rank: Annotated[int, Field(ge=1, le=1024)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] = 0.04
    steps: Annotated[int, Field(ge=1, le=100_000)] = 200
    batch: Annotated[int, Field(ge=1, le=1024)] = 16
    passes: Annotated[int, Field(ge=1, le=1000)] = 4
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    held_out_share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    held_out_windows: Annotated[int, Field(ge=8, le=100_000)] = 256
    full_control: bool = False
    precision: Literal["bf16", "float32"] = "bf16"
    ploidy: Annotated[int, Field(ge=1, le=64)] | None = None
    aliases: Aliases = Field(default_factory=dict)
    seed: Seed = 0
    genome: Text | None = None


class TransferEvaluate(_Verb):
    """Measure what a source's trait says of a target's lines."""

    verb: Literal["transfer-evaluate"]
    trait: Text
    saved_model: ModelName | Annotated[list[ModelName], Field(max_length=_SOURCES)] | None = None
    source_trait: Text | Annotated[list[Text], Field(max_length=_SOURCES)] | None = None
    source_name: Text | Annotated[list[Text], Field(max_length=_SOURCES)] | None = None
    target_name: Text | None = None
    source_provenance: (
        SourceProvenance | Annotated[list[SourceProvenance], Field(max_length=_SOURCES)] | None
    ) = None
    target_provenance: Provenance | None = None
    reach: Annotated[int, Field(ge=0, le=100_000_000)] = 25_000
    sizes: Annotated[list[Annotated[int, Field(ge=0, le=1_000_000)]], Field(max_length=50)] = Field(
        default_factory=list
    )
    draws: Annotated[int, Field(ge=2, le=1000)] = 30
    next_lines: Annotated[int, Field(ge=0, le=1_000_000)] = 25
    seed: Seed = 0


Options = Annotated[
    Predict | Evaluate | Select | Apply | Embed | ScoreVariants | Attribute | Adapt | TransferEvaluate,
    Field(discriminator="verb"),
]

#: Words of the command, where they are not the verb itself.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"transfer-evaluate": ("transfer", "evaluate")}
)
#: How each command names a saved trait model; None where it is an argument.
_MODEL_OPTION: Final[Mapping[str, str | None]] = MappingProxyType(
    {"apply": None, "attribute": "model-folder", "transfer-evaluate": "source"}
)
#: Verbs whose command reads sequence with an encoder.
WITH_ENCODER: Final = frozenset(
    {"predict", "evaluate", "apply", "embed", "score-variants", "attribute", "adapt", "transfer-evaluate"}
)
#: What a command writes within the folder of the job: an artifact, or one file that stands for it.
_SCORED: Final = f"{RESULT}/{SCORED_FILE}"
_PANEL: Final = ("genotypes", "reference", "haplotypes", "marker_map", "ploidies")
_TRAITS: Final = (
    "phenotypes",
    "annotation",
    "marker_weights",
    "subgenomes",
    "environments",
    "covariates",
    "tracks",
)
_TARGET: Final = ("genotypes", "phenotypes", "reference", "map", "genes", "scores")
#: Files that each verb takes, by role.
ROLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "predict": (*_PANEL, *_TRAITS),
        "evaluate": (*_PANEL, *_TRAITS, "groups"),
        "select": ("genotypes", "phenotypes", "marker_map", "ploidies", "candidates", "groups", "costs"),
        "apply": _PANEL,
        "embed": ("fasta", "bed", "genotypes", "reference"),
        "score-variants": ("vcf", "reference", "annotation"),
        "attribute": (
            *("genotypes", "phenotypes", "reference", "haplotypes", "marker_map"),
            *("annotation", "regions"),
        ),
        "adapt": (
            *("reference", "annotation", "genotypes", "phenotypes", "haplotypes"),
            *("other", "other_annotation"),
        ),
        "transfer-evaluate": (
            *(f"target_{name}" for name in _TARGET),
            *PANEL_ROLES,
            *SOURCE_ROLES,
        ),
    }
)
#: Roles of which there may be several files: of several sources, and tracks.
_SEVERAL: Final = (*PANEL_ROLES, *SOURCE_ROLES, "tracks")
#: Options of sources, once for each.
_OF_SOURCES: Final = ("source_trait", "source_name", "source_provenance")
#: Files without which a verb cannot begin.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "predict": ("genotypes", "phenotypes"),
        "evaluate": ("genotypes", "phenotypes"),
        "select": ("genotypes",),
        "apply": ("genotypes",),
        "embed": (),
        "score-variants": ("vcf", "reference"),
        "attribute": ("genotypes",),
        "adapt": ("reference",),
        "transfer-evaluate": ("target_genotypes", "target_phenotypes"),
    }
)


def takes(verb: str, role: str) -> bool:
    """Whether a verb takes a file of a role.

    Parameters
    ----------
    verb
        Of the job.
    role
        As the client sends it, with its number where there are several.

    Returns
    -------
    bool
        False also of a number where the verb takes one file of the role.

    Examples
    --------
    >>> takes("predict", "tracks_2"), takes("predict", "genotypes_2"), takes("apply", "tracks")
    (True, False, False)
    """
    base, number = numbered_role(role)
    return base in ROLES[verb] and (number == 1 or base in _SEVERAL)


def saved_models(options: BaseModel) -> tuple[str, ...]:
    """Names of the saved trait models that a job reads.

    Parameters
    ----------
    options
        One of the verbs.

    Returns
    -------
    tuple of str
        Empty where it reads none.
    """
    named = getattr(options, "saved_model", None)
    return () if named is None else (named,) if isinstance(named, str) else tuple(named)


def words_of(
    options: BaseModel, files: Mapping[str, str], *, linked: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """The command that a job runs, without ``budwood``.

    Every value stands behind its option and ``=``, so that none is taken for an option.

    Parameters
    ----------
    options
        One of the verbs.
    files
        Paths by role, relative to the folder of the job.
    linked
        Folders of the service that the job reads: ``saved_model`` (with numbers where there are several),
        ``checkpoint`` and ``adapter``.

    Returns
    -------
    list of str
        Words; results go to ``result``, a model that is saved to ``model``.

    Examples
    --------
    >>> options = Select(verb="select", count=5, quotas={"north": "2:"})
    >>> words_of(options, {"genotypes": "inputs/panel.vcf"})
    ['select', '--genotypes=inputs/panel.vcf', '--count=5', '--quota=north=2:', '--out=result', '--json']
    """
    values: dict[str, Any] = options.model_dump(exclude_defaults=True, exclude_none=True)
    verb = str(values.pop("verb", None) or getattr(options, "verb"))  # noqa: B009
    words = list(_WORDS.get(verb, (verb,)))
    for name, path in linked.items():
        base = numbered_role(name)[0]
        option = _MODEL_OPTION[verb] if base == "saved_model" else base
        words.append(path if option is None else f"--{option}={path}")
    bases = {role: numbered_role(role)[0] for role in files}
    of_sources = {role: files[role] for role, base in bases.items() if base in (*PANEL_ROLES, *SOURCE_ROLES)}
    words += [
        f"--{_spelled(base)}={PurePosixPath(files[role])}"
        for role, base in bases.items()
        if role not in of_sources
    ]
    words += source_words(of_sources, models=len(saved_models(options)))
    for name, value in values.items():
        if name in _OTHERWISE:
            continue
        option = f"--{_spelled(name)}"
        if value is True:
            words.append(option)
        elif isinstance(value, dict):
            words += [f"{option}={key}={each}" for key, each in value.items()]
        elif isinstance(value, list) and name in _OF_SOURCES:
            words += [f"{option}={each}" for each in value]
        elif isinstance(value, list):
            words.append(f"{option}={','.join(map(str, value))}")
        else:
            words.append(f"{option}={value}")
    if values.get("save_as"):
        words.append("--save-model=model")
    return [*words, f"--out={_SCORED if verb == 'score-variants' else RESULT}", "--json"]


def _spelled(name: str) -> str:
    return _SPELLED.get(name, name).replace("_", "-")
