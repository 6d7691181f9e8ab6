"""Dates of posts, in every form that Jekyll reads, and in the forms that we write.

Knows calendars and time zones, nothing of files or front matter. Jekyll turns what YAML made of a date back
into text and gives that to Ruby's `Time.parse`; the rules here were taken down from what it then answers.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from blog_gen.config.settings import Settings
from blog_gen.config.yaml_values import wall_clock
from blog_gen.errors import ConfigError

DATE_ONLY = "%Y-%m-%d"
FULL = "%Y-%m-%d %H:%M:%S %z"  # Jekyll's own form, and the one that no reader can mistake

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAME = r"(?P<month_name>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_YEAR = r"(?P<year>\d{1,4})"
_COMPACT = r"(?P<year>\d{4}|\d\d)(?P<month>\d\d)(?P<day>\d\d)"
_DAY_FORMS = (
    rf"'?{_YEAR}[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})",  # 05/01/19 is of 2005 to Ruby
    r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})",  # the day comes first to Ruby, too
    rf"{_WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s/-]++{_MONTH_NAME},?[\s/-]++'?{_YEAR}",
    rf"{_WEEKDAY}{_MONTH_NAME}[\s-]++(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[\s-]++'?{_YEAR}",
)
_TIME = (
    r"(?:T|,?\s+(?:at\s++(?=\d+(?::|\s*[ap])))?)(?P<hour>\d{1,2})"
    r"(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:\.\d*)?)?(?:\s*+(?P<half>[ap](?:m\b|\.m\.)))?"
    r"|\s*+(?P<half_of_hour>[ap](?:m\b|\.m\.)))"
    r"(?:\s*+(?P<zone>(?:gmt|utc?)?[+-]\d++(?::\d++)*+|[^\W\d_]++(?:\sdst\b)?))?"
)
# Ruby passes over what follows, unless that could be of another date: then we do not guess.
_NO_DATE = rf"(?!{'|'.join(_MONTHS)}|\bb\.?c|\d[-/.]\d)"
_END = rf"(?!:?\d)(?:{_NO_DATE}.)*+"
_END_OF_DAY = rf"(?!\s*[ap]\.?m\b)(?:{_NO_DATE}\D)*+"
_HOUR_ALONE = r"\s+(?P<hour_alone>[01]?\d|2[0-4])"
_AFTER_DAY = rf"(?:{_TIME}{_END}|{_HOUR_ALONE}|{_END_OF_DAY})"
_FORMS = [
    *(re.compile(day + _AFTER_DAY, re.IGNORECASE) for day in _DAY_FORMS),
    re.compile(rf"{_COMPACT}(?:{_TIME}|{_HOUR_ALONE})?", re.IGNORECASE),
    # As C's ctime, and the command `date`; and a month, which is its first day.
    re.compile(rf"{_WEEKDAY}{_MONTH_NAME}\s++(?P<day>\d{{1,2}}){_TIME}\s+(?P<year>\d{{4}})", re.IGNORECASE),
    re.compile(rf"{_MONTH_NAME},?\s+(?P<year>\d{{4}})", re.IGNORECASE),
]
_NO_SIGN = re.compile(r"(?:[^\w+',./:@\[\]-]|_)+")  # what is white space to Ruby
_ABSENT = {"day": "1"} | dict.fromkeys(
    ("hour", "hour_alone", "minute", "second", "half", "half_of_hour", "zone"), "0"
)
# The zone names that Ruby knows; to it, and so to Jekyll, any other is the site's own zone.
_ZONE_HOURS = {"z": 0, "utc": 0, "gmt": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5}
_ZONE_HOURS |= {"mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_ZONE_HOURS |= {letter: hours for hours, letter in enumerate("abcdefghiklm", 1)}  # as armies have them
_ZONE_HOURS |= {letter: -hours for hours, letter in enumerate("nopqrstuvwxy", 1)}
_DATED_NAME = re.compile(r"(\d{2,4}-\d{1,2}-\d{1,2})-(.*)", re.DOTALL)


def zone_of(settings: Settings) -> tzinfo | None:
    """The site's time zone; None where it names none and Jekyll takes the machine's own.

    Raises:
        ConfigError: `timezone:` is no name in the time zone database.
    """
    name = settings.timezone
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise ConfigError(
            "`timezone` must be a name from the time zone database",
            got=repr(name),
            fix=_instead_of(str(name)),
            path=settings.file_of("timezone"),
        ) from error


def _instead_of(name: str) -> str:
    nearest = _nearest_zone(name)
    if nearest is None:
        return "Jekyll takes it for UTC: write that, or your own, such as `Europe/London`"
    return f"Did you mean `{nearest}`?"


def _nearest_zone(name: str) -> str | None:
    """The zone most like `name`, be it as a whole (`Europe/Berln`) or as a city (`berlin`).

    >>> _nearest_zone("Europe/Berln"), _nearest_zone("new york"), _nearest_zone("fr")
    ('Europe/Berlin', 'America/New_York', None)
    """
    wanted = name.replace(" ", "_").lower()
    spellings: dict[str, str] = {}
    for zone in sorted(zoneinfo.available_timezones()):
        spellings.setdefault(zone.lower(), zone)
        spellings.setdefault(zone.rpartition("/")[2].lower(), zone)
    close = difflib.get_close_matches(wanted, spellings, n=1, cutoff=0.6)
    return spellings[close[0]] if close else None


def parse_date(value: object, zone: tzinfo | None) -> datetime:
    """The moment that `value`, as YAML gave it, means to Jekyll; aware, in `zone` (None: the machine's).

    A day alone is its local midnight. A time without an offset is UTC where YAML itself took it for a time
    (a naive `datetime`), and the site's where it is text, as quoted times and those without seconds are.

    >>> london = zoneinfo.ZoneInfo("Europe/London")
    >>> str(parse_date("2021-07-10 9:05 pm", london))
    '2021-07-10 21:05:00+01:00'
    >>> str(parse_date(datetime(2021, 7, 10, 9, 5), london))
    '2021-07-10 10:05:00+01:00'

    Raises:
        ValueError: it is no date.
    """
    try:
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone)
        if isinstance(value, date):
            return local(datetime(value.year, value.month, value.day), zone)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return _parse_text(str(value).strip(), zone)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{value!r} is not a date")


def _parse_text(text: str, zone: tzinfo | None) -> datetime:
    text = _NO_SIGN.sub(" ", text).strip()
    found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
    if found is None:
        raise ValueError(text)
    part = _ABSENT | found.groupdict(default="0")
    month = _MONTHS.index(part["month_name"][:3].lower()) + 1 if "month_name" in part else int(part["month"])
    hour = int(part["hour"]) or int(part["hour_alone"])
    half = max(part["half"], part["half_of_hour"]).lower()
    if half != "0":
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    wall = wall_clock(
        _year_of(part["year"]), month, int(part["day"]), hour, int(part["minute"]), int(part["second"])
    )
    offset = _offset_of(part["zone"].lower())
    if offset is not None:
        return wall.replace(tzinfo=offset).astimezone(zone)
    # Of a time that comes twice Ruby takes the second; of one that never comes, what is as much later.
    return max(local(wall, zone), local(wall.replace(fold=1), zone), key=datetime.timestamp)


def _year_of(digits: str) -> int:
    """A year of one or two digits is of 1969 to 2068.

    >>> _year_of("69"), _year_of("5"), _year_of("2019")
    (1969, 2005, 2019)
    """
    year = int(digits)
    return year if len(digits) > 2 else year + (1900 if year >= 69 else 2000)


def _offset_of(name: str) -> tzinfo | None:
    """`+01:00`, `+0100`, `+01` or a zone name as an offset; None where Jekyll would not know it."""
    if found := re.fullmatch(r"([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?", name):
        sign, hours, minutes, seconds = found.groups(default="0")
        offset = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
        return timezone(-offset if sign == "-" else offset)
    hours_east = _ZONE_HOURS.get(name)
    return None if hours_east is None else timezone(timedelta(hours=hours_east))


def local(wall: datetime, zone: tzinfo | None) -> datetime:
    """The naive `wall` clock time as a moment in `zone`; one that the clocks leap over is as much later."""
    if zone is None:
        return wall.astimezone()
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)


def split_name(stem: str) -> tuple[str | None, str]:
    """The date and the slug in a post's file name, without its extension.

    >>> split_name("2019-01-05-why-vim"), split_name("why_vim")
    (('2019-01-05', 'why-vim'), (None, 'why_vim'))
    """
    dated = _DATED_NAME.fullmatch(stem)
    return (dated[1], dated[2]) if dated else (None, stem)


def format_date(moment: datetime, pattern: str = FULL) -> str:
    """`moment` by the `strftime` pattern; where it holds a time, an offset follows, whatever the pattern.

    Without one, Jekyll would take an unquoted time for UTC. The year has four digits on every platform.

    >>> format_date(parse_date("2021-07-10 9:05", zoneinfo.ZoneInfo("Europe/London")), "%Y-%m-%d %H:%M")
    '2021-07-10 09:05 +0100'

    Raises:
        ValueError: `moment` is naive.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    if "%H" in pattern and "%z" not in pattern:
        pattern += " %z"
    return moment.strftime(pattern.replace("%Y", f"{moment.year:04}"))
