"""Drafts of a site whose model knows little: each can be written again, and none is tried twice in vain."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from calling import Done, call
from tiny_site import ANYTHING_GOES, write_base, write_site

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.drafting import parts
from blog_gen.drafting.heads import written_line
from blog_gen.drafting.request import DraftRequest, site_identity
from blog_gen.drafting.tries import Tries
from blog_gen.review.entries import read_entry

Run = Callable[..., "subprocess.CompletedProcess[str]"]
DAY = date(2026, 3, 5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that has learned so little that its texts end anywhere."""
    site = write_site(tmp_path_factory.mktemp("site"), write_base(tmp_path_factory.mktemp("base")))
    _run(site, "train", "--steps", "30")
    return site


@pytest.fixture
def site(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "site")


def _run(site: Path, *words: str, code: int = 0) -> Done:
    return call(site, *words, code=code, now=None)


def _set(site: Path, **values: object) -> None:
    config = yaml.safe_load((site / "_config.yml").read_text())
    config["blog_gen"] |= values
    (site / "_config.yml").write_text(yaml.safe_dump(config))


def _drafts(site: Path) -> list[Path]:
    return sorted((site / "_generated").glob("*.md"))


def _provenance(draft: Path) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(draft.read_text().split("---")[1])["blog_gen"]
    return found


@pytest.mark.parametrize("settings", [{}, {"sampling": {"max_tokens": 30}}])
def test_every_draft_can_be_written_again(site: Path, settings: dict[str, object]) -> None:
    _set(site, candidates=2, **settings)
    _run(site, "generate", "-n", "4")
    assert len(_drafts(site)) == 4
    for draft in _drafts(site):
        assert "The same body." in _run(site, "reproduce", str(draft)).stderr


def test_scores_lie_beside_the_post_and_are_found_when_it_is_renamed(site: Path) -> None:
    _run(site, "generate")
    (draft,) = _drafts(site)
    draft = draft.rename(draft.with_name("2026-03-05-another-name.md"))
    assert "scores" not in draft.read_text()
    assert 0 < float(str(read_entry(draft, load_settings(site)).scores["score"])) <= 1
    shutil.rmtree(site / ".blog_gen" / "scores")
    assert read_entry(draft, load_settings(site)).scores == {}
    assert "The same body." in _run(site, "reproduce", str(draft)).stderr


def test_every_draft_has_tags_that_the_site_uses(site: Path) -> None:
    _run(site, "generate", "-n", "4")
    for draft in _drafts(site):
        tags = yaml.safe_load(draft.read_text().split("---")[1])["tags"]
        assert tags and set(tags) <= {"tin", "rain"}


def test_a_tag_with_a_comma_keeps_it(site: Path) -> None:
    for path in (site / "_articles").iterdir():
        path.write_text(path.read_text().replace("[tin, rain]", "['tin, rain']"))
    _run(site, "generate")
    assert yaml.safe_load(_drafts(site)[0].read_text().split("---")[1])["tags"] == ["tin, rain"]


def test_a_title_without_an_end_is_cut_where_it_has_one() -> None:
    sentences = ["It rained.", "Then it did not! Then", "no end in sight"]
    lines = [written_line(_Sample(text, False, None), False) for text in sentences]  # type: ignore[arg-type]
    assert lines == ["", "Then it did not!", ""]
    assert written_line(_Sample("as it is", False, "\n"), False) == "as it is"  # type: ignore[arg-type]
    assert written_line(_Sample(" tin, rain, so", False, None), True) == " tin, rain"  # type: ignore[arg-type]


class _Sample(NamedTuple):
    text: str
    ended: bool
    stopped_by: str | None


def test_what_was_rejected_is_not_sampled_again(site: Path) -> None:
    # Whatever is written has some word twice in a hundred.
    _set(site, limits={"distinct_1": 1.0, "length_slack": 0.0}, attempts=2)
    seeds = [
        seed
        for _ in range(2)
        for seed in re.findall(r"seed (\d+)", _run(site, "generate", "-n", "2", code=1).stderr)
    ]
    assert len(seeds) == len(set(seeds)) == 2 * 2 * 2 * 4


def test_two_sites_of_one_base_have_different_drafts_on_the_same_day(site: Path, tmp_path: Path) -> None:
    named = {"title": "Tin", "url": "https://tin.test", "baseurl": "/rain", "repository": "tin/rain"}
    sites = [Settings(site, jekyll=dict(list(named.items())[:count])) for count in range(1 + len(named))]
    sites.append(Settings(tmp_path / "another"))  # neither has a name: their folders have
    seeds = [seed for each in sites for seed in DraftRequest(DAY).seeds(0, 8, site_identity(each))]
    assert len(set(seeds)) == len(seeds)
    given = [DraftRequest(DAY, seed=70).seeds(0, 8, site_identity(each)) for each in sites]
    assert given == [given[0]] * len(sites), "a seed that is asked for is that seed everywhere"


