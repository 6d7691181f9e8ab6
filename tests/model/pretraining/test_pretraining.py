"""A base model from scratch: bad lines are named, the mixture is kept to, and a stop leaves no trace."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blog_gen.errors import CorpusError, Note
from blog_gen.model.hparams import HParams
from blog_gen.model.quiet import quiet
from blog_gen.model.stopping import StopRequest

quiet()
from blog_gen.model.bpe import Tokenizer  # noqa: E402
from blog_gen.model.pretraining.base_model import PretrainingCorpus, make_base  # noqa: E402
from blog_gen.model.pretraining.plan import PretrainingPlan  # noqa: E402
from blog_gen.model.pretraining.pretraining import Pretraining  # noqa: E402
from blog_gen.model.pretraining.shards import Shards, read_documents  # noqa: E402
from blog_gen.model.training.optimizers import Optimizer  # noqa: E402
from blog_gen.model.weights import load_weights  # noqa: E402

HPARAMS = HParams(n_vocab=300, n_ctx=64, n_embd=32, n_head=2, n_layer=1)
PLAN = PretrainingPlan(
    tokens=40 * 256,
    batch_tokens=256,
    rate=1e-2,
    warmup_tokens=512,
    decay=0.5,
    window=64,
    average_tokens=8 * 256,
    final_mixture={"books": 0.0},
)
MUON = Optimizer("muon")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> PretrainingCorpus:
    folder = tmp_path_factory.mktemp("corpus")
    for name, count in (("train", 60), ("valid", 12)):
        with lzma.open(folder / f"{name}.jsonl.xz", "wt", encoding="utf-8") as file:
            for number in range(count):
                source = "books" if number % 3 == 0 else "blogs"
                text = f"title: Part {number}\n---\n" + " ".join(f"the {n} of {source}" for n in range(40))
                file.write(json.dumps({"source": source, "text": text}) + "\n")
    return PretrainingCorpus((folder / "train.jsonl.xz",), (folder / "valid.jsonl.xz",))


def _make(
    corpus: PretrainingCorpus,
    folder: Path,
    plan: PretrainingPlan = PLAN,
    interrupted: Callable[[], bool] = lambda: False,
) -> Pretraining:
    heard: list[object] = []
    stop = StopRequest(interrupted)
    return make_base(corpus, folder, HPARAMS, plan, MUON, heard.append, heard.append, stop, float("inf"))


def _stop_after(steps: int) -> Callable[[], bool]:
    left = iter(range(steps - 1))
    return lambda: next(left, None) is None


def test_it_learns_and_leaves_a_model_folder(corpus: PretrainingCorpus, tmp_path: Path) -> None:
    run = _make(corpus, tmp_path)
    history = run.position.history
    assert history[-1]["valid_bits_per_byte"] < 2.0 < history[0]["loss"]
    assert Tokenizer.load(tmp_path).n_vocab == HPARAMS.n_vocab
    assert load_weights(tmp_path, HParams.load(tmp_path)).keys() == HPARAMS.shapes().keys()


@pytest.mark.parametrize("stop_at", [3, 20, 31])
def test_stopped_anywhere_it_ends_with_the_same_bits(
    corpus: PretrainingCorpus, tmp_path: Path, stop_at: int
) -> None:
    straight = _make(corpus, tmp_path / "straight")
    first = _make(corpus, tmp_path / "stopped", interrupted=_stop_after(stop_at))
    assert first.position.step == stop_at
    again = _make(corpus, tmp_path / "stopped")
    assert again.position.step == PLAN.steps
    assert all(np.array_equal(value, again.weights()[name]) for name, value in straight.weights().items())
    assert all(np.array_equal(value, again.average()[name]) for name, value in straight.average().items())


def test_the_average_is_handed_on_and_measured(corpus: PretrainingCorpus, tmp_path: Path) -> None:
    run = _make(corpus, tmp_path, replace(PLAN, decay=0.0))
    kept = load_weights(tmp_path, HPARAMS)
    assert all(np.allclose(kept[name], value, atol=1e-3) for name, value in run.average().items())
    assert any(not np.allclose(kept[name], value, atol=1e-3) for name, value in run.weights().items())
    last = run.position.history[-1]
    assert last["average_bits_per_byte"] != last["valid_bits_per_byte"] == round(run.valid_bits_per_byte(), 4)


def test_an_average_over_one_step_is_the_weights(corpus: PretrainingCorpus, tmp_path: Path) -> None:
    run = _make(corpus, tmp_path, replace(PLAN, average_tokens=PLAN.batch_tokens))
    assert all(np.allclose(value, run.average()[name], atol=1e-6) for name, value in run.weights().items())


def test_a_longer_plan_goes_on_from_before_the_rate_fell(corpus: PretrainingCorpus, tmp_path: Path) -> None:
    _make(corpus, tmp_path)
    longer = replace(PLAN, tokens=2 * PLAN.tokens)
    shards = Shards(tmp_path / "pretraining" / "train")
    run = Pretraining(HPARAMS, longer, MUON, shards, tmp_path / "pretraining")
    assert run.resume() and run.position.step == PLAN.steps // 2


def test_a_finished_model_whose_state_is_lost_goes_on_from_its_weights(
    corpus: PretrainingCorpus, tmp_path: Path
) -> None:
    finished = _make(corpus, tmp_path)
    for state in (tmp_path / "pretraining").glob("*.safetensors"):
        state.unlink()
    on = _make(corpus, tmp_path)
    assert on.position.history[0]["loss"] < 0.7 * finished.position.history[0]["loss"]
    assert on.position.epoch > finished.position.epoch  # other texts come first


def test_lines_that_are_no_documents_are_named_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    good = json.dumps({"source": "s", "text": "words"}).encode()
    path.write_bytes(
        b"\n".join([good, b"{no json", b'{"source": "s"}', b'{"text": "\xff"}', b"[]", good, b"[" * 100_000])
    )
    notes: list[Note] = []
    assert [document.text for document in read_documents([path], notes)] == ["words", "words"]
    assert [note.rule for note in notes] == [
        "line 2 is not JSON",
        "line 3 lacks `text`",
        "line 4 is not UTF-8",
        "line 5 lacks `text`",
        "line 7 is not JSON",
    ]


def test_a_file_that_ends_too_early_is_named(tmp_path: Path) -> None:
    whole = lzma.compress(b'{"text": "one"}\n' * 999)
    for name, data in (("cut.jsonl.xz", whole[:-9]), ("plain.jsonl.xz", b'{"text": "one"}\n')):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CorpusError, match=f"{name}: a corpus file must be whole"):
            list(read_documents([tmp_path / name], []))


def test_other_texts_need_another_folder(corpus: PretrainingCorpus, tmp_path: Path) -> None:
    _make(corpus, tmp_path, interrupted=lambda: True)
    with pytest.raises(CorpusError, match=r"must be the one that was encoded here; got another train"):
        _make(replace(corpus, train=corpus.valid), tmp_path)


def test_a_corpus_too_small_for_the_vocabulary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.jsonl"
    path.write_text(json.dumps({"text": "aa"}))
    with pytest.raises(CorpusError, match="too small for the vocabulary"):
        _make(PretrainingCorpus((path,)), tmp_path / "out")


def test_the_mixture_decides_which_documents_an_epoch_holds(
    corpus: PretrainingCorpus, tmp_path: Path
) -> None:
    _make(corpus, tmp_path, replace(PLAN, tokens=256))
    shards = Shards(tmp_path / "pretraining" / "train")
    everything, none = shards.epoch(0, {}), shards.epoch(0, {"books": 0.0})
    by_source: Counter[str] = Counter()
    for source, length in zip(shards.sources, np.diff(shards.starts), strict=True):
        by_source[source] += int(length)
    assert everything.length == len(shards.tokens) == by_source.total()
    assert none.length == by_source["blogs"]
    half = [shards.epoch(number, {"books": 0.5}).length - by_source["blogs"] for number in range(40)]
    assert np.mean(half) == pytest.approx(by_source["books"] / 2, rel=0.15)


def test_texts_are_prepared_for_training_and_left_alone_for_validation(
    corpus: PretrainingCorpus, tmp_path: Path
) -> None:
    _make(replace(corpus, prepare=str.upper), tmp_path, replace(PLAN, tokens=256))
    tokenizer = Tokenizer.load(tmp_path)
    train, valid = (Shards(tmp_path / "pretraining" / name) for name in ("train", "valid"))
    assert tokenizer.decode(train.tokens[: train.starts[1] - 1]).startswith("TITLE: PART 0\n---\nTHE 0 OF")
    assert tokenizer.decode(valid.tokens[: valid.starts[1] - 1]).startswith("title: Part 0\n---\nthe 0 of")


def test_windows_read_an_epoch_as_one_long_row(corpus: PretrainingCorpus, tmp_path: Path) -> None:
    _make(corpus, tmp_path, replace(PLAN, tokens=256))
    epoch = Shards(tmp_path / "pretraining" / "train").epoch(5, {})
    whole = epoch.window(0, epoch.length)
    for start, length in ((0, 10), (777, 1000), (epoch.length - 5, 5)):
        assert np.array_equal(epoch.window(start, length), whole[start : start + length])
