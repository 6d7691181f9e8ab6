"""A run that was trained on another machine comes home with one command, without its base."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from calling import Run, call
from tiny_site import SENTENCES, article, write_base, write_site

from blog_gen import runs


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base and a site that learned with it, of this module's own: others do not miss them meanwhile."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "base").mkdir()
    site = write_site(folder / "site", write_base(folder / "base"))
    call(site, "train")
    return folder


@pytest.fixture
def there(common: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other machine: the same blog, learned."""
    return shutil.copytree(common / "site", tmp_path_factory.mktemp("there") / "site")


@pytest.fixture
def home(site: Path) -> Path:
    """This one: its settings name nothing of what learning was told there."""
    config = yaml.safe_load((site / "_config.yml").read_text())
    for key in ("model", "training"):
        config["blog_gen"].pop(key, None)
    (site / "_config.yml").write_text(yaml.safe_dump(config))
    return site


@pytest.mark.parametrize("way", ["exported", "copied"])
def test_a_run_comes_home(there: Path, home: Path, way: str, blog_gen: Run, base: Path) -> None:
    run = there / ".blog_gen" / "runs" / "default"
    source = there.parent / way
    if way == "copied":
        shutil.copytree(run, source)
    else:
        call(there, "models", "export", "default", "--format", "folder", str(source))
    done = blog_gen("models", "import", str(source), "--as-run")
    assert "learned 8 posts" in done.stdout
    assert done.stderr == ""
    here = home / ".blog_gen" / "runs" / "default"
    assert runs.damaged(here, thorough=True) == []
    assert runs.read_meta(here) == runs.read_meta(run)
    base.rename(base.with_name("elsewhere"))  # from now on, nobody here has it
    try:
        assert "Nothing to learn" in blog_gen("train").stdout  # with the settings that it was learned with
        blog_gen("generate")
        new = article(1).replace("Note B", "Note Z") + "\n" + SENTENCES[0] + "\n"
        (home / "_articles" / "new.md").write_text(new)
        assert json.loads(blog_gen("status", "--json").stdout)["problem"] is None
        assert "training continues" in blog_gen("train").stderr
        blog_gen("generate")
        for path in (home / "_articles").glob("note_*"):
            path.unlink()
        assert "no such model" in json.loads(blog_gen("status", "--json").stdout)["problem"]
        failed = blog_gen("train", code=1)
        assert "no such model" in failed.stderr
    finally:
        base.with_name("elsewhere").rename(base)


def test_adapters_come_home_without_their_base(there: Path, home: Path, base: Path, blog_gen: Run) -> None:
    call(there, "train", "--fresh", "--lora", "2", "--steps", "4")
    run, elsewhere = there / ".blog_gen" / "runs" / "default", base.with_name("elsewhere")
    base.rename(elsewhere)  # from now on, nobody here has it
    try:
        done = blog_gen("models", "import", str(run), "--as-run")
        assert "until" in done.stderr and "it writes drafts but learns nothing new" in done.stderr
        blog_gen("generate")
        rule, post = f"this run adds to the model {base}, which must be on this machine", "_articles/new.md"
        (home / post).write_text(article(1).replace("Note B", "Note Z") + f"\n{SENTENCES[0]}\n")
        assert rule in json.loads(blog_gen("status", "--json").stdout)["problem"]
        failed = blog_gen("train", code=1)
        assert rule in failed.stderr and "getting ready" not in failed.stderr
        (home / post).unlink()
        sampler = run / "sampler-int8.tflite"
        sampler.write_bytes(sampler.read_bytes().replace(b'"format": ', b'"format":-'))
        failed = blog_gen("models", "import", str(run), "--as-run", code=1)
        assert (
            f"must be made anew (it is damaged or of another version of blog-gen), and {rule}"
            in failed.stderr
        )
        sampler.unlink()
        failed = blog_gen("models", "import", str(run), "--as-run", code=1)
        assert f"must be made anew (there is none), and {rule}" in failed.stderr
        elsewhere.rename(base)
        call(there, "models", "export", "default", "--format", "folder", "out")
        base.rename(elsewhere)
        assert blog_gen("models", "import", str(there / "out"), "--as-run").stderr == ""
        blog_gen("generate")
    finally:
        if elsewhere.exists():
            elsewhere.rename(base)


def test_the_sites_own_settings_have_the_last_word(there: Path, home: Path, blog_gen: Run) -> None:
    config = yaml.safe_load((home / "_config.yml").read_text())
    config["blog_gen"]["model"] = "mini"
    (home / "_config.yml").write_text(yaml.safe_dump(config))
    done = blog_gen("models", "import", str(there / ".blog_gen" / "runs" / "default"), "--as-run")
    assert "the site's settings say `model: mini`" in done.stderr


def test_what_is_no_whole_run_changes_nothing(there: Path, home: Path, base: Path, blog_gen: Run) -> None:
    failed = blog_gen("models", "import", str(base), "--as-run", code=1)
    assert "must hold a run that blog-gen learned" in failed.stderr
    run = there / ".blog_gen" / "runs" / "default"
    (run / "vocab.bpe").write_bytes((run / "vocab.bpe").read_bytes() + b"\n")
    failed = blog_gen("models", "import", str(run), "--as-run", code=1)
    assert "must be complete; got damaged: vocab.bpe" in failed.stderr
    assert not (home / ".blog_gen" / "runs").exists()
    blog_gen("models", "import", str(base), code=2)
    blog_gen("models", "import", str(base), "--name", "x", "--as-run", code=2)
