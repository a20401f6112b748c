"""A study of a BrAPI server as files: genotypes in VCF, phenotypes as a long table.

Accessions are called by their germplasm names, or by their ids where two share a name. The files are those of
any panel: ``predict`` reads them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from budwood.artifacts import write_artifact
from budwood.errors import BudwoodError, counted
from budwood.genomics.io.text.csv_writer import write_csv
from budwood.service.brapi.client import BrapiClient, Record, odd_answers_refused

_VCF_HEADER: Final = "##fileformat=VCFv4.3"


@dataclass
class _Calls:
    """Variants with the calls of each call set, gathered from the blocks of a matrix."""

    callsets: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, block: Mapping[str, Any]) -> None:
        """Add a block; a matrix has a row for each variant and a column for each call set."""
        matrices = [
            each for each in block.get("dataMatrices") or () if each.get("dataMatrixAbbreviation") == "GT"
        ]
        if not matrices:
            raise BudwoodError(
                "the allele matrix has no genotype calls (GT)", mend="choose a variant set with calls"
            )
        columns = [str(each) for each in block["callSetDbIds"]]
        self.callsets |= dict.fromkeys(columns)
        signs = _Signs.of(block)
        for variant, row in zip(block["variantDbIds"], matrices[0]["dataMatrix"], strict=True):
            texts = (signs.as_vcf(cell) for cell in row)
            self.calls.setdefault(str(variant), {}).update(zip(columns, texts, strict=True))


@dataclass(frozen=True)
class _Signs:
    """How a server writes calls."""

    phased: str
    unphased: str
    unknown: str

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> _Signs:
        """What a block says of its signs, with the specification's defaults."""
        return cls(
            block.get("sepPhased") or "|", block.get("sepUnphased") or "/", block.get("unknownString") or "."
        )

    def as_vcf(self, cell: object) -> str:
        """A call as a VCF has it: ``0/1``, ``1|0``, ``./.``."""
        text = "" if cell is None else str(cell)
        if text in ("", self.unknown):
            return "."
        phased = self.phased in text
        parts = text.split(self.phased if phased else self.unphased)
        written = ["." if part in ("", self.unknown) else part for part in parts]
        # A homozygous call may be written once where the server does not expand it.
        if len(written) == 1 and written[0] != ".":
            written *= 2
        return ("|" if phased else "/").join(written)


