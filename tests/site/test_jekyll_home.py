"""The sample site, and sites after `init`, built by the real Jekyll; with `blog-gen` played by a stand-in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from deadlines import wait_until
from sites import LAYOUTS, everything, make

from blog_gen.site.setup.changes import apply
from blog_gen.site.setup.scaffold import plan

pytestmark = pytest.mark.jekyll

REPOSITORY = Path(__file__).parents[2]
SITE = (
    "_config.yml",
    "_layouts",
    "_includes",
    "_articles",
    "assets",
    "index.html",
    "feed.xml",
    "generated.html",
    "generated.xml",
)
OURS = """\
---
title: {title}
date: "2020-11-20 00:00:00 +0000"
published: {published}
blog_gen:
  model: mini
---
It boiled and & clicked <b>off</b>.
"""


def build(site: Path, *words: str, bin_folder: Path | None = None, **environment: str) -> str:
    """What `jekyll build` says, having succeeded; the site is in `_site`."""
    command = ["jekyll", "build", "--source", str(site), "--destination", str(site / "_site"), *words]
    path = f"{bin_folder}:{os.environ['PATH']}" if bin_folder else os.environ["PATH"]
    given = {**os.environ, "PATH": path, **environment}
    done = subprocess.run(
        command, capture_output=True, text=True, env=given, check=True, timeout=60, cwd=site
    )
    return done.stdout + done.stderr


# The sample site


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built copy of the sample site with one approved post of ours and one hidden draft."""
    site = tmp_path_factory.mktemp("sample")
    for name in SITE:
        source = REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, site / name)
    approved = OURS.format(title="'Kettles & Co: <third> time'", published="true")
    drafts = {
        "2020-11-20-kettles.md": approved,
        "2020-11-21-hidden.md": OURS.format(title="Secret", published="false"),
    }
    make(site / "_generated", drafts)
    build(site)
    return site


def test_only_the_site_is_in_the_site(tmp_path: Path) -> None:
    command = ["jekyll", "build", "--disable-disk-cache", "--destination", str(tmp_path / "_site")]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    names = {path.name for path in (tmp_path / "_site").iterdir()}
    assert names == {"articles", "assets", "feed.xml", "generated", "index.html"}


def test_every_article_is_on_the_front_page_newest_first(sample: Path) -> None:
    page = (sample / "_site" / "index.html").read_text()
    dates = re.findall(r'<time datetime="(.*?)"', page)
    articles = list((sample / "_articles").rglob("*.md"))
    assert len(dates) == len(articles) > 10
    assert dates == sorted(dates, reverse=True)
    for link in re.findall(r'<h2><a href="(.*?)"', page):
        assert (sample / "_site" / link.strip("/") / "index.html").is_file()


def test_a_generated_post_has_a_page_an_index_and_a_label(sample: Path) -> None:
    post = (sample / "_site" / "generated" / "2020" / "11" / "20" / "kettles" / "index.html").read_text()
    assert "Written by a machine, reviewed by a human" in post
    assert "<h1>Kettles &amp; Co: &lt;third&gt; time</h1>" in post
    index = (sample / "_site" / "generated" / "index.html").read_text()
    assert '<a href="/generated/2020/11/20/kettles/">' in index
    assert "Written by a machine, reviewed by a human" in index
    article = next((sample / "_site" / "articles").rglob("index.html")).read_text()
    assert "Written by a machine, reviewed" not in article


def test_a_hidden_draft_is_nowhere(sample: Path) -> None:
    pages = [path for path in (sample / "_site").rglob("*") if path.suffix in (".html", ".xml")]
    assert not [path for path in pages if "Secret" in path.read_text() or "hidden" in str(path)]


def test_a_hidden_draft_can_be_looked_at(sample: Path, tmp_path: Path) -> None:
    shutil.copytree(sample, tmp_path / "site")
    build(tmp_path / "site", "--unpublished")
    assert (tmp_path / "site" / "_site" / "generated/2020/11/20/hidden/index.html").is_file()


@pytest.mark.parametrize(("feed", "entries"), [("feed.xml", 10), ("generated/feed.xml", 1)])
def test_the_feeds_are_atom(feed: str, entries: int, sample: Path) -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    root = ElementTree.parse(sample / "_site" / feed).getroot()
    assert root.tag == f"{atom}feed"
    found = root.findall(f"{atom}entry")
    assert entries <= len(found) <= 20
    for element in (root, *found):
        identity, updated = (element.findtext(f"{atom}{name}", "") for name in ("id", "updated"))
        assert identity.startswith("https://")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", updated)
    dates = [entry.findtext(f"{atom}published", "") for entry in found]
    assert dates == sorted(dates, reverse=True)


