"""`blog-gen sample` as a person meets it: prompts from a pipe or typed, a stop string, Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_site import write_base

from blog_gen.text.post import parse

SAMPLE = [sys.executable, "-m", "blog_gen.cli", "sample", "--max-tokens", "30"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a model is, and no site."""
    folder = tmp_path_factory.mktemp("sample")
    write_base(folder)
    return folder


def _sample(folder: Path, *words: str, given: str = "", code: int = 0) -> str:
    command = [*SAMPLE, "--model", str(folder), *words]
    done = subprocess.run(command, cwd=folder, input=given.encode(), capture_output=True, check=False)
    said = done.stderr.decode()
    assert done.returncode == code, said
    assert "Traceback" not in said
    return done.stdout.decode() if code == 0 else said  # not as text: a model may write a carriage return


def test_a_prompt_is_read_from_standard_input(folder: Path) -> None:
    assert _sample(folder, "-", given="title: Tin") == _sample(folder, "title: Tin")


def test_all_ways_of_showing_give_the_same_text(folder: Path) -> None:
    plain = _sample(folder, "title:", "--seed", "3")
    assert _sample(folder, "title:", "--seed", "3", "--stream") == plain
    row = json.loads(_sample(folder, "title:", "--seed", "3", "--json"))
    assert row["text"] + "\n" == plain and row["seed"] == 3 and row["stopped_by"] is None
    assert len(row["tokens"]) == len(row["logprobs"]) <= 30
    assert _sample(folder, "-i", "--seed", "3", given="title:\n") == plain


def test_a_stop_string_ends_the_text_and_is_not_shown(folder: Path) -> None:
    whole = json.loads(_sample(folder, "title:", "--json"))["text"].removeprefix("title:")
    stop = whole[4:6]
    row = json.loads(_sample(folder, "title:", "--json", "--stop", stop))
    assert row["text"] == "title:" + whole[: whole.index(stop)] and row["stopped_by"] == stop


def test_every_line_of_a_conversation_is_a_prompt_and_has_its_own_seed(folder: Path) -> None:
    said = _sample(folder, "-i", given="title:\ntitle:\n")
    assert said == _sample(folder, "title:", "--seed", "0") + _sample(folder, "title:", "--seed", "1")


def test_a_conversation_on_a_terminal_goes_on_after_ctrl_c_and_ends_with_ctrl_d(folder: Path) -> None:
    main, side = pty.openpty()
    command = [*SAMPLE[:-1], "100000", "--model", str(folder), "-i", "-n", "1000"]
    process = subprocess.Popen(
        command, cwd=folder, stdin=side, stdout=side, stderr=side, start_new_session=True
    )
    os.close(side)
    seen = b""

    def until(wanted: bytes) -> None:
        nonlocal seen
        end = time.monotonic() + 60
        while wanted not in seen and time.monotonic() < end:
            seen += os.read(main, 4096)
        assert wanted in seen, seen[-200:]
        seen = seen[seen.index(wanted) + len(wanted) :]

    until(b"> ")
    os.write(main, b"title:\n")
    until(b"outgrows")  # of a thousand texts, which take minutes
    process.send_signal(signal.SIGINT)
    until(b"stopped")
    until(b"> ")
    os.write(main, b"\x04")
    assert process.wait(timeout=30) == 0
    os.close(main)


def test_zero_texts_are_texts_without_end(folder: Path) -> None:
    command = [*SAMPLE[:-1], "4", "--model", str(folder), "-n", "0", "title:"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seeds: list[int] = []
    while len(seeds) < 20:  # two rounds, and some of the next
        line = process.stdout.readline()
        assert line, "it ended by itself"
        if line.startswith("===== seed"):
            seeds.append(int(line.split()[-1]))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert sorted(seeds[:16]) == list(range(16))


def test_ctrl_c_stops_at_once_with_what_there_is(folder: Path) -> None:
    command = [*SAMPLE[:-1], "100000", "--model", str(folder), "-n", "1000", "title:"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "outgrows" in line:
            break
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    texts, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and time.monotonic() - began < 5
    assert 8 <= texts.count("===== seed") < 1000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-tokens", "0"], "`sampling.max_tokens` must be above 0; got 0"),
        (["--temperature", "-0.1"], "`sampling.temperature` must be 0 or more; got -0.1"),
        (["--stop", ""], "a stop string must not be empty"),
        (["--stream", "--json"], "only one of"),
        (["-i", "title:"], "only one of"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(folder: Path, words: list[str], said: str) -> None:
    error = _sample(folder, *words, code=2 if "only one" in said else 1)
    assert said in error and error.count("\n") == 1


def test_an_empty_prompt_and_one_longer_than_the_context_are_prompts(folder: Path) -> None:
    assert _sample(folder, "") == _sample(folder)
    long = "title: Tin\n" * 200
    assert _sample(folder, "-", given=long).startswith(long)


def test_texts_without_a_prompt_are_posts_and_raw_ones_need_not_be(tmp_path: Path) -> None:
    words = ["--model", "mini", "--temperature", "1.5", "--top-p", "1", "--max-tokens", "150", "--seed", "1"]
    command = [sys.executable, "-m", "blog_gen.cli", "sample", *words]
    for begin in ([], ["title: Tin"]):
        lines = subprocess.check_output([*command, "-n", "6", "--json", *begin], cwd=tmp_path, text=True)
        texts = {row["seed"]: row["text"] for row in map(json.loads, lines.splitlines())}
        assert all(parse(text + "\n---\nIf it was cut in its title.").title for text in texts.values())
        streamed = subprocess.check_output([*command, "--stream", *begin], cwd=tmp_path, text=True)
        assert streamed == texts[1] + "\n"
    raw = subprocess.check_output([*command, "--raw"], cwd=tmp_path, text=True)
    assert raw != subprocess.check_output(command, cwd=tmp_path, text=True)