def read_study(
    client: BrapiClient,
    out: Path,
    *,
    study: str | None = None,
    variant_set: str | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write the genotypes and phenotypes of a study.

    Parameters
    ----------
    client
        Of the server.
    out
        Folder to write, an artifact: panel.vcf, phenotypes.csv, germplasm.csv (accession and its id).
    study
        Id of the study whose observations are read; no phenotypes where None.
    variant_set
        Id of the set whose calls are read; the only one of the study where None.
    overwrite
        Whether an earlier result in the folder may be replaced.

    Returns
    -------
    list of str
        What was read and assumed, a sentence each.

    Raises
    ------
    BudwoodError
        If the server lacks what is asked for, or the set is not clear.
    """
    parameters = {"server": client.url, "study": study, "variant_set": variant_set}
    with (
        odd_answers_refused(client),
        write_artifact(out, kind="brapi-study", parameters=parameters, overwrite=overwrite) as draft,
    ):
        chosen = variant_set or _only_set(client, study)
        gathered = _Calls()
        for block in client.allele_matrix(chosen):
            gathered.add(block)
        if not gathered.calls:
            raise BudwoodError(f"variant set {chosen} has no calls", mend="choose another one")
        germplasm = {str(each["germplasmDbId"]): each for each in client.records("germplasm")}
        names = _accession_names(germplasm.values())
        owners = _germplasm_of_callsets(client, chosen, germplasm)
        columns = {each: owners.get(each, each) for each in gathered.callsets}
        variants = {str(v["variantDbId"]): v for v in client.records("variants", variantSetDbId=chosen)}
        titles = [names.get(columns[each], columns[each]) for each in gathered.callsets]
        _write_vcf(draft.path("panel.vcf"), gathered, titles, variants)
        known = [[names.get(id, id), id] for id in dict.fromkeys(columns.values())]
        write_csv(draft.path("germplasm.csv"), ("accession", "germplasm_id"), known)
        notes = [
            f"{counted(len(gathered.calls), 'variant')} of {len(titles):,} call sets of variant set {chosen}."
        ]
        if study is not None:
            notes += _write_phenotypes(draft.path("phenotypes.csv"), client, study, names)
        draft.notes += tuple(notes)
    return notes


def _only_set(client: BrapiClient, study: str | None) -> str:
    found = [str(each["variantSetDbId"]) for each in client.records("variantsets", studyDbId=study)]
    if len(found) != 1:
        listed = ", ".join(found[:12]) or "none"
        raise BudwoodError("it is not clear which variant set is meant", mend=f"name one of: {listed}")
    return found[0]


def _accession_names(germplasm: Iterable[Record]) -> dict[str, str]:
    """Names by germplasm id; ids where a name is missing or not unique."""
    records = list(germplasm)
    often = Counter(str(each.get("germplasmName") or "") for each in records)
    names = {}
    for each in records:
        name, id = str(each.get("germplasmName") or ""), str(each["germplasmDbId"])
        names[id] = name if name and often[name] == 1 else id
    return names


def _germplasm_of_callsets(
    client: BrapiClient, variant_set: str, germplasm: Mapping[str, Record]
) -> dict[str, str]:
    """Germplasm ids of call sets: by their samples, else by the same name."""
    by_name = {str(each.get("germplasmName") or ""): id for id, each in germplasm.items()}
    callsets = list(client.records("callsets", variantSetDbId=variant_set))
    samples: dict[str, str] = {}
    if any(each.get("sampleDbId") for each in callsets):
        for sample in client.records("samples"):
            if sample.get("germplasmDbId"):
                samples[str(sample["sampleDbId"])] = str(sample["germplasmDbId"])
    owners = {}
    for each in callsets:
        by_sample = samples.get(str(each.get("sampleDbId")))
        owner = by_sample or by_name.get(str(each.get("callSetName") or ""))
        owners[str(each["callSetDbId"])] = owner or str(each.get("callSetName") or each["callSetDbId"])
    return owners


def _write_vcf(path: Path, gathered: _Calls, titles: Sequence[str], variants: Mapping[str, Record]) -> None:
    """Write calls in the order of the server; variants without a place stand on a contig of their own."""
    repeated = [name for name, count in Counter(titles).items() if count > 1]
    if repeated:
        raise BudwoodError(
            f"two call sets belong to accession {repeated[0]!r}", mend="choose a set with one call set each"
        )
    fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
    lines = [_VCF_HEADER, "\t".join([*fixed, *titles])]
    for number, (id, calls) in enumerate(gathered.calls.items(), start=1):
        about = variants.get(id, {})
        place = about.get("referenceName")
        start = about.get("start")
        contig = str(place) if place and start is not None else "unplaced"
        position = int(start) + 1 if place and start is not None else number
        names = about.get("variantNames") or [id]
        site = [
            *(contig, str(position), _word(names[0])),
            *(str(about.get("referenceBases") or "N"), _alternatives(about)),
            *(".", ".", ".", "GT"),
        ]
        lines.append("\t".join([*site, *(calls.get(each, ".") for each in gathered.callsets)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _alternatives(variant: Mapping[str, Any]) -> str:
    given = variant.get("alternateBases") or variant.get("alternate_bases") or ()
    return ",".join(str(each) for each in given) or "."


def _word(text: object) -> str:
    return "_".join(str(text).replace(";", "_").split()) or "."


def _write_phenotypes(path: Path, client: BrapiClient, study: str, names: Mapping[str, str]) -> list[str]:
    rows: list[list[str]] = []
    without = 0
    for each in client.records("observations", studyDbId=study):
        owner, value = str(each.get("germplasmDbId") or ""), each.get("value")
        if value in (None, "") or not owner:
            without += 1
            continue
        trait = each.get("observationVariableName") or each.get("observationVariableDbId")
        rows.append(
            [names.get(owner, str(each.get("germplasmName") or owner)), str(trait), study, str(value)]
        )
    if not rows:
        raise BudwoodError(f"study {study} has no observations with a value", mend="choose another study")
    write_csv(path, ("accession", "trait", "environment", "value"), rows)
    notes = [f"{len(rows):,} observations of study {study}."]
    if without:
        notes.append(f"{without:,} observations without a value or a germplasm were left out.")
    return notes
