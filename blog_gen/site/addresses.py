"""The address at which Jekyll puts a post: its permalink's placeholders filled in. Knows no files.

Jekyll's `lib/jekyll/url.rb`, `drops/url_drop.rb` and `configuration.rb` are the source of the rules; a test
compares the answers with what the real Jekyll builds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from blog_gen.config.settings import Settings
from blog_gen.site import dates
from blog_gen.site.slugs import slugify

_STYLES = {
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
_PLACEHOLDER = re.compile(r":([a-z_]+)")
_KEPT = "._~!$&'()+,;=@"  # in `:title`, beside letters, digits and marks
_UNESCAPED = "!$&'()*+,;=:@/~"  # and letters, digits, `-`, `.` and `_`
_OUTPUT = ".html"


def address_of(path: PurePosixPath, values: Mapping[str, Any], settings: Settings) -> str:
    """The path of a post's URL, percent-encoded and without `baseurl`.

    Args:
        path: as seen from the source or, where there is one, from `collections_dir`.
        values: the post's own over those that `defaults:` gives to it.

    Raises:
        ValueError: it has no date.
    """
    folder = next((name for name in path.parts if name.startswith("_")), "")
    date = dates.parse_date(values.get("date", dates.split_name(path.stem)[0]), dates.zone_of(settings))
    known = _placeholders(path, folder, values, date)
    template = values.get("permalink") or _template(folder.removeprefix("_"), settings.jekyll)
    return _clean(_PLACEHOLDER.sub(lambda found: _filled(found[1], known), str(template)))


def _template(label: str, jekyll: Mapping[str, Any]) -> str:
    """The permalink of a collection: its own, or what the site's style makes of it."""
    style = str(jekyll.get("permalink") or "date")
    collections = jekyll.get("collections")
    own = collections.get(label) if isinstance(collections, Mapping) else None
    if isinstance(own, Mapping) and own.get("permalink"):
        return str(own["permalink"])
    if label in ("posts", "drafts"):
        return _STYLES.get(style, style)
    if style in ("date", "ordinal", "none"):
        return f"/:collection/:path{_OUTPUT}"
    ending = "/" if style == "pretty" or style.endswith("/") else ""
    return f"/:collection/:path{ending}{_OUTPUT if style.endswith(':output_ext') else ''}"


def _placeholders(
    path: PurePosixPath, folder: str, values: Mapping[str, Any], date: datetime
) -> dict[str, str]:
    categories = categories_of(path, folder, values)
    slug = str(values.get("slug") or dates.split_name(path.stem)[1].rstrip("."))
    within = path.with_suffix("").as_posix().partition(folder)[2].rstrip(".")
    return {
        "collection": folder.removeprefix("_"),
        "path": within,
        "name": slugify(path.stem),
        "slug": slugify(slug),
        "title": _pretty(slug),
        "categories": "/".join(dict.fromkeys(name.lower() for name in categories)),
        "slugified_categories": "/".join(dict.fromkeys(map(slugify, categories))),
        "output_ext": _OUTPUT,
        **{name: date.strftime(form) for name, form in _DATE_PARTS.items()},
        "year": f"{date.year:04}",
        "i_month": str(date.month),
        "i_day": str(date.day),
    }


_DATE_PARTS = {
    "month": "%m",
    "day": "%d",
    "hour": "%H",
    "minute": "%M",
    "second": "%S",
    "y_day": "%j",
    "short_year": "%y",
    "short_month": "%b",
    "long_month": "%B",
    "short_day": "%a",
    "long_day": "%A",
    "week": "%V",
    "w_year": "%G",
    "w_day": "%u",
}


def categories_of(path: PurePosixPath, folder: str, values: Mapping[str, Any]) -> Sequence[str]:
    """Those of the folders above `_posts`, then those of the front matter, as Jekyll takes them apart."""
    above = path.parts[: path.parts.index(folder)] if folder in path.parts else ()
    given = values.get("categories")
    several = given.split() if isinstance(given, str) else given if isinstance(given, list) else [given]
    single = values.get("category")
    named = [*several, *(single if isinstance(single, list) else [single])]
    return [*dict.fromkeys([*above, *(str(name) for name in named if name is not None)])]


def _filled(name: str, known: Mapping[str, str]) -> str:
    """The value of the placeholder; in `:year_:day` an underscore belongs to the text."""
    value = known.get(name, known.get(name.removesuffix("_")))
    if value is None:
        return f":{name}"
    return quote(value, safe=_UNESCAPED) + ("" if name in known else "_")


def _pretty(slug: str) -> str:
    """What `:title` makes of a slug.

    >>> _pretty("c++-&-what?-no!")
    'c++-&-what-no!'
    """
    kept = "".join(letter if letter in _KEPT or slugify(letter) else "-" for letter in slug)
    return re.sub("-+", "-", kept).strip("-")


def _clean(address: str) -> str:
    return re.sub("/+", "/", f"/{address}".replace("..", "/").replace("./", ""))
