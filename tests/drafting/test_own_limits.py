"""The blog's own limits of the judge: kept with the run, used for its drafts, marked for people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from calling import call
from tiny_site import write_base, write_site

from blog_gen.config.loading import load_settings
from blog_gen.corpus import read_corpus
from blog_gen.judge.calibration import own_limits
from blog_gen.judge.index import CorpusIndex
from blog_gen.site.articles import oldest_first


def _run(site: Path, *words: str) -> str:
    return call(site, *words, now=None).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A blog whose posts open with a heading, which the defaults forbid."""
    site = write_site(tmp_path_factory.mktemp("site"), write_base(tmp_path_factory.mktemp("base")))
    for post in (site / "_articles").glob("*.md"):
        post.write_text(post.read_text().replace("\n---\n\n", "\n---\n\n## Today\n\n"))
    _run(site, "train", "--steps", "30")
    return site


def _limit_of(check: str, table: str) -> str:
    """The limit that `generate --explain` shows, before the candidates' values."""
    (row,) = re.findall(rf"^\s*{check}\s(.*)$", table, re.MULTILINE)
    return re.split(r"\s{2,}(?=[-\d])", f"  {row}", maxsplit=1)[0].strip()


def test_they_are_stored_used_and_marked(site: Path) -> None:
    corpus = read_corpus(load_settings(site))
    posts = [(each.path.as_posix(), each.title, each.body) for each in oldest_first(corpus.articles)]
    wanted = own_limits(posts, CorpusIndex.build([(name, body) for name, _, body in posts]))
    meta = json.loads((site / ".blog_gen/runs/default/meta.json").read_text())
    assert meta["own_limits"] == wanted.to_dict() and meta["own_limits"]["prose_first"] == 0.0
    table = _run(site, "generate", "--explain", "--date", "2026-03-05")
    assert _limit_of("prose_first", table) == "*"
    assert _limit_of("left_open", table) == "≤ 99", "as the site has it, and no mark"
    assert "the blog's own limit" in table
    assert _limit_of("heading_faults", table) == "≤ 2 *"
    (draft,) = (site / "_generated").glob("2026-03-05-*.md")
    assert re.search(r"faults in headings +\d+  at most 2\n", _run(site, "review", "show", draft.name))


def test_a_limit_that_a_person_set_wins_and_has_no_mark(site: Path) -> None:
    config = yaml.safe_load((site / "_config.yml").read_text())
    config["blog_gen"]["limits"]["prose_first"] = False
    config["blog_gen"]["limits"]["heading_faults"] = 7
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    table = _run(site, "generate", "--explain", "--date", "2026-03-06")
    assert _limit_of("prose_first", table) == ""
    assert _limit_of("heading_faults", table) == "≤ 7"
