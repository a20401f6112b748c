"""What jobs can do: verbs of the command line, the files that they take and their options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Share = Annotated[float, Field(ge=0, le=1e12)]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]

#: Options whose name on the command line is not that of the field.
_SPELLED: Final[Mapping[str, str]] = MappingProxyType(
    {"marker_map": "map", "aliases": "alias", "quotas": "quota"}
)
#: Fields that are not options of the command.
_OTHERWISE: Final = ("verb", "save_as", "saved_model", "genome")


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
    aliases: dict[Text, Text] = Field(default_factory=dict)
    csv_dialect: Literal["csv", "excel", "excel-de"] = "csv"
    seed: Seed = 0
    save_as: ModelName | None = None
    genome: Text | None = None


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
    aliases: dict[Text, Text] = Field(default_factory=dict)
    seed: Seed = 0
    genome: Text | None = None


class Select(_Verb):
    """Choose the lines to phenotype next."""

    verb: Literal["select"]
    count: Count
    trait: Text | None = None
    group_column: Text | None = None
    quotas: dict[Text, Annotated[str, Field(pattern=r"^\d*:\d*$")]] = Field(default_factory=dict)
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
    aliases: dict[Text, Text] = Field(default_factory=dict)
    genome: Text | None = None


class Embed(_Verb):
    """Turn the sequences of a file into vectors."""

    verb: Literal["embed"]
    pool: Literal["mean", "centre"] = "mean"
    tiles: bool = False
    ploidy: Annotated[int, Field(ge=1, le=64)] | None = None
    aliases: dict[Text, Text] = Field(default_factory=dict)


Options = Annotated[Predict | Evaluate | Select | Apply | Embed, Field(discriminator="verb")]

_PANEL: Final = ("genotypes", "reference", "haplotypes", "marker_map", "ploidies")
_TRAITS: Final = ("phenotypes", "annotation", "marker_weights", "subgenomes", "environments", "covariates")
#: Files that each verb takes, by role; the first ones are needed.
ROLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "predict": (*_PANEL, *_TRAITS),
        "evaluate": (*_PANEL, *_TRAITS, "groups"),
        "select": ("genotypes", "phenotypes", "marker_map", "ploidies", "candidates", "groups", "costs"),
        "apply": _PANEL,
        "embed": ("fasta", "bed", "genotypes", "reference"),
    }
)
NEEDED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "predict": ("genotypes", "phenotypes"),
        "evaluate": ("genotypes", "phenotypes"),
        "select": ("genotypes",),
        "apply": ("genotypes",),
        "embed": (),
    }
)


def words_of(options: BaseModel, files: Mapping[str, str], *, model_folder: str | None = None) -> list[str]:
    """The command that a job runs, without ``budwood``.

    Every value stands behind its option and ``=``, so that none is taken for an option.

    Parameters
    ----------
    options
        One of the verbs.
    files
        Paths by role, relative to the folder of the job.
    model_folder
        Folder of the saved model that ``apply`` uses.

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
    words = [verb] + ([] if model_folder is None else [model_folder])
    words += [f"--{_spelled(role)}={PurePosixPath(path)}" for role, path in files.items()]
    for name, value in values.items():
        if name in _OTHERWISE:
            continue
        option = f"--{_spelled(name)}"
        if value is True:
            words.append(option)
        elif isinstance(value, dict):
            words += [f"{option}={key}={each}" for key, each in value.items()]
        elif isinstance(value, list):
            words.append(f"{option}={','.join(value)}")
        else:
            words.append(f"{option}={value}")
    if values.get("save_as"):
        words.append("--save-model=model")
    return [*words, "--out=result", "--json"]


def _spelled(name: str) -> str:
    return _SPELLED.get(name, name).replace("_", "-")
