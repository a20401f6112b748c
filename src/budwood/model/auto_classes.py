"""Makes ``AutoConfig``, ``AutoModel`` and ``AutoModelForMaskedLM`` of transformers know Budwood's encoder.

Transformers has no entry points, so somebody has to register. ``import budwood`` must bring neither torch
nor transformers, so it leaves word instead: when transformers loads the module that holds its auto classes,
ours are registered right after; when it has loaded it already, at once. The configuration and the networks
wait for one module each, since transformers loads the first of them halfway through its own base classes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import MappingProxyType, ModuleType
from typing import Any, Final


def register_config() -> None:
    """Let ``AutoConfig`` know the encoder's configuration."""
    from transformers.models.auto.configuration_auto import AutoConfig

    from budwood.model.encoder_config import BudwoodConfig

    AutoConfig.register(BudwoodConfig.model_type, BudwoodConfig, exist_ok=True)


def register_networks() -> None:
    """Let ``AutoModel`` and ``AutoModelForMaskedLM`` know the encoder."""
    from transformers.models.auto.modeling_auto import AutoModel, AutoModelForMaskedLM

    from budwood.model.encoder import BudwoodEncoder, BudwoodForMaskedLM
    from budwood.model.encoder_config import BudwoodConfig

    AutoModel.register(BudwoodConfig, BudwoodEncoder, exist_ok=True)
    AutoModelForMaskedLM.register(BudwoodConfig, BudwoodForMaskedLM, exist_ok=True)


_AFTER: Final = MappingProxyType(
    {
        "transformers.models.auto.configuration_auto": register_config,
        "transformers.models.auto.modeling_auto": register_networks,
    }
)


def register_with_transformers() -> None:
    """Register now what transformers has loaded, and the rest as soon as it loads it."""
    for module, register in _AFTER.items():
        if module in sys.modules:
            register()
        else:
            sys.meta_path.insert(0, _Once(module, register))


class _Once:
    """Import finder that calls a function after one module's first import, then stands aside."""

    def __init__(self, module: str, then: Callable[[], None]) -> None:
        self._module = module
        self._then = then

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, whose loader calls the function when the module is complete."""
        if name != self._module:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def execute_and_tell(module: ModuleType) -> None:
                execute(module)
                self._then()

            loader.exec_module = execute_and_tell
        return spec
