"""The laws of sampling, on a random model: a text is its request's alone, and the cache changes nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from forcing import Ban, Force

from blog_gen.config.settings import SamplingSettings
from blog_gen.errors import ModelError, SamplingError
from blog_gen.model.hparams import HParams
from blog_gen.model.sampling.batch import Batch, Row
from blog_gen.model.sampling.cached_network import CachedNetwork
from blog_gen.model.sampling.processors import Processor
from blog_gen.model.sampling.sampler_file import Precision, SamplerFile, is_whole
from blog_gen.model.sampling.sampling import Request, Sample, Sampler
from blog_gen.model.weights import load_weights, save_weights

FREE = SamplingSettings(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
GREEDY = dataclasses.replace(FREE, temperature=0.0)


@pytest.fixture(scope="module", params=["int8", "float32"])
def sampler(request: pytest.FixtureRequest, tiny_folder: Path) -> Sampler:
    precision: Precision = request.param
    return Sampler.open(tiny_folder, precision=precision)


def requests(sampler: Sampler) -> list[Request]:
    """Prompts and lengths of every kind: none, shared, over a chunk, to the context's end and beyond."""
    rng = np.random.default_rng(3)
    shared = tuple(rng.integers(0, 259, 90).tolist())
    prompts = [(), (), shared, shared, shared[:63], shared[:64], tuple(rng.integers(0, 259, 250).tolist())]
    lengths = [150, 20, 60, 1, 100, 30, 120]
    return [Request(p, seed, n) for seed, (p, n) in enumerate(zip(prompts, lengths, strict=True))]


def drawn(
    sampler: Sampler, wanted: list[Request], rows: int, settings: SamplingSettings = FREE
) -> dict[int, Sample]:
    never_ending = [Ban((sampler.tokenizer.end_of_text,))]
    samples = sampler.generate(wanted, settings, processors=never_ending, rows=rows)
    return {sample.request.seed: sample for sample in samples}


def test_a_text_is_the_same_in_any_company(sampler: Sampler) -> None:
    wanted = requests(sampler)
    alone = drawn(sampler, wanted, rows=1)
    assert [len(alone[seed].tokens) for seed in range(7)] == [request.max_tokens for request in wanted]
    for rows in (2, 3, 8):
        assert drawn(sampler, wanted, rows) == alone  # to the last bit of every log-probability
    assert drawn(sampler, wanted[::-1], rows=4) == alone
    assert drawn(sampler, [wanted[5]], rows=8) == {5: alone[5]}


def test_other_seeds_give_other_texts(sampler: Sampler) -> None:
    texts = drawn(sampler, [Request((), seed, 20) for seed in range(8)], rows=8)
    assert len({sample.tokens for sample in texts.values()}) == 8


def test_one_of_top_k_is_greedy(sampler: Sampler) -> None:
    wanted = requests(sampler)
    greedy = drawn(sampler, wanted, 8, GREEDY)
    assert drawn(sampler, wanted, 8, dataclasses.replace(FREE, top_k=1)) == greedy
    assert drawn(sampler, wanted[:1], 1, dataclasses.replace(FREE, temperature=1e-4)) == {0: greedy[0]}


def test_log_probabilities_are_those_of_reading_the_text_again(
    sampler: Sampler, request: pytest.FixtureRequest
) -> None:
    """Before any processor, and also where the text outgrew the context."""
    cold = dataclasses.replace(FREE, temperature=0.5, top_k=20, repetition_penalty=1.3)
    # How many tokens are read at once decides the last bits of a sum; rounding to int8 now and then makes a
    # step of such a bit, so there single tokens may differ by more, and the mean may not.
    close = 0.05 if "int8" in request.node.name else 1e-4
    for sample in drawn(sampler, requests(sampler), 8, cold).values():
        again = sampler.log_probabilities([*sample.request.prompt, *sample.tokens])
        again = again[len(sample.request.prompt) :]
        np.testing.assert_allclose(sample.logprobs, again, atol=close)
        assert np.abs(np.array(sample.logprobs) - again).mean() < close / 20


