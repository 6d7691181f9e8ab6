"""The plan of the house, held: imports point down, and heavy libraries stay in their rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "blog_gen"
# From top to bottom: who stands on a line may import what stands on a lower one, and itself.
LAYERS = [
    {"cli"},
    {"commands"},
    {"review"},
    {"pipeline"},
    {"report"},
    {"drafting", "learning"},
    {"corpus", "lock"},
    {"runs"},
    {"site", "text", "model", "judge"},
    {"config"},
    {"statcache"},
    {"files"},
    {"errors", "origin", "__init__", "base"},
]
HEAVY = {"tensorflow", "keras", "jax", "torch"}
# The only places that train or evaluate: sampling never imports TensorFlow.
MAY_BE_HEAVY = ("model/training/", "model/distributed/", "model/pretraining/")


def _imports(path: Path) -> Iterator[str]:
    """Full names of all that a module imports, at any depth in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _line(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


def test_every_room_has_its_place() -> None:
    assert {_room(path) for path in _modules()} == set.union(*LAYERS)


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_down(path: Path) -> None:
    own, rooms = _room(path), set.union(*LAYERS)
    for name in _imports(path):
        package, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        if package == "blog_gen" and room in rooms - {own}:
            assert _line(own) < _line(room), f"{path.relative_to(PACKAGE)} imports {name}"


def test_no_folder_is_a_crowd() -> None:
    for folder in {path.parent for path in _modules()}:
        assert len(list(folder.glob("*.py"))) <= 25, folder.relative_to(PACKAGE)


def test_heavy_libraries_are_imported_only_where_models_are_made() -> None:
    for path in PACKAGE.rglob("*.py"):
        where = path.relative_to(PACKAGE).as_posix()
        for name in _imports(path):
            if name.split(".")[0] in HEAVY:
                assert where.startswith(MAY_BE_HEAVY), f"{where} imports {name}"


@pytest.mark.parametrize("path", _modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_modules_can_be_held_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def _reached_for(path: Path) -> Iterator[str]:
    """Private names of other modules, and of other things than an object itself."""

    def private(name: str) -> bool:
        return name.startswith("_") and not name.startswith("__")

    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if private(alias.name))
        elif isinstance(node, ast.Attribute) and private(node.attr):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "other")
            yield from () if own else (ast.unparse(node),)


@pytest.mark.parametrize("folder", ["blog_gen", "benchmarks", "tests"])
def test_nobody_reaches_for_private_names_of_others(folder: str) -> None:
    found = {(path, name) for path in (PACKAGE.parent / folder).rglob("*.py") for name in _reached_for(path)}
    # Python documents the one; the other is what TensorFlow's plain operation for summaries asks for.
    # The last two are the tree of a pattern, of which hard texts are made.
    assert not {
        each for each in found if each[1] not in ("os._exit", "writer._resource", "_parser", "_constants")
    }


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--site", "{empty}", "status"]])
def test_light_commands_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    words = [word.format(empty=tmp_path) for word in arguments]
    code = (
        "import sys; sys.argv[1:] = sys.argv[2:]\n"
        "from blog_gen.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"found = {sorted(HEAVY | {'ai_edge_litert', 'numpy'})!r}\n"
        "assert not (found := [name for name in found if name in sys.modules]), found"
    )
    subprocess.run([sys.executable, "-c", code, "-", *words], check=True, capture_output=True, text=True)
