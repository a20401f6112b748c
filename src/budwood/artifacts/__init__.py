"""Artifacts: folders with a manifest, written whole or not at all, and checked."""

from budwood.artifacts.artifact import Draft, write_artifact
from budwood.artifacts.destination import check_apart, check_destination
from budwood.artifacts.drafts import remove_folder
from budwood.artifacts.manifest import (
    MANIFEST,
    SCHEMA_VERSION,
    files_digest,
    inner_artifacts,
    library_versions,
    read_manifest,
    sha256,
    unlisted_names,
)
from budwood.artifacts.signals import stop_on_signals
from budwood.artifacts.verification import require_unchanged, verification_notes, verify_artifact

__all__ = [
    "MANIFEST",
    "SCHEMA_VERSION",
    "Draft",
    "check_apart",
    "check_destination",
    "files_digest",
    "inner_artifacts",
    "library_versions",
    "read_manifest",
    "remove_folder",
    "require_unchanged",
    "sha256",
    "stop_on_signals",
    "unlisted_names",
    "verification_notes",
    "verify_artifact",
    "write_artifact",
]
