"""What a reviewer can do to a draft. State is only the files; knows no views.

Every change is made under one lock, to the very version that the reviewer saw, and whole or not at all. A
file that has moved never took another one's place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blog_gen.config.settings import CONFIG_KEY, Settings
from blog_gen.errors import DraftError
from blog_gen.files import locked, unwritable, write_text
from blog_gen.review.entries import Entry, entries_of, find, places, read_entry, rejected_folder
from blog_gen.review.patching import with_key
from blog_gen.site import dates, front_matter, slugs
from blog_gen.site.composing import UNDATED, on_one_line
from blog_gen.site.publishing import folder_for_posts, needs_published, public_address

REJECTED = "rejected"  # in the provenance: the reason


class ConflictError(DraftError):
    """The file changed since the reviewer saw it; `entry` is how it is now."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        fix = "Reload it; nothing was saved"
        super().__init__("someone else changed the draft in the meantime", fix=fix, path=entry.path)


class TakenError(DraftError):
    """A file that is to be moved would take another one's place."""


class Store:
    """The drafts of one site. Every method that changes a draft gives it as it is then."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def entries(self) -> list[Entry]:
        return entries_of(self.settings)

    def find(self, name: str) -> Entry:
        return find(name, self.entries())

    def approve(self, entry: Entry) -> Entry:
        """Let the site show it: in place, where its address stays, or moved as `publish` says.

        Raises:
            ConflictError: it is not the version of `entry` any more.
            DraftError: it has a fault, was rejected, or another post has its name.
        """
        with self._changing(entry):
            _require_sound(entry)
            if entry.state == "rejected":
                fix = f"`blog-gen review undo {entry.name}`"
                raise DraftError("the draft's rejection must be undone first", fix=fix, path=entry.path)
            if entry.state == "approved":
                return entry
            folder = self._published_in(entry)
            path = folder / _name_in(folder, entry)
            published = True if needs_published(path, self.settings) else None
            return self._moved(entry, _with_published(entry, published), path)

    def _published_in(self, entry: Entry) -> Path:
        """Where an approved draft goes: among the blog's posts, wherever they are, for `publish: _posts`."""
        if self.settings.publish != "_posts":
            return places(self.settings)[self.settings.publish]
        category = entry.draft.category if entry.draft else None
        return folder_for_posts(self.settings, [category] if category else [], entry.day)

    def unpublish(self, entry: Entry) -> Entry:
        """Hide it again: it waits in the output folder as before it was approved."""
        with self._changing(entry):
            _require_sound(entry)
            if entry.state != "approved":
                return entry
            return self._moved(entry, _with_published(entry, False), self._home(entry))

    def reject(self, entry: Entry, reason: str = "") -> Entry:
        """Move it out of the site, with the reason in its provenance; it counts as written for its day."""
        with self._changing(entry):
            _require_sound(entry)
            if entry.state == "rejected":
                return entry
            text = _with_reason(entry, " ".join(reason.split()) or "no reason given")
            free = slugs.numbered(entry.path.stem)
            while True:
                with suppress(TakenError):  # two drafts of one name may be rejected
                    name = f"{next(free)}{entry.path.suffix}"
                    return self._moved(entry, text, rejected_folder(self.settings) / name)

    def undo(self, entry: Entry) -> Entry:
        """Take a rejection back: it waits again."""
        with self._changing(entry):
            _require_sound(entry)
            if entry.state != "rejected":
                raise DraftError("only a rejection can be undone", got=entry.state, path=entry.path)
            hidden = with_key(_with_reason(entry, None), "published", False, before=CONFIG_KEY)
            return self._moved(entry, hidden, self._home(entry))

    def save(self, entry: Entry, text: str) -> Entry:
        """Put `text` in place of the whole file, if it is a sound draft.

        Raises:
            ConflictError: it is not the version of `entry` any more.
            DraftError: the text is no sound draft; the file is as it was.
        """
        text = text.replace("\r\n", "\n").replace("\r", "\n").strip() + "\n"
        check(text, entry.path)
        with self._changing(entry):
            write_text(entry.path, text)
            return read_entry(entry.path, self.settings)

    @contextmanager
    def _changing(self, entry: Entry) -> Iterator[None]:
        """Alone, and with the version that the reviewer saw."""
        try:
            with locked(self.settings.state_folder / "review.lock", "changing a draft", timeout=10.0):
                now = read_entry(entry.path, self.settings)
                if now.version != entry.version:
                    raise ConflictError(now)
                yield
        except OSError as error:
            raise unwritable(entry.path, error) from error

    def _home(self, entry: Entry) -> Path:
        folder = self.settings.output_folder
        return folder / _name_in(folder, entry)

    def _moved(self, entry: Entry, text: str, to: Path) -> Entry:
        """Write `text` as `to` and take the old file away; one who was killed between can do it again."""
        if to == entry.path:
            write_text(to, text)
            return read_entry(to, self.settings)
        try:
            write_text(to, text, overwrite=False)
        except FileExistsError as error:
            if not (to.is_file() and to.read_text(encoding="utf-8", errors="replace") == text):
                raise TakenError("another post has the name", fix="Rename one of the two", path=to) from error
        try:
            entry.path.unlink()
        except OSError:
            to.unlink()
            raise
        return read_entry(to, self.settings)


