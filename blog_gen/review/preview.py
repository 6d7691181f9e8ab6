"""A draft as the site would show it: a real Jekyll build where Jekyll is there, else plain Markdown.

The build is kept in the state folder. A page asks for an address, and gets a file only if the build made one
for that address: no address is ever used as a path.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from blog_gen.config.settings import Settings
from blog_gen.errors import DraftError
from blog_gen.files import read_json
from blog_gen.review.deadline import within
from blog_gen.review.entries import LONGEST_SHOWN, Entry
from blog_gen.site.setup.scaffold import plugin_folders

FOLDER = "preview"  # in the state folder
ADDRESSES = "addresses.json"  # in that one, written by the plug-in at the end of a build
SECONDS = 180  # a site that builds longer is shown as plain Markdown
RENDERING_SECONDS = 10  # for one draft's Markdown, which takes a second at most

_MARKDOWN_PLUGINS = ("table", "footnotes", "strikethrough", "task_lists", "def_list")


def as_html(body: str) -> str:
    """`body` as HTML in which raw HTML is text, and no address runs code."""
    import mistune

    return str(mistune.create_markdown(escape=True, plugins=_MARKDOWN_PLUGINS)(body[:LONGEST_SHOWN]))


def rendered(body: str) -> tuple[str, str | None]:
    """`body` as HTML, and why it is not rendered: None, or what took too long."""
    try:
        return within(RENDERING_SECONDS, as_html, body), None
    except (TimeoutError, DraftError) as error:
        return f"<pre>{html.escape(body[:LONGEST_SHOWN])}</pre>", f"Its Markdown cannot be shown: {error}"


class SitePreview:
    """The site with its drafts, built when one is asked for that changed since the last time."""

    def __init__(self, settings: Settings, plugin: Path) -> None:
        self.settings, self._plugin = settings, plugin
        self._failure: str | None = None  # why there is no build, for a person
        self._left_out: dict[str, str] = {}  # why a draft is not in the build, by its real path
        self._built: dict[Path, str] = {}  # the versions of drafts that the build shows
        self._addresses: dict[str, str] = {}  # by the real path of the source
        self._files: dict[str, Path] = {}  # by address
        self._lock = threading.Lock()

    def address_of(self, entry: Entry, entries: Sequence[Entry]) -> str | None:
        """Where the built site shows `entry`; None where it does not, or cannot be built."""
        with self._lock:
            if self._built.get(entry.path) != entry.version:
                self._build(entries)
            address = self._addresses.get(os.path.realpath(entry.path), "")
            return address if unquote(address) in self._files else None

    def failure_of(self, entry: Entry) -> str | None:
        """Why the built site does not show `entry`, as of the last build."""
        return self._left_out.get(os.path.realpath(entry.path), self._failure)

    def file(self, address: str) -> Path | None:
        """The built file that a server would answer `address` with."""
        return self._files.get(address)

    def _build(self, entries: Sequence[Entry]) -> None:
        self._built = {entry.path: entry.version for entry in entries}
        self._left_out, self._failure = {}, "Jekyll is not installed"
        if command := _jekyll(self.settings.site):
            self._failure = self._run(command)
            drafts = [os.path.realpath(entry.path) for entry in entries]
            while self._failure and (stopped := self._stopped_at(drafts)):
                self._left_out |= dict.fromkeys(stopped, self._failure)
                self._failure = self._run(command)
        if self._failure is not None:
            self._addresses = {}
            return
        self._addresses = read_json(self._folder / ADDRESSES)
        self._files = _by_address(self._folder / "site")

    @property
    def _folder(self) -> Path:
        return (self.settings.state_folder / FOLDER).resolve()

    def _stopped_at(self, drafts: Sequence[str]) -> list[str]:
        """The drafts that the last build names as the reason why it stopped, and that were in it."""
        failure = self._failure or ""
        return [path for path in drafts if Path(path).name in failure and path not in self._left_out]

    def _run(self, command: Sequence[str]) -> str | None:
        """Build; why it failed, or None."""
        site, folder = self.settings.site.resolve(), self._folder
        words = [*command, "build", "--unpublished", "--quiet", "--baseurl", ""]
        words += ["--destination", str(folder / "site")]  # no `--source`: it would outdo the site's own
        plugins = [*(site / name for name in plugin_folders(self.settings)), self._plugin]
        words += ["--plugins", ",".join(map(str, plugins))]
        # The site's own plugin would call us again.
        environment = {
            **os.environ,
            "BLOG_GEN": "off",
            "BLOG_GEN_ADDRESSES": str(folder / ADDRESSES),
            "BLOG_GEN_LEFT_OUT": json.dumps(list(self._left_out)),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / ADDRESSES).unlink(missing_ok=True)
            done = subprocess.run(
                words, cwd=site, env=environment, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"the site takes longer than {SECONDS} seconds to build"
        except OSError as error:
            return f"the site cannot be built: {error.strerror}"
        if done.returncode:
            said = (done.stderr or done.stdout).decode("utf-8", "replace")
            return f"Jekyll cannot build the site: {_reason(said)}"
        if not (folder / ADDRESSES).exists():
            return "Jekyll runs no plug-in with `safe: true`, and only a plug-in can tell where a draft is"
        return None


def _reason(said: str) -> str:
    r"""What Jekyll gave up at: the line above the box that it ends with, after all it went on from.

    >>> _reason("Error: one\n\x1b[31mLiquid Exception: two\x1b[0m\n-----\nPlease append `--trace`")
    'Liquid Exception: two'
    """
    lines = [line.strip() for line in re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()]
    box = next((at for at, line in enumerate(lines) if line.startswith("-----")), 0)
    known = [line for line in (lines[:box][::-1] or lines) if line]
    return known[0] if known else "it does not say why"


def _jekyll(site: Path) -> Sequence[str] | None:
    if (site / "Gemfile").exists() and shutil.which("bundle"):
        return ("bundle", "exec", "jekyll")
    return ("jekyll",) if shutil.which("jekyll") else None


def _by_address(folder: Path) -> dict[str, Path]:
    """Every file of a built site, by each address that a web server would give it for."""
    found: dict[str, Path] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            address = "/" + path.relative_to(folder).as_posix()
            found[address] = path
            found[address.removesuffix("index.html")] = path
            found.setdefault(address.removesuffix(".html"), path)
    return found
