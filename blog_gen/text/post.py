"""Post text: what the model reads and writes. Knows one small format, nothing of files, YAML or tensors.

    title: Why Vim?
    category: miscellaneous
    tags: vim, linguistics
    ---
    I've talked about Vim a lot in this blog...

A head of `key: value` lines, `title` first, then a line `---`, then the body, which may hold anything.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

KEYS = ("title", "category", "tags")  # in the order in which they are written
FENCE = "---"


class PostFormatError(ValueError):
    """Text breaks a rule of the format; the message says which."""


@dataclass(frozen=True)
class Post:
    """A post as the model knows it."""

    title: str
    body: str
    tags: tuple[str, ...] = ()
    category: str | None = None


def keys_of(posts: Sequence[Post]) -> tuple[str, ...]:
    """The keys worth learning: `title`, and those that more than half of the posts have.

    >>> keys_of([Post("A", "a", tags=("x",)), Post("B", "b", tags=("x",), category="c")])
    ('title', 'tags')
    """
    return tuple(
        key
        for key in KEYS
        if key == "title" or 2 * sum(bool(getattr(post, key)) for post in posts) > len(posts)
    )


def normalised(post: Post) -> Post:
    """The post as the format can hold it: each field on one line, no commas in tags, each tag once.

    >>> normalised(Post("Why\\n Vim? ", " Because.\\n", tags=("a, b", "c", "c"), category=""))
    Post(title='Why Vim?', body='Because.', tags=('a b', 'c'), category=None)
    """
    return Post(
        title=_one_line(post.title),
        body=post.body.strip(),
        tags=_distinct(tag.replace(",", " ") for tag in post.tags),
        category=_one_line(post.category or "") or None,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in map(_one_line, names) if name))


def render(post: Post, keys: Sequence[str] = KEYS) -> str:
    """The text of a post, with those of `keys` that it has a value for.

    >>> print(render(Post("Why Vim?", "Because.", tags=("vim", "linguistics"))))
    title: Why Vim?
    tags: vim, linguistics
    ---
    Because.

    Raises:
        PostFormatError: it has no title or no body.
    """
    post = normalised(post)
    if not post.title or not post.body:
        raise PostFormatError("a post must have a title and a body")
    return "".join([*_head(post, keys), f"{FENCE}\n", post.body])


def _head(post: Post, keys: Sequence[str]) -> list[str]:
    values = {"title": post.title, "category": post.category, "tags": ", ".join(post.tags)}
    return [f"{key}: {values[key]}\n" for key in KEYS if values[key] and (key == "title" or key in keys)]


def prompt(title: str | None, category: str | None, tags: Sequence[str], keys: Sequence[str] = KEYS) -> str:
    """The beginning that makes the model go on with a post of this title, category and tags.

    What `render` would begin such a post with, up to where the model has a choice; `""` leaves all to it. A
    key that is not in `keys` is left out, since the model never learned it.

    >>> prompt("Why Vim?", None, [])
    'title: Why Vim?\\n'

    Raises:
        PostFormatError: there is a category or a tag, and no title, with which every text begins.
    """
    post = normalised(Post(title or "", "", tuple(tags), category))
    if not post.title:
        if post.category or post.tags:
            raise PostFormatError("a category or tags can be asked for only with a title")
        return ""
    head = _head(post, keys)
    last_key = max(("title", *keys), key=KEYS.index)
    return "".join(head) + (f"{FENCE}\n" if head[-1].startswith(f"{last_key}: ") else "")


def parse(text: str) -> Post:
    """The post that `text` holds, of the exact format; `parse(render(post)) == normalised(post)`.

    Raises:
        PostFormatError: it breaks a rule of the format.
    """
    head, fence, body = text.partition(f"\n{FENCE}\n")
    if not fence:
        raise PostFormatError(f"a line `{FENCE}` must end the head")
    values: dict[str, str] = {}
    for line in head.split("\n"):
        key, colon, value = line.partition(": ")
        if not colon or key not in KEYS:
            raise PostFormatError(f"the head must hold only {', '.join(KEYS)}, not `{line[:60]}`")
        if key in values:
            raise PostFormatError(f"`{key}` must stand only once")
        if not values and key != "title":
            raise PostFormatError(f"`title` must come first, not `{key}`")
        values[key] = _one_line(value)
        if not values[key]:
            raise PostFormatError(f"`{key}` must not be empty")
    if not body.strip():
        raise PostFormatError("the body must not be empty")
    tags = tuple(values.get("tags", "").split(","))
    return normalised(Post(values["title"], body, tags, values.get("category")))


def varied(text: str) -> str:
    """Half of all texts with tags, with the first as their category: a base is to know every key.

    Corpora of many sites have hardly any categories. Which half is fixed by the text; what is no post stays
    as it is.

    >>> varied("title: B\\ntags: b, c\\n---\\nD.")
    'title: B\\ncategory: b\\ntags: c\\n---\\nD.'
    """
    try:
        post = parse(text)
    except PostFormatError:
        return text
    if post.category or not post.tags or zlib.crc32(text.encode()) % 2:
        return text
    return render(replace(post, category=post.tags[0], tags=post.tags[1:]))
