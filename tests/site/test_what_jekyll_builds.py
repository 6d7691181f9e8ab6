"""The real Jekyll is the judge: of every site under tests/sites, what it writes is what is learned from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import CONFIG_FILES
from blog_gen.errors import ArticleError
from blog_gen.site.articles import read_articles

SITES = Path(__file__).parents[1] / "sites"
# Every place in which a post of these sites may be: more than any blogger would name.
EVERYWHERE = "**/_posts, _articles, _essays, _jottings, _drafts, content/_notes"
PLUGIN = """
Jekyll::Hooks.register :site, :post_read do |site|
  documents = site.docs_to_write.grep(Jekyll::Document)
  paths = documents.map { |document| document.path.sub("#{Dir.pwd}/", "") }
  File.write(ENV.fetch("LIST"), paths.join("\\n"))
end
"""


def built_by(jekyll: str, site: Path, tmp_path: Path, settings: str = "") -> set[str]:
    """The documents that Jekyll writes for a copy of `site`, relative to it; `settings` win over its own."""
    copy, plugins = tmp_path / "copy", tmp_path / "plugins"
    shutil.copytree(site, copy)
    plugins.mkdir()
    (plugins / "list.rb").write_text(PLUGIN)
    (tmp_path / "more.yml").write_text(settings or "{}\n")
    files = ",".join([*(path.name for path in copy.glob("_config.*")), str(tmp_path / "more.yml")])
    words = [jekyll, "build", "--config", files, "--plugins", str(plugins)]
    environment = {**os.environ, "LIST": str(tmp_path / "list"), "JEKYLL_NO_BUNDLER_REQUIRE": "1"}
    environment.pop("BUNDLE_GEMFILE", None)
    subprocess.run(
        [*words, "-d", str(tmp_path / "out")], cwd=copy, env=environment, check=True, capture_output=True
    )
    return set((tmp_path / "list").read_text().splitlines())


def learned_from(site: Path, more: Path | None = None) -> set[str]:
    own = next((path.name for path in site.glob("_config.*")), CONFIG_FILES[0])
    files = (own, str(more)) if more else (own,)
    try:
        reading = read_articles(load_settings(site, {"articles": EVERYWHERE}, files))
    except ArticleError:  # there is none
        return set()
    return {article.path.as_posix() for article in reading.articles}


@pytest.mark.jekyll
@pytest.mark.parametrize("name", sorted(path.name for path in SITES.iterdir() if path.name != "toml"))
def test_what_is_learned_is_what_is_built(name: str, jekyll: str, tmp_path: Path) -> None:
    built = built_by(jekyll, SITES / name, tmp_path)
    assert built and learned_from(SITES / name) == built


@pytest.mark.jekyll
@pytest.mark.parametrize(
    "settings",
    [
        "future: true",
        "unpublished: true",
        "limit_posts: 3",
        "show_drafts: true",
        "exclude: [news, '_posts/2020-0*']",
        "exclude: ['_posts/a*', _essays/on]\ninclude: [_dropped, _workshop]",
        "collections_dir: attic",
        "defaults: [{scope: {path: _posts, type: posts}, values: {published: false}}]",
        "defaults: [{scope: {path: '_po{sts,ints}/**/s*'}, values: {published: false}}]",
        "defaults: [{scope: {path: _posts/a}, values: {date: '2999-01-01'}}]",
    ],
)
def test_settings_that_hide_and_show_posts(settings: str, jekyll: str, tmp_path: Path) -> None:
    built = built_by(jekyll, SITES / "hidden", tmp_path, settings)
    assert learned_from(SITES / "hidden", tmp_path / "more.yml") == built


@pytest.mark.jekyll
@pytest.mark.parametrize("name", ["2020-01-04-the-bench", "2020-01-18-comments"])
def test_what_a_comment_holds_is_neither_built_nor_learned(name: str, jekyll: str, tmp_path: Path) -> None:
    built_by(jekyll, SITES / "hidden", tmp_path)
    [page] = (tmp_path / "out").rglob(f"*{name[11:]}*")
    shown = page.read_text() if page.is_file() else (page / "index.html").read_text()
    settings = load_settings(SITES / "hidden", {"articles": "_posts"})
    [body] = [each.body for each in read_articles(settings).articles if name in each.path.name]
    for remark in ("my uncle", "where the hill", "seen by nobody"):
        assert remark not in body and remark not in re.sub("<!--.*?-->", "", shown, flags=re.DOTALL)
    assert "man with the dog" not in body
    for text in ("shown, since it is code", "shown, too", "I have grown fond"):
        assert (text in body) == (text in shown), text
