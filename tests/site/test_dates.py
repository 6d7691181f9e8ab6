"""Dates as Jekyll reads them. A golden file holds what Jekyll 4.3 itself answered for a site in New York."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog_gen.config.settings import Settings
from blog_gen.errors import ConfigError
from blog_gen.site.dates import FULL, format_date, local, parse_date, split_name, zone_of
from blog_gen.site.front_matter import parse

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")

# What Jekyll's YAML makes of each date as it may be written, and the moment of the post; null for none.
GOLDEN: dict[str, tuple[object, str | None]] = json.loads(
    Path(__file__).with_name("dates.json").read_text(encoding="utf-8")
)
RECORDER = Path(__file__).with_name("record_dates.rb")


def _shown(value: object) -> object:
    """As the recorder writes it."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return f"{aware.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize("written", GOLDEN)
def test_a_date_is_what_it_is_to_jekyll(written: str) -> None:
    as_yaml, as_post = GOLDEN[written]
    value = parse(f"date: {written}")["date"]
    assert _shown(value) == as_yaml
    if as_post is None:
        with pytest.raises(ValueError, match="is not a date"):
            parse_date(value, NEW_YORK)
    else:
        assert format_date(parse_date(value, NEW_YORK)) == as_post


@pytest.mark.jekyll
def test_the_table_is_what_jekyll_answers(jekyll: str) -> None:
    ruby = shutil.which("ruby")
    assert ruby, f"{jekyll} runs on Ruby"
    done = subprocess.run(
        [ruby, RECORDER],
        input=json.dumps(list(GOLDEN)),
        env={"TZ": "America/New_York", "PATH": str(Path(ruby).parent), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == GOLDEN


@pytest.mark.parametrize(
    "value", [None, 3.5, 780, datetime.max.replace(tzinfo=UTC), "9999-99-99", "0000-01-01"]
)
def test_a_value_that_is_no_date(value: object) -> None:
    with pytest.raises(ValueError, match="is not a date"):
        parse_date(value, ZoneInfo("Asia/Tokyo"))


@given(st.text("0123456789-/:. TZ+apmjnuthsd", max_size=24))
@settings(deadline=None)
def test_any_text_is_a_date_or_none(text: str) -> None:
    try:
        assert parse_date(text, LONDON).utcoffset() is not None
    except ValueError as error:
        assert "is not a date" in str(error)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
)
@settings(deadline=None)
def test_a_written_date_is_read_back(wall: datetime) -> None:
    moment = local(wall, LONDON)
    if moment.utcoffset() == timedelta(seconds=-75):  # London's own time, before it had a standard one
        return
    assert parse_date(format_date(moment, FULL), LONDON) == moment


def test_an_hour_that_the_clocks_leap_over() -> None:
    assert format_date(local(datetime(2021, 3, 28, 1, 30), LONDON)) == "2021-03-28 02:30:00 +0100"


def test_without_a_zone_the_machine_s_own_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert format_date(parse_date("2020-07-02 10:00", None)) == "2020-07-02 10:00:00 -0400"
        assert format_date(parse_date("2020-01-02", None)) == "2020-01-02 00:00:00 -0500"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_is_always_written_with_its_offset() -> None:
    moment = datetime(2021, 7, 10, 9, 5, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    assert format_date(moment) == "2021-07-10 09:05:00 -0330"
    assert format_date(moment, "%Y-%m-%d %H:%M") == "2021-07-10 09:05 -0330"
    assert format_date(moment, "%Y-%m-%d") == "2021-07-10"
    assert format_date(moment.replace(year=999), "%Y-%m-%d") == "0999-07-10"


def test_a_naive_moment_is_not_written() -> None:
    with pytest.raises(ValueError, match="time zone"):
        format_date(datetime(2021, 7, 10))


def test_the_site_s_zone() -> None:
    assert zone_of(Settings(jekyll={"timezone": "Europe/London"})) == LONDON
    assert zone_of(Settings()) is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Europe/Londn", "Europe/London"),
        ("berlin", "Europe/Berlin"),
        ("america/new york", "America/New_York"),
        ("Europe", "Europe/"),
    ],
)
def test_an_unknown_zone_names_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        zone_of(Settings(jekyll={"timezone": name}))
    assert f"got {name!r}. Did you mean `{nearest}" in str(caught.value)


@pytest.mark.parametrize("name", ["../../etc/passwd", "fr", 5])
def test_what_is_like_no_zone_is_utc_to_jekyll(name: object) -> None:
    with pytest.raises(ConfigError, match=r"Jekyll takes it for UTC: write that"):
        zone_of(Settings(jekyll={"timezone": name}))


def test_the_date_in_a_file_name() -> None:
    assert split_name("2019-01-05-why-vim") == ("2019-01-05", "why-vim")
    assert split_name("why-2019-01-05") == (None, "why-2019-01-05")
    assert split_name("2019-01-05") == (None, "2019-01-05")
