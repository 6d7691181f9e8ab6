"""What a site's `_config.yml` lacks for blog-gen, as YAML to add to it.

Knows Jekyll's settings, as data; nothing of the text they are written in. Whatever is there is left as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from blog_gen.config.layers import as_mapping
from blog_gen.config.loading import config_files_in
from blog_gen.config.settings import CONFIG_KEY, STATE_FOLDER, Settings
from blog_gen.errors import ArticleError, Note
from blog_gen.site.articles import read_articles
from blog_gen.site.publishing import defaults_for, defaults_of

PERMALINK = "/:collection/:year/:month/:day/:title/"
# Jekyll 4 appends a site's `exclude` to these, Jekyll 3 takes it in their place: they must be said again.
_JEKYLL_EXCLUDES = """\
- Gemfile  # from here on what Jekyll leaves out anyway; Jekyll 3 does so only if there is no list of yours
- Gemfile.lock
- node_modules
- vendor/bundle/
- vendor/cache/
- vendor/gems/
- vendor/ruby/
"""

_KEY_BLOCK = """\
{key}:
  {model}  # the base that learns your voice: mini | 124M … 1558M | smollm2 | OWNER/NAME | a folder
  articles: {articles}  # where your posts are; what blog-gen writes is never learned from
  output: {output}  # where drafts are written
  posts_per_day: 1  # how many drafts a day
  candidates: 8  # how many are sampled for each draft; the best is kept
  review: required  # a draft stays hidden until you approve it; auto publishes what passes every check
"""
_TO_POSTS = "  publish: _posts  # an approved draft goes to your posts: into their index, feed and archive\n"
_ANY_POST = "2000-01-01-a.md"
_OF_EACH = ("permalink", "published", "date")  # of which drafts have their own


@dataclass(frozen=True)
class Addition:
    """YAML lines to add at `parent` in the site's settings, and why."""

    parent: tuple[str, ...]
    block: str
    why: str


def config_additions(
    settings: Settings, articles: str, output: str, model: str | None = None
) -> tuple[list[Addition], list[Note]]:
    """What is to be added, for posts in `articles` and drafts in `output`, and what a person must know.

    Args:
        model: the base that a person chose; None: the default, which is not written as a choice.
    """
    jekyll, path = settings.jekyll, settings.site / config_files_in(settings.site)[-1]
    additions: list[Addition] = []
    notes: list[Note] = []
    if (settings.site / articles).is_dir():
        additions += _articles_collection(_collection_of(articles, jekyll), jekyll)
    label = _collection_of(output, jekyll)
    if label:
        additions += _collection(label, jekyll, path, notes)
        additions += _default_values(label, articles, output, settings)
    elif PurePosixPath(output).name not in ("_posts", "_drafts"):
        notes.append(
            Note(path, f"Jekyll does not build `{output}`", f"name a _folder as `{CONFIG_KEY}.output`")
        )
    additions += _exclude(jekyll)
    if CONFIG_KEY not in jekyll:
        chosen = f"model: {model}" if model else "# model: mini"
        block = _KEY_BLOCK.format(key=CONFIG_KEY, articles=_quoted(articles), output=output, model=chosen)
        block += _TO_POSTS if articles.endswith("_posts") else ""
        additions.append(Addition((), block, "blog-gen's own settings"))
    if not jekyll.get("timezone"):
        action = (
            "each machine's own is used, which on GitHub is UTC; set it, for example: timezone: Europe/London"
        )
        notes.append(Note(path, "the day of a post depends on the time zone", action))
    return additions, notes


def _quoted(articles: str) -> str:
    return f'"{articles}"' if "*" in articles else articles


def _collection_of(output: str, jekyll: Mapping[str, Any]) -> str | None:
    """The label of the collection kept in the folder `output`, if Jekyll would look for one there."""
    folder = PurePosixPath(output)
    root = PurePosixPath(str(jekyll.get("source") or ""), str(jekyll.get("collections_dir") or "").strip("/"))
    is_collection = folder.parent == root and folder.name.startswith("_")
    return folder.name[1:] if is_collection and folder.name not in ("_posts", "_drafts") else None


def _articles_collection(label: str | None, jekyll: Mapping[str, Any]) -> list[Addition]:
    """The collection that your articles are, where nothing is said of it: Jekyll would not build them."""
    if label is None or label in (jekyll.get("collections") or ()):
        return []
    return [Addition(("collections", label), "output: true\n", f"a collection for your articles: {label}")]


def _collection(label: str, jekyll: Mapping[str, Any], path: Path, notes: list[Note]) -> list[Addition]:
    there = as_mapping(as_mapping(jekyll.get("collections")).get(label))
    if there.get("output") is False:
        notes.append(Note(path, f"`collections.{label}.output` is false", "approved posts will not be built"))
    wanted = {"output": "true", "permalink": PERMALINK}
    block = "".join(f"{key}: {value}\n" for key, value in wanted.items() if key not in there)
    why = f"a collection for drafts, with dates in its addresses: {label}"
    return [Addition(("collections", label), block, why)] if block else []


def _default_values(label: str, articles: str, output: str, settings: Settings) -> list[Addition]:
    """The values that `defaults` give the articles (their layout above all), given to the drafts too."""
    defaults = settings.jekyll.get("defaults")
    scopes = [as_mapping(as_mapping(entry).get("scope")) for entry in _list(defaults)]
    if not scopes or any(scope.get("type") == label for scope in scopes):
        return []
    there = defaults_for(settings.site / output / _ANY_POST, settings)
    values = {
        key: value
        for key, value in _given_to_most(articles, settings).items()
        if key not in _OF_EACH and (key not in there or there[key] != value)
    }
    if not values:
        return []
    own = [{"scope": {"path": "", "type": label}, "values": values}]
    block = yaml.safe_dump(own, sort_keys=False, allow_unicode=True)
    return [Addition(("defaults",), block, "drafts look like your articles")]


def _given_to_most(articles: str, settings: Settings) -> dict[str, Any]:
    """What `defaults` give to more than half of the posts that a visitor may see.

    A site gives its folders, languages and years different values, which are not to be mixed. Where there
    is no post yet, what the first one would be given.
    """
    read = replace(settings, articles=articles, strict=False)
    try:
        paths = [settings.site / article.path for article in read_articles(read).articles]
    except ArticleError:
        folder = settings.collections_folder / "_posts" if "*" in articles else settings.site / articles
        paths = [folder / _ANY_POST]
    given = defaults_of(paths, settings)
    counts = Counter(repr(pair) for values in given for pair in values.items())
    pairs = {repr(pair): pair for values in given for pair in values.items()}
    return dict(pair for said, pair in pairs.items() if 2 * counts[said] > len(paths))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _exclude(jekyll: Mapping[str, Any]) -> list[Addition]:
    there = jekyll.get("exclude")
    if isinstance(there, list) and STATE_FOLDER in {str(item).strip("/") for item in there}:
        return []
    block = f"- {STATE_FOLDER}/\n" + ("" if "exclude" in jekyll else _JEKYLL_EXCLUDES)
    return [Addition(("exclude",), block, "Jekyll leaves blog-gen's own files alone")]
