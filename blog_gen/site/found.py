"""Where a site's posts are: counted in every folder that may hold them, for `init` to say and choose."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.site.folder import post_files_in
from blog_gen.site.jekyll.places import HTML, collections_of, endings, place_of, posts_folders
from blog_gen.site.jekyll.visibility import Visibility

ALL_POSTS = "**/_posts"
AUTO = "auto"  # as `articles`: look for the posts at every call


@dataclass(frozen=True)
class Found:
    """How many posts Jekyll may build, by folder as seen from the site, most first."""

    counts: Mapping[str, int]
    taken: str  # what `articles` is to be

    @property
    def sentence(self) -> str:
        """What was found and what is taken, for a person."""
        if not self.counts:
            return "No posts found: neither in a `_posts` folder nor in a collection."
        posts = [
            f"{count} {'post' if count == 1 else 'posts'} in `{folder}`"
            for folder, count in self.counts.items()
        ]
        return f"{', '.join(posts)}; using `{self.taken}`."


def find_posts(settings: Settings) -> Found:
    """Count the posts in each folder, and take the fullest; all `_posts` together where there are several."""
    drafts = Path(settings.output).name.lstrip("_")
    labels = {"articles", *map(str, collections_of(settings))} - {"posts", drafts}
    others = [settings.collections_folder / f"_{label}" for label in sorted(labels)]
    posts = list(posts_folders(settings))
    counts = {_name(folder, settings): _count(folder, settings) for folder in (*posts, *others)}
    full = {name: count for name, count in sorted(counts.items(), key=lambda each: -each[1]) if count}
    if CONFIG_KEY in settings.jekyll and settings.articles != AUTO:
        return Found(full, settings.articles)
    in_posts = [name for name in full if Path(name).name == "_posts"]
    together = sum(full[name] for name in in_posts)
    fullest = max((count for name, count in full.items() if name not in in_posts), default=0)
    if together >= fullest:
        own = _name(settings.collections_folder / "_posts", settings)
        return Found(full, ALL_POSTS if in_posts[1:] else next(iter(in_posts), own))
    return Found(full, next(name for name in full if name not in in_posts))


def with_posts_found(settings: Settings) -> Settings:
    """`settings` with the folder that `articles: auto` stands for."""
    if settings.articles != AUTO:
        return settings
    return dataclasses.replace(settings, articles=find_posts(settings).taken)


def _name(folder: Path, settings: Settings) -> str:
    return os.path.relpath(folder, settings.site).replace(os.sep, "/")


def _count(folder: Path, settings: Settings) -> int:
    """The files in a folder that Jekyll reads, as far as their names say."""
    place, visibility = place_of(folder, settings), Visibility(settings, datetime.now(UTC))
    files = post_files_in([place], settings, endings(settings), HTML)
    return sum(not visibility.why_not_the_name(place, each.file.name) for each in files)
