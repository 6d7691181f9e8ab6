"""What says how to install names where this was installed from, never a name that a stranger may take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blog_gen import origin
from blog_gen.origin import Origin, how_to_install, installed_from, origin_of

ROOT = Path(__file__).parents[1]
SAID = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "blog_gen").rglob("*.py")]
BARE_NAME = re.compile(r"""install\b[^\n`]*?["' ]blog[_-]gen(?:\[\w+\])?(?=["'`\s]|$)(?! @)""", re.M)


@pytest.mark.parametrize(
    ("record", "command"),
    [
        (
            {"url": "file:///home/a%20b/blog_gen", "dir_info": {"editable": True}},
            'pip install -e "/home/a b/blog_gen[train]"',
        ),
        ({"url": "file:///src/blog_gen", "dir_info": {}}, 'pip install "/src/blog_gen[train]"'),
        (
            {"url": "file:///w/blog_gen-0.1.0-py3-none-any.whl", "archive_info": {}},
            'pip install "/w/blog_gen-0.1.0-py3-none-any.whl[train]"',
        ),
        (
            {
                "url": "https://code.example/blog_gen.git",
                "vcs_info": {"vcs": "git", "commit_id": "1f2e"},
            },
            'pip install "blog_gen[train] @ git+https://code.example/blog_gen.git@1f2e"',
        ),
        ({"url": "file:///src/$(x)", "dir_info": {}}, "pip install '/src/$(x)[train]'"),
    ],
)
def test_a_command_is_made_of_what_pip_wrote_down(record: dict[str, object], command: str) -> None:
    assert origin_of(record).command("train") == command


def test_a_folder_or_repository_of_this_machine_is_local() -> None:
    assert Origin(Path("/src")).is_local
    assert Origin(url="git+file:///src@1f2e").is_local
    assert not Origin(url="git+https://code.example/a@1f2e").is_local
    assert not Origin(url="https://code.example/a.whl").is_local


def test_this_very_package_knows_where_it_came_from() -> None:
    found = installed_from()
    assert found is not None
    assert found.url or (found.path is not None and found.path.exists())
    assert found.command("train") in how_to_install("train")


def test_where_nothing_tells_no_name_is_made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(origin, "NAME", "no-such-distribution")
    monkeypatch.setattr(origin, "__file__", str(tmp_path / "site-packages" / "blog_gen" / "origin.py"))
    assert installed_from() is None
    assert "pip install" not in how_to_install("train")
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "pyproject.toml").write_text("")
    assert installed_from() == Origin(tmp_path / "site-packages", editable=True)


def test_no_page_or_message_installs_a_bare_name() -> None:
    assert BARE_NAME.search('pip install "blog_gen[train]"') and BARE_NAME.search("pip install blog_gen`")
    for path in SAID:
        assert not BARE_NAME.search(path.read_text(encoding="utf-8")), path
