"""The encoder, its tokenizer, and the folders that hold them.

Importing this package registers the encoder with transformers: ``AutoConfig``, ``AutoModel`` and
``AutoModelForMaskedLM`` then open Budwood's folders. ``AutoTokenizer`` opens them without it.
"""

from budwood.model.auto_classes import register_with_transformers

register_with_transformers()
