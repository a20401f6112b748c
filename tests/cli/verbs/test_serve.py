"""The keys of the service on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_keys_are_made_listed_and_revoked(run: Callable[..., Any], tmp_path: Path) -> None:
    folder = ("--folder", tmp_path / "service")
    made = run("serve", "keys", "add", "Potato programme", "--scope", "jobs", "--json", *folder)
    assert made.code == 0
    secret = json.loads(made.out)["key"]
    listed = run("serve", "keys", "list", "--json", *folder)
    (key,) = json.loads(listed.out)["keys"]
    assert (key["name"], key["scopes"], key["revoked"]) == ("Potato programme", ["jobs"], None)
    assert secret not in listed.out
    assert run("serve", "keys", "revoke", "Potato programme", *folder).code == 0
    assert "revoked 2" in run("serve", "keys", "list", *folder).out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("keys", "add", "x", "--scope", "everything"), "there is no scope 'everything'"),
        (("keys", "add", "x", "--rate", "often"), "'often' is no limit"),
        (("keys", "add", "../x"), "cannot be the name of a key"),
        (("keys", "revoke", "nobody"), "there is no key 'nobody'"),
        (("--rate", "often"), "'often' is no limit"),
    ],
)
def test_what_cannot_be_is_refused(
    run: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    folder = ("--folder", str(tmp_path))
    ran = run("serve", *words, *folder)
    assert ran.code == 2
    assert sentence in ran.err


def test_a_name_is_used_once(run: Callable[..., Any], tmp_path: Path) -> None:
    words = ("serve", "keys", "add", "x", "--folder", tmp_path)
    assert run(*words).code == 0
    again = run(*words)
    assert again.code == 2
    assert "there is a key 'x' already" in again.err