def test_no_link_of_the_site_is_broken(sample: Path) -> None:
    built = sample / "_site"
    broken = []
    for page in built.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="(/[^"#]*)', page.read_text()):
            target = built / link.strip("/")
            if not (target.is_file() or (target / "index.html").is_file()):
                broken.append((page.relative_to(built).as_posix(), link))
    assert broken == []


# The plugin


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """`blog-gen` as the plugin sees it: writes what is due once, prints its path, notes each call."""
    (tmp_path / "approved").write_text(OURS.format(title="New", published="true"))
    script = f"""\
#!/bin/sh
echo "$@" >> "{tmp_path}/calls"
post=$(sed -n "s/^  output: \\([^ ]*\\).*/\\1/p" _config.yml)/2020-11-20-new.md
[ -e "$post" ] && exit 0
mkdir -p "$(dirname "$post")" .blog_gen/runs
date > .blog_gen/runs/lock
cp "{tmp_path}/approved" "$post"
echo "wrote $post"
"""
    return stand_in(tmp_path, script)


def stand_in(folder: Path, script: str) -> Path:
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "blog-gen").write_text(script)
    (folder / "bin" / "blog-gen").chmod(0o755)
    return folder / "bin"


def calls(bin_folder: Path) -> list[str]:
    log = bin_folder.parent / "calls"
    return log.read_text().splitlines() if log.exists() else []


def initialised(folder: Path, layout: str, plugin: bool = True, settings: str = "") -> Path:
    site = make(folder / "site", LAYOUTS[layout])
    apply(site, plan(site, plugin=plugin).changes, everything)
    if settings:
        with (site / "_config.yml").open("a") as config:
            config.write(f"  plugin: {settings}\n")
    return site


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_site_after_init_shows_what_is_due_in_the_same_build(
    layout: str, tmp_path: Path, bin_folder: Path
) -> None:
    site = initialised(tmp_path, layout)
    said = build(site, bin_folder=bin_folder)
    page = site / "_site" / "generated" / "2020" / "11" / "20" / "new" / "index.html"
    assert "clicked" in page.read_text()
    assert ("<main>" in page.read_text()) == (layout == "_posts"), "the layout that the articles have"
    assert re.search(r"blog-gen: wrote .*2020-11-20-new\.md", said)
    assert not (site / "_site" / "templates").exists()

    said = build(site, bin_folder=bin_folder)
    assert "blog-gen" not in said, "silent when nothing is due"
    assert calls(bin_folder) == ["run --quiet --no-train"] * 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_site_after_init_builds_without_the_plugin_as_before(layout: str, tmp_path: Path) -> None:
    before = make(tmp_path / "before", LAYOUTS[layout])
    build(before)
    site = initialised(tmp_path, layout, plugin=False)
    build(site)
    now, then = built(site), built(before)
    assert now.items() >= then.items()
    # Articles of which the settings said nothing were nowhere.
    assert now.keys() - then.keys() == ({"_site/articles/one.html"} if layout == "an empty config" else set())


def built(site: Path) -> dict[str, bytes]:
    files = (path for path in (site / "_site").rglob("*") if path.is_file())
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in files}


def test_several_config_files_are_handed_on(tmp_path: Path, bin_folder: Path) -> None:
    site = initialised(tmp_path, "_posts")
    (site / "_dev.yml").write_text("title: Dev\n")
    build(site, "--config", "_config.yml,_dev.yml", bin_folder=bin_folder)
    files = f"{site}/_config.yml,{site}/_dev.yml"
    assert calls(bin_folder) == [f"--config {files} run --quiet --no-train"]


def test_it_trains_only_if_told_to(tmp_path: Path, bin_folder: Path) -> None:
    site = initialised(tmp_path, "_posts", settings="{train: true}")
    build(site, bin_folder=bin_folder)
    assert calls(bin_folder) == ["run --quiet"]


def test_it_can_be_turned_off(tmp_path: Path, bin_folder: Path) -> None:
    site = initialised(tmp_path, "_posts")
    build(site, bin_folder=bin_folder, BLOG_GEN="off")
    assert calls(bin_folder) == []


