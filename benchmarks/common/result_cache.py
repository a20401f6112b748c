"""Cache in a JSON file for results that do not depend on the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


class ResultCache:
    """Results by a key that names everything they depend on; without a path nothing is stored."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._found: dict[str, Any] = {}
        if path is not None and path.is_file():
            self._found = json.loads(path.read_text(encoding="utf-8"))

    def get(self, key: str, compute: Callable[[], Any]) -> Any:
        """The stored result, or the computed one, which is then stored."""
        if key not in self._found:
            self._found[key] = compute()
            if self._path is not None:
                fresh = self._path.with_suffix(".part")
                fresh.write_text(json.dumps(self._found), encoding="utf-8")
                fresh.replace(self._path)
        return self._found[key]
