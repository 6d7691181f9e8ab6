"""Every small site, from `init` to the page that the real Jekyll builds of an approved draft."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from calling import call
from tiny_site import ANYTHING_GOES, write_base

from blog_gen import runs
from blog_gen.config.loading import config_files_in

SITES = Path(__file__).parent / "sites"
DAY = "2024-02-03"
TITLE = "What Nobody Else: Wrote"
TRAINING = {"steps": 60, "learning_rate": 0.01, "dropout": 0.0, "patience": 99}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def run(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one of the sites learned, for all of them: how learning works is tested elsewhere."""
    site = shutil.copytree(SITES / "hidden", tmp_path_factory.mktemp("learned") / "site")
    blog_gen(site, "init", "--yes")
    learn_anything(site, base)
    blog_gen(site, "train")
    folder = site / ".blog_gen" / "runs" / "default"
    meta = runs.read_meta(folder)
    assert meta
    # Without posts that the other sites lack: what is gone from a site is not written from.
    runs.write_meta(folder, dataclasses.replace(meta, texts={}))
    return folder


def blog_gen(site: Path, *words: str) -> str:
    """What the command says, having succeeded."""
    return call(site, *words, now=None).stdout


def build(site: Path, jekyll: str) -> Path:
    """The built site."""
    environment = {**os.environ, "BLOG_GEN": "off", "JEKYLL_NO_BUNDLER_REQUIRE": "1"}
    environment.pop("BUNDLE_GEMFILE", None)
    words = [jekyll, "build", "--quiet", "-d", str(site / "built")]
    subprocess.run(words, cwd=site, env=environment, check=True, capture_output=True, timeout=120)
    return site / "built"


def learn_anything(site: Path, base: Path) -> None:
    """Settings with which the tiny `base` writes what it likes, beside those that `init` wrote."""
    [name] = config_files_in(site)
    config = yaml.safe_load((site / name).read_text())
    own = {"model": str(base), "training": TRAINING, "limits": ANYTHING_GOES, "candidates": 8}
    own["limits"] = {**ANYTHING_GOES, "prose_first": False, "heading_faults": 99}
    config["blog_gen"] = {**config.get("blog_gen", {}), **own, "sampling": {"max_tokens": 150}}
    (site / name).write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))


@pytest.mark.jekyll
@pytest.mark.parametrize("name", sorted(path.name for path in SITES.iterdir() if path.name != "toml"))
def test_an_approved_draft_stands_where_the_posts_stand(
    name: str, base: Path, run: Path, jekyll: str, tmp_path: Path
) -> None:
    site = shutil.copytree(SITES / name, tmp_path / "site")
    blog_gen(site, "init", "--yes")
    learn_anything(site, base)
    blog_gen(site, "models", "import", str(run), "--as-run")
    blog_gen(site, "generate", "--date", DAY, "--title", TITLE)
    slug = "what-nobody-else-wrote"
    assert not list(build(site, jekyll).rglob(f"*{slug}*")), "it waits, and no visitor sees it"
    told = blog_gen(site, "review", "approve", slug)
    (address,) = re.findall(r"build shows it at (\S+);", told)
    built = build(site, jekyll)
    page = built / unquote(address).strip("/")
    page = page / "index.html" if page.is_dir() else page if page.suffix else page.with_suffix(".html")
    assert TITLE in page.read_text(), f"{page} is not the post"
    said = "Sprachmodell" if name == "german" else "language model"
    assert said in page.read_text(), "how it was made is said in the blog's language"
    for listing in ("index.html", "feed.xml"):
        assert address in (built / listing).read_text(), f"not in the {listing}"
    head = next(path for path in site.rglob(f"*{slug}.md")).read_text().split("---")[1]
    assert "published" not in head or name == "hidden", head
