"""The image files of a site, so that a draft shows none that is not there. Knows only the folder tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from blog_gen.config.settings import Settings

IMAGES = (".apng", ".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")


def image_files(settings: Settings) -> frozenset[str]:
    """Paths from the site's root, with `/`, of all images that Jekyll would publish."""
    return frozenset(_walk(settings.site, str(settings.jekyll.get("destination") or "_site")))


def _walk(site: Path, destination: str) -> Iterator[str]:
    for folder, names, files in os.walk(site):
        names[:] = [name for name in names if not name.startswith((".", "_")) and name != destination]
        names[:] = [name for name in names if name not in ("node_modules", "vendor")]
        for file in files:
            if file.lower().endswith(IMAGES):
                yield (Path(folder) / file).relative_to(site).as_posix()