FAILURES = {
    "a reason": ("echo 'blog-gen: the model is missing' >&2; exit 1", "blog-gen: the model is missing"),
    "no reason": ("exit 3", "exit 3"),
    "killed": ("kill -9 $$", "SIGKILL"),
    "bytes that are no text": (r"printf 'caf\351: the reason\n'; exit 1", "caf\ufffd: the reason"),
    "too slow, and its children too": ("sleep 50 & sleep 50", "longer than 1 seconds"),
}


@pytest.mark.parametrize(("script", "reason"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_of_ours_costs_a_warning_and_never_the_build(
    script: str, reason: str, tmp_path: Path
) -> None:
    site = initialised(tmp_path, "_posts", settings="{seconds: 1}")
    started = time.monotonic()
    said = build(site, bin_folder=stand_in(tmp_path, f"#!/bin/sh\n{script}\n"))
    assert reason in said
    assert "The site is built without" in said
    assert (site / "_site" / "x" / "one" / "index.html").is_file()
    assert time.monotonic() - started < 9


def test_a_command_that_is_missing_is_said(tmp_path: Path) -> None:
    site = initialised(tmp_path, "_posts", settings="{command: no-such-blog-gen}")
    assert "not installed" in build(site)


# Under the watcher

# Writes down when Jekyll listens, and what it then hears of: the words of its log may change.
_LISTENER = """
require "listen"

module Recorded
  def to(*folders, **options, &block)
    listener = super(*folders, **options) do |*changes|
      Recorded.write(changes.flatten)
      block.call(*changes)
    end
    start = listener.method(:start)
    listener.define_singleton_method(:start) { start.call.tap { Recorded.write(["ready"]) } }
    listener
  end

  def self.write(lines)
    File.write(ENV.fetch("HEARD"), lines.join("\n") + "\n", mode: "a")
  end
end

Listen.singleton_class.prepend(Recorded)
"""


@contextmanager
def running(site: Path, bin_folder: Path, *words: str) -> Iterator[Path]:
    """Jekyll going on in the background; the file with what its watcher heard, a line each."""
    heard = site.parent / "heard"
    heard.touch()
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "HEARD": str(heard)}
    command = ["jekyll", *words, "--source", str(site), "--destination", str(site / "_site")]
    with (site.parent / "jekyll.log").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=site)
        try:
            yield heard
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize("due", [True, False])
def test_watching_the_plugin_causes_no_second_build(due: bool, tmp_path: Path, bin_folder: Path) -> None:
    """Of two posts, written one after the other, the watcher hears, and of nothing that the plugin did."""
    site = initialised(tmp_path, "_posts")
    make(site, {"_plugins/listener.rb": _LISTENER})
    shutil.rmtree(site / ".blog_gen")
    if not due:
        make(site / "_generated", {"2020-11-20-new.md": OURS.format(title="New", published="true")})
    with running(site, bin_folder, "build", "--watch") as heard:
        wait_until(lambda: "ready" in heard.read_text(), "Jekyll watches")
        assert (site / "_site" / "generated" / "2020" / "11" / "20" / "new" / "index.html").is_file()
        make(site / ".blog_gen", {"runs/history.csv": "1\n"})
        posts = [site / "_posts" / f"2020-01-0{day}-{day}.md" for day in (2, 3)]
        for post in posts:
            post.write_text("---\ntitle: Another\n---\nAnother.\n")
            page = site / "_site" / "x" / post.name[11:-3] / "index.html"
            wait_until(page.is_file, f"the page of {post.name}")
        lines = heard.read_text().splitlines()
    assert set(lines) == {"ready", *map(str, posts)}, "the watcher works, and does not go round"
    assert len(calls(bin_folder)) == 1


@pytest.mark.parametrize(("settings", "times"), [("", 0), ("{serve: true}", 1)])
def test_serving_is_left_alone_unless_asked_for(
    settings: str, times: int, tmp_path: Path, bin_folder: Path
) -> None:
    """The plugin's turn comes before the first page is written."""
    site = initialised(tmp_path, "_posts", settings=settings)
    with running(site, bin_folder, "serve", "--port", "0", "--no-watch"):
        wait_until((site / "_site" / "x" / "one" / "index.html").is_file, "the first page")
    assert len(calls(bin_folder)) == times


def test_the_plugins_settings_are_known_settings() -> None:
    from blog_gen.config.settings import PluginSettings

    plugin = (REPOSITORY / "templates" / "blog_gen.rb").read_text()
    assert set(re.findall(r'settings\["(\w+)"\]', plugin)) == set(vars(PluginSettings()))
    assert yaml.safe_load((REPOSITORY / "_config.yml").read_text())["blog_gen"]["model"] == "mini"
