"""Learning, interrupted, killed and asked for anew with other settings: nothing is lost without a word."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from calling import call
from click.testing import CliRunner
from side_by_side import Command, run
from tiny_site import article, write_base, write_site

from blog_gen import runs
from blog_gen.cli import cli
from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.corpus import read_corpus
from blog_gen.drafting.candidates import Lengths
from blog_gen.drafting.drafter import Drafter
from blog_gen.errors import BlogGenError, ConfigError, ModelError, Note
from blog_gen.judge.completeness import usual_words
from blog_gen.learning.fine_tuning import train
from blog_gen.learning.monitor import Monitor
from blog_gen.learning.staleness import depends_on, settings_that_differ, up_to_date
from blog_gen.model.formats.folder import draft_words, sampling_defaults
from blog_gen.model.integrity import weights_file
from blog_gen.model.stopping import StopRequest
from blog_gen.model.training.checkpoints import Checkpoints
from blog_gen.model.training.machine import Machine
from blog_gen.model.training.recipe import MEMORY_STRATEGIES
from blog_gen.model.training.training import FineTuning

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("known_machine")
STEPS = 12


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def site(tmp_path: Path, base: Path) -> Path:
    return write_site(tmp_path, base, training={"steps": STEPS, "learning_rate": 0.01, "dropout": 0.0})


def settings_of(site: Path, **training: Any) -> Settings:
    return load_settings(site, {"training": training})


def learn(
    settings: Settings, stop: bool = False, fresh: bool = False
) -> tuple[runs.Meta | None, list[str], float]:
    """The run, what was noted, and the step of which something was first heard; stopped after one step."""
    notes: list[Note] = []
    steps: list[float] = []
    monitor = Monitor(
        row=lambda row: steps.append(row["step"]),
        stop=StopRequest(lambda: stop and any(steps)),  # step 0 is the base's evaluation
        note=notes.append,
    )
    meta = train(settings, read_corpus(settings), monitor, NOW, fresh)
    return meta, [str(note) for note in notes], steps[0]


def set_memory(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    from blog_gen.model.distributed import strategy

    monkeypatch.setattr(strategy, "machine", lambda: Machine(size, has_bfloat16=False))


def least_memory(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> int:
    """So little that only adapters fit."""
    from blog_gen.model.training import memory

    needed = {None: 8 << 30, learning_rank(): 1 << 30}
    monkeypatch.setattr(memory, "to_train", lambda hparams, tokens, length, lora, *more: needed[lora])
    return 2 << 30


def learning_rank() -> int:
    from blog_gen.model.training.strategies import LORA_RANK

    return LORA_RANK


@pytest.mark.parametrize("little_first", [True, False])
def test_a_resumed_run_keeps_its_recipe_whatever_memory_is_free(
    site: Path, monkeypatch: pytest.MonkeyPatch, little_first: bool
) -> None:
    settings = settings_of(site)
    little = least_memory(settings, monkeypatch)
    first, then = (little, 64 << 30) if little_first else (64 << 30, 16 << 30)
    set_memory(monkeypatch, first)
    assert learn(settings, stop=True)[0] is None
    set_memory(monkeypatch, then)
    meta, notes, step = learn(settings)
    assert step == 1 and not notes, "it goes on where it was stopped: that step is measured first"
    assert meta is not None and (meta.recipe["lora"] is not None) == little_first


def test_a_checkpoint_is_not_lost_where_memory_no_longer_suffices(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(site)
    little = least_memory(settings, monkeypatch)
    set_memory(monkeypatch, 64 << 30)
    learn(settings, stop=True)
    set_memory(monkeypatch, little)
    with pytest.raises(ModelError, match="Close other programs"):
        learn(settings)
    set_memory(monkeypatch, 64 << 30)
    assert learn(settings)[1:] == ([], 1)


def test_a_checkpoint_of_other_settings_or_posts_is_not_removed_without_a_word(site: Path) -> None:
    learn(settings_of(site), stop=True)
    _, notes, step = learn(settings_of(site, lora=2), stop=True)
    (note,) = notes
    assert (
        "training here was with `training: {lora: null}`, and the settings are `training: {lora: 2}`" in note
    )
    assert step == 0
    (site / "_articles" / "note_0.md").unlink()
    assert "on other posts" in learn(settings_of(site, lora=2), stop=True)[1][0]
    assert learn(settings_of(site, lora=2), stop=True)[1:] == ([], 1)
    assert learn(settings_of(site, lora=2), stop=True, fresh=True)[1:] == ([], 0), "as it was told to"


def test_a_run_started_over_beside_a_finished_one_resumes_without_being_told_again(site: Path) -> None:
    settings = settings_of(site)
    learn(settings)
    assert learn(settings, stop=True, fresh=True)[2] == 0
    assert learn(settings, stop=True)[1:] == ([], 1), "the same posts, and yet there is something to learn"
    (site / "_articles" / "note_8.md").write_text(article(0) + "\nA word more.\n")
    meta, notes, step = learn(settings)
    assert meta is not None and meta.continued == 1 and step == 0
    assert "on other posts" in notes[0]


def test_from_a_run_that_learned_nothing_no_short_one_goes_on(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = itertools.count(4.0)
    monkeypatch.setattr(FineTuning, "held_out_loss", lambda self, by_text=False: next(losses))
    before, _, _ = learn(settings_of(site))
    assert before is not None and before.is_base and before.gained is False
    (site / "_articles" / "note_90.md").write_text(article(90))
    monkeypatch.undo()
    after, _, _ = learn(settings_of(site))
    assert after is not None and after.continued == 0 and not after.is_base
    assert after.recipe["steps"] == before.recipe["steps"], "as long as if it were the first"


def _harmed_at(monkeypatch: pytest.MonkeyPatch, rate: float) -> None:
    """Held-out posts get harder to predict with every step at `rate` or more, and easier below it."""
    monkeypatch.setattr(
        FineTuning,
        "held_out_loss",
        lambda self, by_text=False: 4.0 + (1 if self.recipe.rate >= rate else -1) * self.position.step / 10,
    )


def _begun(
    settings: Settings, stop: bool = False, doing: Callable[[str], None] = lambda words: None
) -> tuple[runs.Meta | None, list[str], list[dict[str, Any]]]:
    """The run, the sentences of what was begun, and all that was reported."""
    sentences: list[str] = []
    rows: list[Any] = []
    gentle = lambda: stop and "starts over at a lower one" in sentences[-1]  # noqa: E731
    monitor = Monitor(
        started=lambda said, steps: sentences.append(said),
        row=rows.append,
        stop=StopRequest(gentle),
        doing=doing,
    )
    return train(settings, read_corpus(settings), monitor, NOW), sentences, rows


@pytest.mark.parametrize(("harm", "best", "tries"), [(1.0, 12, 1), (1e-4, 12, 2), (1e-9, 0, 2)])
def test_a_rate_that_does_harm_is_followed_by_a_quarter_of_it_and_by_nothing_else(
    harm: float, best: int, tries: int, tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, base, training={"steps": STEPS, "learning_rate": None})
    _harmed_at(monkeypatch, harm)
    meta, sentences, _ = _begun(settings_of(site))
    assert meta is not None and len(sentences) == tries
    assert (meta.best_step, meta.recipe["rate"], meta.is_base) == (
        best,
        2e-4 if tries == 1 else 5e-5,
        not best,
    )


@pytest.mark.parametrize("training", [{"learning_rate": 2e-4}, {"max_minutes": 0.001}])
def test_a_rate_that_was_asked_for_is_kept_and_no_time_is_taken_that_is_not_there(
    training: dict[str, Any], tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, base, training={"steps": STEPS, **training})
    _harmed_at(monkeypatch, 1e-9)
    words: list[str] = []
    meta, sentences, _ = _begun(settings_of(site), doing=words.append)
    assert meta is not None and meta.is_base and len(sentences) == 1
    # Each takes many seconds with a large base, after the last step.
    assert [each.partition(" ")[0] for each in words] == ["getting", "comparing", "measuring", "keeping"]


def test_a_second_try_that_is_stopped_goes_on_as_the_second_and_its_time_counts_from_the_first(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, base, training={"steps": STEPS, "learning_rate": None})
    _harmed_at(monkeypatch, 1e-4)
    assert _begun(settings_of(site), stop=True)[0] is None
    meta, sentences, rows = _begun(settings_of(site))
    assert meta is not None and meta.recipe["gentle"] and len(sentences) == 1
    assert rows[0]["step"] == 1, "the step at which it was stopped is measured first"
    assert meta.history[0]["step"] == 0 < meta.history[0]["seconds"]


def test_a_second_try_that_ends_before_its_first_step_is_made_again_and_not_the_first(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, base, training={"steps": STEPS, "learning_rate": None})
    _harmed_at(monkeypatch, 1e-4)

    def ended(sentence: str, steps: int) -> None:
        if "starts over at a lower one" in sentence:
            raise KeyboardInterrupt

    settings = settings_of(site)
    with pytest.raises(KeyboardInterrupt):
        train(settings, read_corpus(settings), Monitor(started=ended), NOW)
    meta, sentences, _ = _begun(settings)
    assert meta is not None and meta.recipe["gentle"] and len(sentences) == 1


def test_what_a_base_can_carry_goes_with_every_run_of_it(base: Path, tmp_path: Path) -> None:
    meta = shutil.copytree(base, tmp_path / "base") / "meta.json"
    meta.write_text('{"draft_words": 6, "sampling": {"temperature": 0.7, "top_p": 0.8}}')
    site = write_site(tmp_path / "site", tmp_path / "base", training={"steps": 2})
    settings = settings_of(site, learning_rate=0.01)
    learn(settings)
    shutil.rmtree(tmp_path / "base")
    (site / "_articles" / "note_90.md").write_text(article(90))
    after, _, _ = learn(settings)
    assert after is not None and (after.continued, after.draft_words) == (1, 6)
    drafter = Drafter(settings, read_corpus(settings))
    assert drafter.sampling == dataclasses.replace(settings.sampling, temperature=0.7, top_p=0.8)
    bolder = load_settings(site, {"sampling": {"temperature": 1.0}})
    assert Drafter(bolder, drafter.corpus).sampling == dataclasses.replace(bolder.sampling, top_p=0.8)
    assert drafter.context.words[0] == 2 < usual_words(a.body for a in drafter.corpus.articles)[0]
    assert (
        drafter.writer.lengths.most
        < Lengths.of(drafter.corpus.texts.values(), drafter.sampler.tokenizer).least
    )


@pytest.mark.parametrize("words", ["0", "-3", "true", "2.5", '"many"'])
def test_a_length_that_is_none_is_one_clear_error(words: str, tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(f'{{"draft_words": {words}}}')
    with pytest.raises(ModelError, match="draft_words must be a whole number above 0"):
        draft_words(tmp_path)


@pytest.mark.parametrize("sampling", ["[]", '{"warmth": 1}', '{"temperature": -1}', '{"top_p": "all"}'])
def test_sampling_that_is_none_is_one_clear_error(sampling: str, tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(f'{{"sampling": {sampling}}}')
    with pytest.raises(ConfigError, match="sampling") as error:
        sampling_defaults(tmp_path)
    assert error.value.path == tmp_path / "meta.json"


def test_a_run_that_was_never_saved_binds_nobody(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(site)
    little = least_memory(settings, monkeypatch)
    set_memory(monkeypatch, 64 << 30)
    monkeypatch.setattr(Checkpoints, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        learn(settings, stop=True)
    monkeypatch.undo()
    least_memory(settings, monkeypatch)
    set_memory(monkeypatch, little)
    meta, _, step = learn(settings)
    assert meta is not None and meta.recipe["lora"] and step == 0


def test_a_disk_that_fills_up_at_the_end_is_one_clear_error(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("blog_gen.learning.finishing.shutil.copyfile", full)
    with pytest.raises(BlogGenError, match="No space left on device"):
        learn(settings_of(site))


def test_in_how_many_parts_or_minutes_it_was_learned_is_no_reason_to_learn_again(site: Path) -> None:
    meta, _, _ = learn(settings_of(site, max_minutes=60, gradient_accumulation=1))
    assert up_to_date(meta, settings_of(site))
    for name, value in (
        ("max_minutes", 1.0),
        ("gradient_accumulation", 3),
        ("activation_checkpointing", True),
    ):
        assert up_to_date(meta, settings_of(site, **{name: value})), name
    assert {"gradient_accumulation", "activation_checkpointing"} == set(MEMORY_STRATEGIES)
    for name, value in (("lora", 8), ("epochs", 1.0), ("seed", 1)):
        assert not up_to_date(meta, settings_of(site, **{name: value})), name
    assert not up_to_date(meta, dataclasses.replace(settings_of(site), model="124M"))


def test_a_run_of_other_settings_is_kept_beside_the_new_one_and_that_is_said_first(site: Path) -> None:
    settings = settings_of(site)
    before, _, _ = learn(settings_of(site, lora=2))
    weights = weights_file(settings.run_folder)
    content = weights.read_bytes()
    after, notes, _ = learn(settings)
    (note,) = notes
    assert "trained with `training: {lora: 2}`, and the settings are `training: {lora: null}`" in note
    assert "kept as default.before" in note
    kept = runs.kept_folder(settings.run_folder)
    assert (runs.read_meta(kept), runs.read_meta(settings.run_folder)) == (before, after)
    assert (kept / weights.name).read_bytes() == content
    assert not (kept / runs.STATE_FOLDER).exists()


def test_settings_are_named_so_that_they_can_be_pasted(site: Path) -> None:
    asked = load_settings(site, {"model": "124M", "training": {"lora": 8, "activation_checkpointing": True}})
    named = settings_that_differ(depends_on(asked), depends_on(settings_of(site)))
    (site / "_config.yml").write_text("blog_gen:\n  " + named.replace("`, `", "\n  ").strip("`"))
    pasted = load_settings(site)
    assert (pasted.model, pasted.training.lora) == ("124M", 8)


def test_flags_are_said_to_belong_into_the_settings(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(site)
    said = CliRunner().invoke(cli, ["train", "--lora", "2", "--max-minutes", "5"]).stderr
    assert (
        "note: learned with `training: {lora: 2}`, which was given by flag: write it under `blog_gen:`"
        in said
    )
    assert "max_minutes" not in said
    done = CliRunner().invoke(cli, ["train"])
    assert done.exit_code == 0 and "given by flag" not in done.stderr


def _killed(*arguments: object, **named: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_run_that_goes_on_and_is_killed_while_it_is_measured_is_still_there(site: Path) -> None:
    settings = settings_of(site)
    before, _, _ = learn(settings)
    files = {path: path.read_bytes() for path in settings.run_folder.iterdir() if path.is_file()}
    (site / "_articles" / "note_90.md").write_text(article(90))
    words = ("train",)
    [killed] = run(site, Command(words, site, attributes={"blog_gen.learning.finishing.own_limits": _killed}))
    assert killed.code == -signal.SIGKILL, killed.said
    assert runs.read_meta(settings.run_folder) == before
    assert all(path.read_bytes() == content for path, content in files.items())
    done = call(site, *words)
    after = runs.read_meta(settings.run_folder)
    assert "continues from what was learned before" in done.stderr
    assert after is not None and before is not None and after.continued == before.continued + 1
    assert [path.name for path in settings.run_folder.parent.iterdir()] == ["default"]
