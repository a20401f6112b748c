"""Registration of the encoder with the auto classes of transformers.

Transformers knows a class once somebody has called ``register``. ``import budwood.model`` does so; it loads
torch and transformers anyway.
"""

from __future__ import annotations

from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

from budwood.model.encoder import BudwoodEncoder, BudwoodForMaskedLM
from budwood.model.encoder_config import BudwoodConfig


def register_with_transformers() -> None:
    """Let ``AutoConfig``, ``AutoModel`` and ``AutoModelForMaskedLM`` know the encoder.

    Calling it again changes nothing.

    Examples
    --------
    >>> from transformers import AutoConfig
    >>> register_with_transformers()
    >>> AutoConfig.for_model("budwood").embedding_size
    512
    """
    AutoConfig.register(BudwoodConfig.model_type, BudwoodConfig, exist_ok=True)
    AutoModel.register(BudwoodConfig, BudwoodEncoder, exist_ok=True)
    AutoModelForMaskedLM.register(BudwoodConfig, BudwoodForMaskedLM, exist_ok=True)