def test_drafts_of_different_seeds_share_no_candidate() -> None:
    seeds = [seed for first in range(200) for seed in DraftRequest(DAY, seed=first).seeds(0, 24)]
    assert len(set(seeds)) == len(seeds)
    one = DraftRequest(DAY, seed=70)
    assert one.seeds(0, 1) == [70], "a candidate's own seed gives it again"
    assert one.seeds(0, 8) + one.seeds(1, 8) == one.seeds(0, 16)


def test_neither_posts_nor_the_place_of_a_site_change_its_seeds(site: Path, tmp_path: Path) -> None:
    before = site_identity(load_settings(site))
    shutil.rmtree(site / "_articles")
    moved = shutil.copytree(site, tmp_path / "elsewhere" / site.name)
    assert site_identity(load_settings(moved)) == before
    named = [Settings(folder, jekyll={"title": 2019, "posts": folder.name}) for folder in (moved, tmp_path)]
    assert site_identity(named[0]) == site_identity(named[1])


def test_drafts_of_one_seed_have_candidates_of_their_own(site: Path) -> None:
    _set(site, candidates=2, attempts=3)
    _run(site, "generate", "-n", "3", "--seed", "70")
    seeds = {int(str(_provenance(draft)["seed"])) for draft in _drafts(site)}
    rounds = [DraftRequest(DAY, seed=first).seeds(0, 6) for first in (70, 71, 72)]
    assert [len(seeds.intersection(each)) for each in rounds] == [1, 1, 1]


def test_a_title_and_tags_that_are_asked_for_are_given(site: Path) -> None:
    _set(site, limits={**ANYTHING_GOES, "title_likeness": 0.5})
    _run(site, "generate", "--title", "Note B", "--tags", "soup, rain")  # an article has that title
    (draft,) = _drafts(site)
    head = yaml.safe_load(draft.read_text().split("---")[1])
    assert head["title"] == "Note B" and head["tags"] == ["soup", "rain"]


def test_tags_that_are_asked_for_are_given_where_the_site_has_none(site: Path) -> None:
    for article in (site / "_articles").iterdir():
        article.write_text(article.read_text().replace("tags: [tin, rain]\n", ""))
    _run(site, "generate", "--title", "Rust", "--tags", "tin")
    assert yaml.safe_load(_drafts(site)[0].read_text().split("---")[1])["tags"] == ["tin"]


def test_tries_outlive_the_process_and_count_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "tries.json"
    assert Tries(path, Counter({DAY: 2})).number(DAY) == 2
    tries = Tries(path, Counter())
    tries.add(DAY)
    tries.add(DAY)
    assert Tries(path, Counter({DAY: 1})).number(DAY) == 2
    assert Tries(path, Counter({DAY: 5})).number(DAY) == 5


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"x": 1}', json.dumps({"2026-03-05": None})])
def test_a_damaged_count_only_costs_work(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "tries.json").write_text(damaged)
    assert Tries(tmp_path / "tries.json", Counter({DAY: 1})).number(DAY) == 1


def test_candidates_sampled_in_parts_give_the_same_drafts(site: Path, tmp_path: Path) -> None:
    _set(site, candidates=3)
    elsewhere = shutil.copytree(site, tmp_path / "elsewhere")
    one = shutil.copytree(site, tmp_path / "one")
    words = ("generate", "-n", "3", "--date", DAY.isoformat(), "--seed", "5")
    _run(one, *words)
    _run(site, *words, "--processes", "2")
    for number in "12":
        _run(elsewhere, *words, "--part", f"{number}/2", "--output", f"{number}.json")
    assert not _drafts(elsewhere), "sampling alone leaves the site as it is"
    some = ("generate", "--date", DAY.isoformat(), "--seed", "5", "--from", "1.json")
    assert "without 2/2" in _run(elsewhere, *some, code=1).stderr
    assert "the same seeds as here" in _run(elsewhere, *some[:3], "--from", "1.json", code=1).stderr
    _run(elsewhere, *some, "2.json")
    drafts = [[path.read_text() for path in _drafts(each)] for each in (one, site, elsewhere)]
    assert len(drafts[0]) == 3 and drafts[0] == drafts[1] == drafts[2]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--part", "3/2", "--output", "x"), "K/N"),
        (("--part", "1/2"), "--output"),
        (("--from",), "files"),
        (("_config.yml",), "--from"),
        (("--from", "_config.yml", "--processes", "2"), "only one"),
    ],
)
def test_parts_that_make_no_sense_are_refused(site: Path, words: tuple[str, ...], part: str) -> None:
    assert part in _run(site, "generate", *words, code=2).stderr


def test_a_file_that_is_no_part_is_named(site: Path) -> None:
    part = {"plan": {"format": parts.FORMAT, "seeds": [[1]]}, "part": [1, 1], "texts": []}
    (site / "part.json").write_text(json.dumps(part))
    for name in ("_config.yml", "part.json"):
        said = _run(site, "generate", "--from", name, code=1).stderr
        assert f"{name}: a file of sampled candidates must be whole" in said