def keras_logits(folder: Path, tokens: list[int]) -> np.ndarray:
    from blog_gen.model.training import network

    hparams = HParams.load(folder)
    weights = load_weights(folder, hparams)
    logits: np.ndarray = np.asarray(network.logits(weights, np.array([tokens], np.int32), hparams))[0]
    return logits


def test_reading_is_the_full_forward_pass(any_folder: Path) -> None:
    tokens = np.random.default_rng(0).integers(0, 260, 288).tolist()
    wanted = keras_logits(any_folder, tokens)
    cached = CachedNetwork(Sampler.open(any_folder, precision="float32").network.file.path)
    found = np.concatenate([chunk.logits for chunk in cached.read(tokens)[1]])
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("begin", [0, 1, 64, 127, 128, 200])
def test_a_cached_step_is_the_full_forward_pass(any_folder: Path, begin: int) -> None:
    """From many positions on, over the growth of the cache, beside other rows."""
    tokens = np.random.default_rng(begin).integers(0, 260, 288).tolist()
    wanted = keras_logits(any_folder, tokens)
    network = Sampler.open(any_folder, precision="float32").network
    network.arrange([(), tuple(tokens[:begin])], begin + 1)
    for at in range(begin, min(begin + 80, 288)):
        if at >= network.slots:
            network.arrange([0, 1], at + 1)
        prediction = network.step([tokens[at - begin], tokens[at]], [at - begin, at])
        np.testing.assert_allclose(prediction.logits[0], wanted[at - begin], atol=1e-4)
        np.testing.assert_allclose(prediction.logits[1], wanted[at], atol=1e-4)
        chances = np.exp(prediction.logits - prediction.normaliser[:, None])
        np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-4)


