"""How a candidate begins: title, category and tags, sampled line by line, so that every candidate is a post.

A small model now and then loses its way among `key: value` lines. Here the keys are given and only the
values are the model's: a title is put in order, category and tags are chosen among those that the site uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from blog_gen.config.settings import SamplingSettings
from blog_gen.site.habit import Habit
from blog_gen.text.leftovers import without_addresses, without_leftovers
from blog_gen.text.post import KEYS, Post, prompt, render
from blog_gen.text.safety.safe import SiteFacts, safe_line, typographic

if TYPE_CHECKING:
    from blog_gen.model.sampling.sampling import Sample, Sampler

_KEY = re.compile(rf"\b(?:{'|'.join(KEYS)}):", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?…])[\s]")
_MARKS = " \t*_`~#>|-–—:;,/\\"  # that a title neither begins nor ends with
_GAP = re.compile(r"(?<=[(\[{])\s++|(?<=\S)\s++(?=[)\]}])")
_PAIRS = {"(": ")", "[": "]", "{": "}", "“": "”", "«": "»"}
_NO_FACTS = SiteFacts()
LINE_TOKENS = 100  # titles and tag lines of blogs are far shorter, in any script
_PATH = re.compile(r"[^\s/_]*+(?:[/_][^\s/_]*+){2,}")  # of 3,227 titles in 28 blogs one is such
LONGEST_TITLE = 120  # characters; of 2,034 titles in 21 blogs one is longer


@dataclass(frozen=True)
class HeadWriter:
    """Samples heads in the site's taxonomy."""

    sampler: Sampler
    settings: SamplingSettings
    keys: Sequence[str]  # of the site's post text
    habit: Habit
    facts: SiteFacts = _NO_FACTS

    def beginnings(self, request: Post, seeds: Sequence[int]) -> dict[int, str]:
        """For each seed the text up to the body; what `request` says is kept. Left out: no title came."""
        heads = dict.fromkeys(seeds, replace(request, tags=tuple(map(safe_line, request.tags))))
        if not request.title:
            heads = self._each(
                heads, "title", lambda head, line: replace(head, title=title_of(line, self.facts))
            )
            heads = {seed: head for seed, head in heads.items() if head.title}
        if "category" in self.keys and not request.category:
            heads = self._each(heads, "category", self._with_category, self.habit.categories)
        if "tags" in self.keys and not request.tags:
            heads = self._each(heads, "tags", self._with_tags, self.habit.tags)
        # Rendered with a body of one character, which is then taken off: a post without a body is none.
        return {seed: render(replace(head, body="."), self.keys)[:-1] for seed, head in heads.items()}

    def _each(
        self,
        heads: Mapping[int, Post],
        key: str,
        taken: Callable[[Post, str], Post],
        names: Sequence[str] = (),
    ) -> dict[int, Post]:
        """Every head with the line that the model gives to `key`: of `names`, if there are any."""
        from blog_gen.model.sampling.listed import Listed
        from blog_gen.model.sampling.sampling import Request

        tokenizer = self.sampler.tokenizer
        begun = {
            seed: prompt(head.title or None, head.category, (), self.keys).removesuffix("---\n") + f"{key}:"
            for seed, head in heads.items()
        }
        requests = [Request(tuple(tokenizer.encode(text)), seed, LINE_TOKENS) for seed, text in begun.items()]
        listed = (Listed([_plain(name) for name in names], tokenizer, key == "tags"),) if names else ()
        samples = self.sampler.generate(requests, self.settings, stop=("\n",), processors=listed)
        lines = {sample.request.seed: written_line(sample, bool(names)) for sample in samples}
        return {seed: taken(head, lines[seed]) for seed, head in heads.items()}

    def _with_category(self, head: Post, line: str) -> Post:
        found = known((line.strip(),), self.habit.categories)
        return replace(head, category=found[0] if found else None)

    def _with_tags(self, head: Post, line: str) -> Post:
        return replace(head, tags=known([tag.strip() for tag in line.split(",")], self.habit.tags))


def written_line(sample: Sample, listed: bool) -> str:
    """What the model wrote; where it found no end, the names or sentences that have one."""
    if sample.ended or sample.stopped_by:
        return sample.text
    return sample.text.rpartition(",")[0] if listed else " ".join(_SENTENCE.split(sample.text)[:-1])


def title_of(line: str, facts: SiteFacts = _NO_FACTS) -> str:
    """What the model wrote after `title:`, in order: no other keys of a head, no marks of Markdown about it,
    no bracket without the other one, and no address of a place that the site never links to. Of a paragraph
    the first sentences. One without a letter is none, nor is a path or a name in code.

    >>> title_of(" The bolt, again. tags: tin, rain"), title_of("Tags: why I have none"), title_of("2019")
    ('The bolt, again.', '', '')
    >>> title_of(" * A wiki ( Labs)*"), title_of("November)"), title_of("Why (not:"), title_of("**")
    ('A wiki (Labs)', 'November', 'Why not', '')
    >>> title_of("So it rained. " + "And it rained " * 9 + "on."), title_of("And it rained " * 9)
    ('So it rained.', '')
    >>> title_of("static/img/read_me"), title_of("TCP/IP"), title_of("What read_me and docs/img are")
    ('', 'TCP/IP', 'What read_me and docs/img are')
    >>> title_of("The `--days of May"), title_of('Why "not" `now`?')
    ('The --days of May', 'Why “not” `now`?')
    """
    line = without_addresses(without_leftovers(_KEY.split(line, maxsplit=1)[0]), facts)
    title = safe_line(line).strip(_MARKS)
    for opening, closing in _PAIRS.items():
        if not _balanced(title, opening, closing):
            title = title.replace(opening, "").replace(closing, "")
    for mark in '"`':
        if title.count(mark) % 2:
            title = title.replace(mark, "")
    title = _first_sentences(typographic(safe_line(_GAP.sub("", title)).strip(_MARKS)))
    is_path = title.isascii() and _PATH.fullmatch(title)
    return title if any(map(str.isalpha, title)) and not is_path else ""


def _first_sentences(title: str) -> str:
    """As many as a title may be long; where already the first is longer, none."""
    kept = ""
    for sentence in _SENTENCE.split(title):
        longer = f"{kept} {sentence}".lstrip()
        if len(longer) > LONGEST_TITLE:
            break
        kept = longer
    return kept


def _balanced(text: str, opening: str, closing: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == opening) - (character == closing)
        if depth < 0:
            return False
    return depth == 0


def _plain(name: str) -> str:
    """A name as post text can hold it."""
    return " ".join(name.replace(",", " ").split())


def known(names: Sequence[str], taxonomy: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that the site uses, in the site's spelling, each once.

    >>> known(["VIM", "emacs", "vim", "a b"], ["Vim", "shell", "a, b"])
    ('Vim', 'a, b')
    """
    spelling = {_plain(name).casefold(): name for name in taxonomy}
    found = (spelling.get(_plain(name).casefold()) for name in names)
    return tuple(dict.fromkeys(name for name in found if name is not None))
