"""The image files of a site, so that a draft shows none that is not there. Knows only the folder tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from blog_gen.config.settings import Settings

IMAGES = (".apng", ".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")
LIBRARIES = ("node_modules", "vendor")  # what Jekyll leaves out unless it is told otherwise


def image_files(settings: Settings) -> frozenset[str]:
    """Paths from Jekyll's `source:`, with `/`, of all images that it would publish."""
    return frozenset(_walk(settings.source_folder, os.path.abspath(settings.destination_folder)))


def _walk(source: Path, destination: str) -> Iterator[str]:
    for folder, names, files in os.walk(source):
        names[:] = [name for name in names if not name.startswith((".", "_")) and name not in LIBRARIES]
        names[:] = [name for name in names if os.path.abspath(os.path.join(folder, name)) != destination]
        for file in files:
            if file.lower().endswith(IMAGES):
                yield (Path(folder) / file).relative_to(source).as_posix()
