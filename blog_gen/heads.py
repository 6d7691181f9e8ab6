"""How a candidate begins: title, category and tags, sampled line by line, so that every candidate is a post.

A small model now and then loses its way among `key: value` lines. Here the keys are given and only the
values are the model's; a category or tag that the site does not use is dropped before the body begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from blog_gen.config import SamplingSettings
from blog_gen.site.habit import Habit
from blog_gen.text.post import KEYS, Post, prompt, render
from blog_gen.text.safe import safe_line

if TYPE_CHECKING:
    from blog_gen.gpt2.sampling import Sampler

_KEY = re.compile(rf"\s*\b(?:{'|'.join(KEYS)}):", re.IGNORECASE)
LINE_TOKENS = 40  # titles and tag lines of blogs are far shorter


@dataclass(frozen=True)
class HeadWriter:
    """Samples heads in the site's taxonomy."""

    sampler: Sampler
    settings: SamplingSettings
    keys: Sequence[str]  # of the site's post text
    habit: Habit

    def beginnings(self, wish: Post, seeds: Sequence[int]) -> dict[int, str]:
        """For each seed the text up to the body; what `wish` says is kept. Left out: no title came."""
        heads = dict.fromkeys(seeds, replace(wish, tags=tuple(map(safe_line, wish.tags))))
        if not wish.title:
            heads = self._each(heads, "title", lambda head, line: replace(head, title=title_of(line)))
            heads = {seed: head for seed, head in heads.items() if head.title}
        if "category" in self.keys and not wish.category:
            heads = self._each(heads, "category", self._with_category)
        if "tags" in self.keys and not wish.tags:
            heads = self._each(heads, "tags", self._with_tags)
        # Rendered with a body of one character, which is then taken off: a post without a body is none.
        return {seed: render(replace(head, body="."), self.keys)[:-1] for seed, head in heads.items()}

    def _each(
        self, heads: Mapping[int, Post], key: str, taken: Callable[[Post, str], Post]
    ) -> dict[int, Post]:
        """Every head with the line that the model gives to `key`."""
        from blog_gen.gpt2.sampling import Request

        encode = self.sampler.tokenizer.encode
        begun = {
            seed: prompt(head.title or None, head.category, (), self.keys).removesuffix("---\n") + f"{key}:"
            for seed, head in heads.items()
        }
        requests = [Request(tuple(encode(text)), seed, LINE_TOKENS) for seed, text in begun.items()]
        lines = {
            sample.request.seed: sample.text
            for sample in self.sampler.generate(requests, self.settings, stop=("\n",))
        }
        return {seed: taken(head, lines[seed]) for seed, head in heads.items()}

    def _with_category(self, head: Post, line: str) -> Post:
        found = known((line.strip(),), self.habit.categories)
        return replace(head, category=found[0] if found else None)

    def _with_tags(self, head: Post, line: str) -> Post:
        return replace(head, tags=known([tag.strip() for tag in line.split(",")], self.habit.tags))


def title_of(line: str) -> str:
    """What the model wrote after `title:`, less other keys of a head that it went on with.

    >>> title_of(" The bolt, again. tags: tin, rain"), title_of("Tags: why I have none")
    ('The bolt, again.', '')
    """
    return safe_line(_KEY.split(line, maxsplit=1)[0])


def known(names: Sequence[str], taxonomy: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that the site uses, in the site's spelling, each once.

    >>> known(["VIM", "emacs", "vim"], ["Vim", "shell"])
    ('Vim',)
    """
    spelling = {name.casefold(): name for name in taxonomy}
    return tuple(dict.fromkeys(spelling[name.casefold()] for name in names if name.casefold() in spelling))