def check(text: str, path: Path) -> None:
    """Refuse what could not be reviewed again.

    Raises:
        DraftError: no valid front matter, no title, no date, no provenance or no body.
    """
    try:
        raw, body = front_matter.split(text)
        values = front_matter.parse(raw or "")
        dates.parse_date(values.get("date", dates.split_name(path.stem)[0]), None)
    except ValueError as error:
        raise DraftError("a draft must have valid front matter with a date", got=error, path=path) from error
    title = values.get("title")
    if not isinstance(title, str) or not title.strip() or "\n" in title:
        raise DraftError("a draft must have a title of one line, as text", got=repr(title), path=path)
    if not isinstance(values.get(CONFIG_KEY), dict):
        fix = "It says that a machine wrote this, and keeps it from being learned"
        raise DraftError(f"the key `{CONFIG_KEY}` must stay", fix=fix, path=path)
    if not body.strip():
        raise DraftError("a draft must have text after its front matter", got="none", path=path)


def reason_of(entry: Entry) -> str:
    """Why a draft was rejected; empty where it was not."""
    return str(entry.draft.provenance.get(REJECTED, "")) if entry.draft else ""


def _require_sound(entry: Entry) -> None:
    if entry.fault:
        raise DraftError(entry.fault, fix=f"Fix it: `blog-gen review edit {entry.name}`", path=entry.path)


def address_of(entry: Entry, settings: Settings) -> str | None:
    """Where a visitor finds an approved draft, as the path of a URL; None where that cannot be told."""
    values = front_matter.parse(front_matter.split(entry.text)[0] or "")
    return public_address(entry.path, values, settings)


def _with_published(entry: Entry, published: bool | None) -> str:
    return with_key(entry.text, "published", published, before=CONFIG_KEY)


def _with_reason(entry: Entry, reason: str | None) -> str:
    provenance = dict(entry.draft.provenance) if entry.draft else {}
    provenance.pop(REJECTED, None)
    if reason is not None:
        provenance[REJECTED] = reason
    return with_key(entry.text, CONFIG_KEY, on_one_line(provenance))


def _name_in(folder: Path, entry: Entry) -> str:
    """The file's own name; where it lacks the date, that of its day is put back, but `_drafts` has none."""
    day, slug = dates.split_name(entry.path.stem)
    if folder.name == UNDATED:
        return f"{slug}{entry.path.suffix}"
    return entry.path.name if day else f"{entry.day}-{entry.path.name}"