def test_a_large_cache_is_given_up_before_there_is_a_larger_one(
    any_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ai_edge_litert import interpreter

    path = Sampler.open(any_folder, precision="float32").network.file.path
    alive: weakref.WeakSet[object] = weakref.WeakSet()
    beside: list[int] = []

    class Counted(interpreter.Interpreter):  # type: ignore[misc]
        def __init__(self, *args: object, **options: object) -> None:
            beside.append(len(alive))
            super().__init__(*args, **options)
            alive.add(self)

    def logits(large: int) -> np.ndarray:
        monkeypatch.setattr("blog_gen.model.sampling.cached_network.LARGE_CACHE", large)
        network = CachedNetwork(path)
        network.arrange([(5, 6, 7), ()], 100)
        network.step([1, 2], [3, 0])
        network.arrange([1, 0, (8, 9)], 200)  # it grows, and rows change their seats
        return network.step([3, 4, 5], [1, 4, 2]).logits

    wanted = logits(1 << 60)
    monkeypatch.setattr(interpreter, "Interpreter", Counted)
    np.testing.assert_array_equal(logits(0), wanted)
    assert beside == [0, 0, 0]  # once to open it, and at each growth


def test_rows_that_end_make_room(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uneven texts cost what their tokens cost: no seat stays empty while one waits."""
    steps: list[int] = []
    plain = Batch.step

    def counted(batch: Batch, chain: Sequence[Processor]) -> Iterator[Row]:
        steps.append(len(batch.rows))
        return plain(batch, chain)

    monkeypatch.setattr(Batch, "step", counted)
    wanted = [Request((), seed, 3 + 10 * (seed % 4)) for seed in range(12)]
    drawn(sampler, wanted, rows=4)
    assert sum(steps) == sum(request.max_tokens for request in wanted)
    assert all(rows == 4 for rows in steps[: sum(steps) // 4 - 33])


def test_streaming_gives_the_same_text(sampler: Sampler) -> None:
    request = Request((5, 6, 7), 11, 120)
    (sample,) = sampler.generate([request], FREE)
    pieces = list(sampler.stream(request, FREE))
    assert "".join(pieces) == sample.text
    assert len(pieces) > 10
    assert sample.text == sampler.tokenizer.decode(sample.tokens)[: len(sample.text)]


def test_stop_strings_never_leak(sampler: Sampler) -> None:
    plain = drawn(sampler, [Request((), seed, 60) for seed in range(8)], 8)
    for seed, whole in plain.items():
        stop = whole.text[20:23]
        request = Request((), seed, 60)
        processors = [Ban((sampler.tokenizer.end_of_text,))]
        (sample,) = sampler.generate([request], FREE, stop=[stop, "never there"], processors=processors)
        assert sample.stopped_by == stop
        assert sample.text == whole.text[: whole.text.index(stop)]
        assert sample.text.startswith(sampler.tokenizer.decode(sample.tokens))
        assert len(sample.logprobs) == len(sample.tokens)


def test_end_of_text_ends_and_is_never_shown(sampler: Sampler) -> None:
    end = sampler.tokenizer.end_of_text
    ending = [Force({5: end})]
    (sample,) = sampler.generate([Request((1, 2), 0, 50)], FREE, processors=ending)
    assert sample.ended
    assert len(sample.tokens) == 3
    assert end not in sample.tokens
    assert "endoftext" not in sample.text


def test_listeners_hear_every_token_and_can_stop(sampler: Sampler) -> None:
    heard: dict[int, list[tuple[int, float]]] = {0: [], 1: [], 2: []}

    def hear(number: int, token: int, logprob: float) -> None:
        heard[number].append((token, logprob))

    wanted = [Request((), seed, 40) for seed in range(3)]
    samples = list(sampler.generate(wanted, GREEDY, on_token=hear, rows=2, cancel=lambda: len(heard[0]) == 7))
    assert [(sample.request.seed, len(sample.tokens)) for sample in samples] == [(0, 7), (1, 7)]
    assert all(list(zip(s.tokens, s.logprobs, strict=True)) == heard[s.request.seed] for s in samples)


def test_longer_than_the_context_warns_once_and_goes_on(sampler: Sampler) -> None:
    warnings: list[str] = []
    prompt = tuple(np.random.default_rng(1).integers(0, 259, 700).tolist())
    wanted = [Request(prompt, 0, 200), Request((), 1, 10)]
    never_ending = [Ban((sampler.tokenizer.end_of_text,))]
    samples = sampler.generate(wanted, FREE, on_warning=warnings.append, processors=never_ending)
    assert sorted(len(sample.tokens) for sample in samples) == [10, 200]
    assert len(warnings) == 1
    assert "288 tokens" in warnings[0]


@pytest.mark.parametrize(
    "request_",
    [Request((), 0, 0), Request((), 0, -5), Request((260,), 0, 5), Request((-1,), 0, 5), Request((), -1, 5)],
)
def test_a_request_out_of_range_is_an_error(sampler: Sampler, request_: Request) -> None:
    with pytest.raises(SamplingError):
        list(sampler.generate([request_], FREE))


def test_other_bad_input(sampler: Sampler) -> None:
    for bad in ({"rows": 0}, {"stop": [""]}):
        with pytest.raises(SamplingError):
            list(sampler.generate([Request((), 0, 5)], FREE, **bad))
    with pytest.raises(SamplingError, match="temperature"):
        list(sampler.generate([], dataclasses.replace(FREE, temperature=-1.0)))
    assert list(sampler.generate([], FREE)) == []
    assert len(sampler.log_probabilities([])) == 0


@pytest.fixture
def copied(tiny_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """A run folder with its sampler made."""
    Sampler.open(tiny_folder)
    shutil.copytree(tiny_folder, tmp_path / "run")
    yield tmp_path / "run"


def sampler_file(folder: Path) -> Path:
    return folder / "sampler-int8.tflite"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def age(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"format": ', b'"format":-'))


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, flip, age, empty, Path.unlink])
def test_a_damaged_sampler_is_made_anew(copied: Path, damage: object) -> None:
    path = sampler_file(copied)
    whole = path.read_bytes()
    damage(path)  # type: ignore[operator]
    Sampler.open(copied)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(("change", "whole"), [(age, True), (flip, False), (truncate, False)])
def test_a_sampler_of_another_format_is_no_damage(copied: Path, change: object, whole: bool) -> None:
    change(sampler_file(copied))  # type: ignore[operator]
    assert is_whole(sampler_file(copied)) == whole


def test_a_sampler_of_other_weights_is_made_anew(copied: Path) -> None:
    hparams = HParams.load(copied)
    weights = load_weights(copied, hparams)
    weights["wpe"] = weights["wpe"] + 1
    save_weights(weights, copied)
    old, tokens, places = SamplerFile.open(sampler_file(copied)), np.arange(5), np.arange(5)
    embedded = old.embed(tokens, places)
    sampler = Sampler.open(copied)
    assert sampler.weights_sha256 != old.weights
    # The tables too, though the same process has just read those of the old file.
    moved = SamplerFile.open(sampler_file(copied)).embed(tokens, places) - embedded
    assert np.abs(moved - 1).max() < 0.02
    assert SamplerFile.open(sampler_file(copied)).weights == sampler.weights_sha256


def test_a_whole_sampler_is_not_touched(copied: Path) -> None:
    before = sampler_file(copied).stat().st_mtime_ns
    Sampler.open(copied)
    assert sampler_file(copied).stat().st_mtime_ns == before


def test_a_run_folder_without_weights_still_samples(copied: Path) -> None:
    wanted = drawn(Sampler.open(copied), [Request((), 1, 9)], 1)
    (copied / "model.safetensors").unlink()
    assert drawn(Sampler.open(copied), [Request((), 1, 9)], 1) == wanted
    sampler_file(copied).unlink()
    with pytest.raises(ModelError, match="safetensors"):
        Sampler.open(copied)


def test_weights_are_stored_once(tiny_folder: Path) -> None:
    parameters = HParams.load(tiny_folder).parameters
    Sampler.open(tiny_folder)
    Sampler.open(tiny_folder, precision="float32")
    assert (tiny_folder / "sampler-float32.tflite").stat().st_size < 4 * parameters + 60_000
    positions = 4 * 288 * 32  # wpe stays float32
    assert sampler_file(tiny_folder).stat().st_size < parameters + positions + 80_000


def test_neither_converting_nor_sampling_imports_tensorflow(copied: Path) -> None:
    sampler_file(copied).unlink()
    code = """
import sys
from pathlib import Path
from blog_gen.config.settings import SamplingSettings
from blog_gen.model.sampling.sampling import Request, Sampler
samples = list(Sampler.open(Path(sys.argv[1])).generate([Request((), 0, 5)], SamplingSettings()))
assert not {"tensorflow", "keras", "jax", "torch"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, copied], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@contextlib.contextmanager
def as_somebody() -> Iterator[None]:
    """No permission stops root, as whom a container runs its tests."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_folder_that_cannot_be_written_keeps_its_sampler_in_the_cache(tiny_folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        shutil.copytree(tiny_folder, base / "run", ignore=shutil.ignore_patterns("*.tflite"))
        (base / "cache").mkdir()
        for path, mode in ((base, 0o755), (base / "run", 0o555), (base / "cache", 0o777)):
            path.chmod(mode)
        with as_somebody():
            Sampler.open(base / "run", cache=base / "cache")
            Sampler.open(base / "run", cache=base / "cache")
        assert not list((base / "run").glob("*.tflite"))
        (made,) = (base / "cache").iterdir()
        assert SamplerFile.open(made).hparams == HParams.load(tiny_folder)
        (base / "run").chmod(0o755)


def test_a_foreign_file_is_no_sampler(tmp_path: Path) -> None:
    for data in (
        b"",
        b"1234567",
        b"x" * 100,
        json.dumps({"format": 1}).encode() + (13).to_bytes(8, "little"),
    ):
        path = tmp_path / "file.tflite"
        path.write_bytes(data)
        with pytest.raises(ModelError):
            SamplerFile.open(path)
