"""Whether the files that may be posts are as they were: one hash over all of them.

Knows paths, bytes and the settings that hide posts; nothing of what a post says.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress

from blog_gen.config.settings import STAT_CACHE_FILE, Settings
from blog_gen.site.folder import LeftOut, content_of, post_files
from blog_gen.site.jekyll.places import HTML, endings, places_of
from blog_gen.site.jekyll.visibility import DECIDING
from blog_gen.statcache import StatCache


def look_at(settings: Settings) -> StatCache:
    """One look at the files that may be posts or drafts, to be shared by what is asked at one moment."""
    return StatCache(settings.state_folder / STAT_CACHE_FILE, (*endings(settings), *HTML))


def fingerprint(settings: Settings, look: StatCache | None = None) -> str:
    """SHA-256, in hexadecimal, over the path and the bytes of every file that may be a post.

    The same as long as no post is added, changed, moved, excluded or removed, and no setting of Jekyll's
    changes that hides posts. No YAML of a post is parsed, and one that blog-gen wrote changes nothing. Files
    are only read where their sizes or times changed since the last time.

    Args:
        look: None for a new one.

    Raises:
        ArticleError: there is no articles folder.
    """
    places = places_of(settings)
    where = [(os.path.relpath(place.folder, settings.site), place.kind) for place in places]
    depends_on = (os.path.realpath(settings.site), where, settings.language, settings.jekyll)
    look, folders = look or look_at(settings), [place.folder for place in places]
    found: str = look.kept("fingerprint", folders, depends_on, lambda: _fingerprint(settings))
    return found


def _fingerprint(settings: Settings) -> str:
    decide = {key: settings.jekyll[key] for key in DECIDING if key in settings.jekyll}
    said = json.dumps([decide, settings.language], sort_keys=True, default=str, skipkeys=True)
    digest = hashlib.sha256(said.encode(errors="backslashreplace"))
    for post_file in post_files(settings):
        with suppress(LeftOut):
            data = content_of(post_file.file, post_file.homes)
            if data is not None:
                digest.update(f"{post_file.path.as_posix()}\0{len(data)}\0".encode())
                digest.update(data)
    return digest.hexdigest()
