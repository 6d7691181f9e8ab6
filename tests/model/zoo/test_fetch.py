"""A file over HTTP is whole or not there, whatever the server does."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import bad_server as bad
import pytest
from bad_server import BadServer, Behaviour
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blog_gen.errors import BlogGenError, ModelError
from blog_gen.model.zoo import fetch as module
from blog_gen.model.zoo.fetch import Expected, Retry, fetch

BODY = bytes(number * number % 251 for number in range(700_000))
WHOLE = Expected(len(BODY), hashlib.sha256(BODY).hexdigest())
QUICK = Retry(attempts=4, first_wait=0.001, jitter=0)
TIMEOUT = 0.3


@pytest.fixture
def server() -> Iterator[BadServer]:
    server = BadServer()
    server.files["weights"] = BODY
    yield server
    server.stop()


def get(
    server: BadServer, path: Path, expected: Expected = WHOLE, retry: Retry = QUICK
) -> list[tuple[int, int | None]]:
    seen: list[tuple[int, int | None]] = []
    url = f"{server.url}/weights"
    fetch(
        url,
        path,
        expected,
        lambda name, done, total: seen.append((done, total)),
        retry,
        TIMEOUT,
        by_hand="By hand",
    )
    return seen


FAULTS: dict[str, Behaviour] = {
    "breaks off": bad.breaks_off,
    "dies half way": bad.dies,
    "stalls": bad.stalls,
    "never answers": bad.never_answers,
    "a web page with status 200": bad.web_page,
    "a web page as binary": bad.web_page_in_disguise,
    "announces too much": bad.announces_too_much,
    "announces too little": bad.announces_too_little,
    "announces nonsense": bad.announces_nonsense,
    "other bytes": bad.sends_other_bytes,
    "never ends": bad.never_ends,
    "status 500": bad.fails(500),
    "status 503": bad.fails(503),
    "status 429": bad.fails(429),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_is_overcome(server: BadServer, tmp_path: Path, fault: str) -> None:
    server.script = [FAULTS[fault]]
    get(server, tmp_path / "weights")
    assert (tmp_path / "weights").read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_explained_and_leaves_no_file(
    server: BadServer, tmp_path: Path, fault: str
) -> None:
    server.script = [FAULTS[fault]] * 9
    with pytest.raises(
        ModelError, match=r"could not be downloaded; got .* at the last of 4 attempts\. By hand"
    ):
        get(server, tmp_path / "weights")
    assert not (tmp_path / "weights").exists()
    assert len(server.requests) == 4


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(set(FAULTS) - {"stalls", "never answers"})), max_size=5))
def test_any_row_of_faults_ends_in_the_file_or_in_an_error(
    server: BadServer, tmp_path_factory: pytest.TempPathFactory, faults: list[str]
) -> None:
    server.script = [FAULTS[fault] for fault in faults]
    path = tmp_path_factory.mktemp("row") / "weights"
    try:
        get(server, path)
    except ModelError:
        assert len(faults) >= QUICK.attempts
        assert not path.exists()
    else:
        assert path.read_bytes() == BODY


def test_it_goes_on_where_it_broke_off(server: BadServer, tmp_path: Path) -> None:
    server.script = [bad.breaks_off, bad.dies]
    seen = get(server, tmp_path / "weights")
    ranges = [asked for _, asked in server.requests]
    assert ranges[0] is None
    assert ranges[1] == "bytes=350000-"
    assert ranges[2] is not None and int(ranges[2][6:-1]) >= 350_000
    assert all(later >= earlier for (earlier, _), (later, _) in itertools.pairwise(seen))
    assert seen[-1] == (len(BODY), len(BODY))


def test_a_later_call_goes_on_too(server: BadServer, tmp_path: Path) -> None:
    server.script = [bad.breaks_off, bad.fails(500)]
    with pytest.raises(ModelError):
        get(server, tmp_path / "weights", retry=Retry(attempts=2, first_wait=0.001, jitter=0))
    assert (tmp_path / "weights.part").read_bytes() == BODY[:350_000]
    get(server, tmp_path / "weights")
    assert server.requests[-1] == ("/weights", "bytes=350000-")
    assert (tmp_path / "weights").read_bytes() == BODY


def test_a_server_that_ignores_ranges_starts_over(server: BadServer, tmp_path: Path) -> None:
    server.script = [bad.breaks_off, bad.ignores_range]
    get(server, tmp_path / "weights")
    assert (tmp_path / "weights").read_bytes() == BODY
    assert len(server.requests) == 2


def test_another_range_than_asked_for_is_not_taken(server: BadServer, tmp_path: Path) -> None:
    server.script = [bad.breaks_off, bad.sends_another_range]
    get(server, tmp_path / "weights")
    assert (tmp_path / "weights").read_bytes() == BODY
    assert [asked for _, asked in server.requests] == [None, "bytes=350000-", "bytes=350000-"]


@pytest.mark.parametrize("behaviour", [bad.web_page, bad.web_page_in_disguise])
def test_a_web_page_is_no_file_even_where_nothing_is_known_of_it(
    server: BadServer, tmp_path: Path, behaviour: Behaviour
) -> None:
    server.script = [behaviour]
    get(server, tmp_path / "weights", Expected())
    assert (tmp_path / "weights").read_bytes() == BODY


@pytest.mark.parametrize("leftover", [BODY, BODY + b"more", b"\0" * len(BODY), b"\0" * 1000])
@pytest.mark.parametrize("expected", [WHOLE, Expected(sha256=WHOLE.sha256)])
def test_whatever_lies_in_the_part_file(
    server: BadServer, tmp_path: Path, leftover: bytes, expected: Expected
) -> None:
    (tmp_path / "weights.part").write_bytes(leftover)
    get(server, tmp_path / "weights", expected)
    assert (tmp_path / "weights").read_bytes() == BODY


def test_a_web_page_does_not_spoil_what_had_arrived(server: BadServer, tmp_path: Path) -> None:
    server.script = [bad.breaks_off, bad.web_page, bad.good]
    get(server, tmp_path / "weights")
    assert [asked for _, asked in server.requests] == [None, "bytes=350000-", "bytes=350000-"]


def test_what_is_there_is_not_asked_for_again(server: BadServer, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(BODY)
    get(server, tmp_path / "weights")
    assert server.requests == []


def test_a_refusal_is_final(server: BadServer, tmp_path: Path) -> None:
    server.script = [bad.fails(403)]
    with pytest.raises(ModelError, match=r"the server refuses the file; got status 403 .*\. By hand"):
        get(server, tmp_path / "weights")
    assert len(server.requests) == 1


def test_no_server_at_all(tmp_path: Path) -> None:
    server = BadServer()
    server.stop()
    with pytest.raises(ModelError, match=r"http://127.0.0.1:\d+/weights: .*refused.*\. By hand"):
        get(server, tmp_path / "weights")


def test_the_proxy_of_the_environment_is_used(
    server: BadServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.prefix = "http://models.invalid/"  # a proxy is asked for the whole address
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    fetch("http://models.invalid/weights", tmp_path / "weights", WHOLE, lambda *_: None, QUICK, TIMEOUT)
    assert (tmp_path / "weights").read_bytes() == BODY


def test_a_small_file_of_unknown_size_must_not_fill_the_disk(
    server: BadServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNKNOWN_LIMIT", 200_000)
    server.script = [bad.never_ends] * 9
    with pytest.raises(ModelError, match="more than 200000 bytes"):
        get(server, tmp_path / "weights", Expected())


def test_an_unwritable_folder_is_not_the_network(server: BadServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BlogGenError, match="could not be written"):
        get(server, tmp_path / "file" / "weights")
    assert server.requests == []


def test_waits_grow_to_a_limit_and_differ_between_clients() -> None:
    assert list(Retry(attempts=7, jitter=0).waits()) == [1, 2, 4, 8, 16, 30]
    once, again = list(Retry().waits()), list(Retry().waits())
    assert once != again
    assert all(
        0.75 * wait <= drawn <= 1.25 * wait for wait, drawn in zip((1, 2, 4, 8, 16), once, strict=True)
    )


def test_a_server_that_cannot_be_reached_is_said_at_once(
    server: BadServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not half a minute later, after attempts that nobody sees."""
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail(f"waited {seconds} s"))
    server.stop()
    with pytest.raises(ModelError, match=r"could not be downloaded; got [^,]*\. By hand"):
        get(server, tmp_path / "weights", retry=Retry())
