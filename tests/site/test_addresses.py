"""The address of a post, as the real Jekyll has it, for every style and placeholder of a permalink."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from blog_gen.config.loading import load_settings
from blog_gen.site import front_matter
from blog_gen.site.publishing import public_address

# By path: the front matter.
POSTS: dict[str, dict[str, Any]] = {
    "_posts/2024-02-03-plain.md": {},
    "_posts/2024-02-03-äpfel-und-birnen.md": {"categories": ["Obst & Käse", "b"]},
    "_posts/sub/2024-12-30-below.md": {"category": "One Name", "categories": "two names"},
    "news/_posts/2024-02-03-said.md": {"categories": ["news", "NEWS", "x"]},
    "_posts/2024-02-03-moved.md": {"date": "2024-05-06 23:30:00 +0000", "slug": "Other_Name+1"},
    "_posts/2024-02-03-own.md": {"permalink": "/own/page"},
    "_posts/2024-02-03-parts.md": {
        "permalink": "/:year_:i_month/:slug/:name/:short_year:y_day/:w_year-:week-:w_day/:long_day"
    },
    "_posts/2024-02-03-in-defaults.md": {"category": "c"},
    "_generated/2024-02-03-draft.md": {},
    "_generated/sub/2024-02-03-deep.md": {"date": "2024-02-03 10:00:00 +0100"},
    "_notes/2024-02-03-note.md": {},
}
PLUGIN = """
Jekyll::Hooks.register :site, :post_read do |site|
  found = site.documents.to_h { |each| [each.relative_path, each.url] }
  File.write(ENV.fetch("LIST"), JSON.generate(found))
end
"""


STYLES = [None, "pretty", "ordinal", "weekdate", "none", "/:categories/:title/", "/a/:slug", "/:title.html"]


@pytest.mark.jekyll
@pytest.mark.parametrize(("style", "within"), [*((style, "") for style in STYLES), ("pretty", "content")])
def test_addresses_are_those_of_jekyll(style: str | None, within: str, jekyll: str, tmp_path: Path) -> None:
    found = _built(style, within, jekyll, tmp_path)
    settings = load_settings(tmp_path)
    for name, values in POSTS.items():
        path = settings.collections_folder / name
        assert public_address(path, _read(path), settings) == found[name], (name, values)


def _built(style: str | None, within: str, jekyll: str, site: Path) -> dict[str, str]:
    """What Jekyll makes of `POSTS`, by path."""
    for name, values in POSTS.items():
        path = site / within / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\n{front_matter.dump(values)}---\nIt rained.\n")
    default = {"path": "_posts/2024-02-03-in-defaults.md"}, {"permalink": "/d/:categories/:title"}
    config: dict[str, Any] = {
        "timezone": "Europe/Berlin",
        "collections": {"generated": {"output": True}, "notes": {"output": True, "permalink": "/n/:path"}},
        "defaults": [dict(zip(("scope", "values"), default, strict=True))],
        **({"permalink": style} if style else {}),
        **({"collections_dir": within} if within else {}),
    }
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    (site / "_plugins").mkdir()
    (site / "_plugins" / "list.rb").write_text(PLUGIN)
    environment = {**os.environ, "LIST": str(site / "list"), "JEKYLL_NO_BUNDLER_REQUIRE": "1"}
    environment.pop("BUNDLE_GEMFILE", None)
    words = [jekyll, "build", "--quiet", "-d", str(site / "built")]
    subprocess.run(words, cwd=site, env=environment, check=True, capture_output=True, timeout=120)
    found: dict[str, str] = json.loads((site / "list").read_text())
    return found


def _read(path: Path) -> dict[str, Any]:
    return front_matter.parse(front_matter.split(path.read_text())[0] or "")


def test_the_base_of_the_address_stands_before_it(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text("baseurl: /blog/\ntimezone: UTC\n")
    settings = load_settings(tmp_path)
    assert public_address(tmp_path / "_posts/2024-02-03-a.md", {}, settings) == "/blog/2024/02/03/a.html"


def test_where_it_cannot_be_told_there_is_none(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert public_address(tmp_path / "_posts/undated.md", {}, settings) is None
    assert public_address(tmp_path.parent / "2024-02-03-a.md", {}, settings) is None
