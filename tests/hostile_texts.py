"""Texts that try to break out of a post: a seeded generator for the tests of what is written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

PROSE = (
    "The kettle had been leaking for a week before I looked at it.",
    "I *like* small tools, **sharp** ones, and `ls -l | wc` most of all.",
    'See [the manual](https://known.example/manual?a=1&b=2) or [my notes](/notes/ "Notes").',
    "# A heading\n\nWith a paragraph.",
    "## Another {#own-id}\n\n- one\n- two\n  - three\n\n1. first\n2. second",
    "> A quote\n> of two lines.",
    "```python\nfor a in range(3):\n    print(a < 2, '<b>', dict[str, int]())\n```",
    '~~~ html\n<div onclick="alert(1)"><script>alert(1)</script></div>\n~~~',
    "    indented <script>alert(1)</script> code",
    "| a | b |\n|---|---|\n| 1 | `<i>` |",
    "A note.[^1]\n\n[^1]: It says more.",
    'Said [the other][ref].\n\n[ref]: https://known.example/ref "Ref"',
    "![A cat](/assets/cat.png) and ![no cat](/assets/none.png)",
    "$$ x^2 < y $$ and $$\\alpha$$",
    "Term\n: its definition",
    "*[HTML]: Hyper Text\n\nHTML is old.",
    "* * *",
    "- [ ] open\n- [x] done",
)
# What a language model writes when it is caught in a loop: each is a test of the renderer's patience.
LOOPS = [
    unit * times
    for times, units in {
        30: ["!["],
        99: ["`", "$$"],
        200: ["*a **b ", "{{", "{%", "&#", "<", "\n"],
        900: ["[", "- ", "1. ", "((", "[a](", "|", "  \n"],
        3000: ["> ", "x", "a "],
    }.items()
    for unit in units
]
ATTACKS: list[str] = (
    json.loads(Path(__file__).with_name("hostile").joinpath("attacks.json").read_text("utf-8")) + LOOPS
)


def hostile_texts(seed: int, number: int) -> Iterator[str]:
    """`number` texts of prose and attacks, mutated; the same for the same seed."""
    rng = random.Random(seed)
    for _ in range(number):
        parts = rng.choices(PROSE, k=rng.randint(1, 4)) + rng.choices(ATTACKS, k=rng.randint(1, 7))
        rng.shuffle(parts)
        text = rng.choice(["\n\n", "\n", " ", ""]).join(rng.choice(WRAPS)(part) for part in parts)
        for _ in range(rng.choice([0, 0, 1, 3])):
            text = rng.choice(MUTATIONS)(rng, text)
        yield text


WRAPS: tuple[Callable[[str], str], ...] = (
    *[lambda part: part] * 8,
    lambda part: f"`{part}`",
    lambda part: f"`` {part} ``",
    lambda part: f"```\n{part}\n```",
    lambda part: f"\n\n~~~ html\n{part}\n~~~\n\n",
    lambda part: "\n".join("> " + line for line in part.split("\n")),
    lambda part: "- " + part.replace("\n", "\n  "),
    lambda part: "    " + part.replace("\n", "\n    "),
    lambda part: f"*{part}*",
    lambda part: f"[{part}](/ok)",
    lambda part: f'[x](/ok "{part}")',
    lambda part: f"# {part}",
    lambda part: f"| {part} | b |\n|---|---|\n| c | {part} |",
    lambda part: f"\n[^1]: {part}\n",
    lambda part: f"\n[ref]: /ok '{part}'\n",
    lambda part: f"<div>{part}</div>",
    lambda part: f"{{% raw %}}{part}{{% endraw %}}",
    lambda part: part.replace("<", "&lt;"),
    lambda part: "".join(f"&#{ord(letter)};" for letter in part[:200]),
    lambda part: part.swapcase(),
)


def _cut(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    return text[:start] + text[start + rng.randrange(1, 9) :]


def _double(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text) + 1)
    return text[: start + rng.randrange(60)] + text[start:]


def _inject(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(ATTACKS) + text[at:]


def _swap(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[at:] + text[:at]


MUTATIONS: tuple[Callable[[random.Random, str], str], ...] = (_cut, _double, _inject, _inject, _swap)
