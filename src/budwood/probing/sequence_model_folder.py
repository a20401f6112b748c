"""Fine-tuned encoders on disk: a checkpoint or an adapter, the head, and what it predicts.

``outputs.json``, version 1: ``{"format": 1, "way", "strand", "checkpoint": {"name", "digest"}, "names",
"classes", "centres", "scales"}``; ``head.safetensors`` holds the head. A fully fine-tuned encoder stands
beside them as a checkpoint (``config.json``, ``model.safetensors``), a low-rank one as an adapter of peft.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save_file

from budwood.artifacts import Draft, read_manifest, verify_artifact
from budwood.errors import BudwoodError
from budwood.model.adapters.adapter_folder import FINE_TUNED, load_adapters, write_adapter
from budwood.model.checkpoint import Checkpoint, load_checkpoint
from budwood.model.quiet import quiet_transformers
from budwood.model.tokenizer import save_tokenizer
from budwood.model.weights import read_tensors
from budwood.probing.sequence_models import FineTuning, SequenceModel
from budwood.training.finetuning.fit import read_network
from budwood.training.finetuning.outputs import Outputs
from budwood.training.finetuning.sequence_network import STRANDS, SequenceNetwork

FORMAT: Final = 1
_OUTPUTS: Final = "outputs.json"
_HEAD: Final = "head.safetensors"
_AGAIN: Final = "copy it again from its source, or fine-tune again"


@dataclass(frozen=True, kw_only=True, eq=False)
class FineTunedEncoder:
    """A fine-tuned encoder that was read from a folder.

    Attributes
    ----------
    network
        The encoder and its head, in evaluation mode.
    outputs
        What it predicts.
    checkpoint
        Name of the checkpoint it was fine-tuned from.
    """

    network: SequenceNetwork
    outputs: Outputs
    checkpoint: str

    def predict(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Predict sequences.

        Parameters
        ----------
        codes
            (rows, length) bases, padded on the right.

        Returns
        -------
        ndarray
            (rows, outputs): values, or probabilities of the classes.
        """
        return self.outputs.predictions(read_network(self.network, codes))


def write_sequence_model(
    draft: Draft, model: SequenceModel, outputs: Outputs, how: FineTuning, base: Checkpoint
) -> None:
    """Write a fine-tuned encoder into an artifact of kind ``fine-tuned``.

    Parameters
    ----------
    draft
        The artifact.
    model
        The fine-tuned encoder.
    outputs
        What it predicts.
    how
        How it was trained.
    base
        The checkpoint it was fine-tuned from.
    """
    network = model.network
    assert network is not None, "a fine-tuned encoder has a network"
    if model.adapted is not None:
        write_adapter(draft, model.adapted, "fine-tuned", how.low_rank, base)
    else:
        with quiet_transformers():
            network.encoder.save_pretrained(draft.folder)
        save_tokenizer(draft.folder)
    head = {name: value.detach().clone().contiguous() for name, value in network.head.state_dict().items()}
    save_file(head, draft.path(_HEAD))
    facts = {
        "format": FORMAT,
        "way": how.way,
        "strand": how.strand,
        "checkpoint": {"name": base.name, "digest": base.digest},
        "names": outputs.names,
        "classes": outputs.classes,
        "centres": outputs.centres,
        "scales": outputs.scales,
    }
    draft.path(_OUTPUTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def read_sequence_model(folder: Path, checkpoint: Checkpoint | None = None) -> FineTunedEncoder:
    """Read a fine-tuned encoder whose files are those that were written.

    Parameters
    ----------
    folder
        An artifact of kind ``fine-tuned``.
    checkpoint
        What a low-rank one was fine-tuned from; the packaged checkpoint where None.

    Returns
    -------
    FineTunedEncoder
        Ready to predict, on the processor.

    Raises
    ------
    BudwoodError
        If the folder holds none, a file of it is missing or changed, or the checkpoint is another one.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest["kind"] != FINE_TUNED:
        raise BudwoodError(
            f"this folder holds a result of kind {manifest['kind']!r}, not a fine-tuned encoder",
            where=str(folder),
            mend="give a folder that budwood finetune wrote",
        )
    problems = verify_artifact(folder)
    if problems:
        raise BudwoodError(
            f"the fine-tuned encoder is damaged: {problems[0]}", where=str(folder), mend=_AGAIN
        )
    facts = _facts(folder / _OUTPUTS)
    try:
        outputs = Outputs(
            names=tuple(facts["names"]),
            classes=tuple(facts["classes"]),
            centres=tuple(facts["centres"]),
            scales=tuple(facts["scales"]),
        )
        way, strand, base = facts["way"], facts["strand"], facts["checkpoint"]["name"]
        if way not in ("full", "low-rank") or strand not in STRANDS or not outputs.size:
            raise ValueError(way)
    except (KeyError, TypeError, ValueError) as error:
        raise BudwoodError(f"{_OUTPUTS} cannot be used", where=str(folder), mend=_AGAIN) from error
    if way == "full":
        encoder = load_checkpoint(folder, device="cpu").encoder
    else:
        encoder = load_adapters(checkpoint or load_checkpoint(device="cpu"), [folder]).encoder
    network = SequenceNetwork(encoder, outputs.size, strand=strand)
    network.head.load_state_dict(read_tensors(folder / _HEAD, network.head.state_dict(), mend=_AGAIN))
    return FineTunedEncoder(network=network.eval(), outputs=outputs, checkpoint=str(base))


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version = facts["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BudwoodError(f"{path.name} cannot be read", where=str(path.parent), mend=_AGAIN) from error
    if type(version) is not int or version > FORMAT:
        raise BudwoodError(
            f"the fine-tuned encoder has format {version!r}, this release reads up to {FORMAT}",
            where=str(path.parent),
            mend="update budwood",
        )
    return dict(facts)
