"""What commands share: the site that they work on, and options that override settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from blog_gen.commands.output import say_note
from blog_gen.config.loading import load_settings
from blog_gen.config.settings import SamplingSettings, Settings
from blog_gen.site.found import with_posts_found
from blog_gen.site.templates import old_templates

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Site:
    """The site that a command works on."""

    folder: Path
    config_files: tuple[str, ...]
    _said: set[str] = field(default_factory=set, init=False, repr=False, compare=False)  # notes: each once

    def settings(self, **overrides: Any) -> Settings:
        """The site's settings, with flags laid over them; a command may ask for them again."""
        settings = load_settings(self.folder, overrides, self.config_files)
        for note in map(str, (*settings.notes, *old_templates(self.folder))):
            if note not in self._said:
                say_note(note)
                self._said.add(note)
        return with_posts_found(settings)


def options(*decorators: Callable[[Any], Any]) -> Callable[[_F], _F]:
    """Several click options as one decorator, in the order in which they are written."""

    def apply(function: _F) -> _F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


model_option = click.option("--model", help="mini, smollm2, 124M … 1558M, OWNER/NAME, or a folder.")

training_options = options(
    model_option,
    click.option("--steps", type=int, help="Optimizer steps, at most."),
    click.option("--epochs", type=float, help="Passes over your posts, at most."),
    click.option("--max-minutes", type=float, help="Stop after this long and keep the best."),
    click.option("--learning-rate", type=float, help="Peak learning rate."),
    click.option("--lora", type=int, metavar="RANK", help="Train small adapters instead: far less memory."),
    click.option(
        "--freeze", type=int, metavar="N", help="Do not train the embeddings and the first N blocks."
    ),
    click.option(
        "--gradient-accumulation", type=int, metavar="N", help="Compute each step in N parts: less memory."
    ),
    click.option(
        "--activation-checkpointing/--no-activation-checkpointing",
        default=None,
        help="Compute activations twice: slower, less memory.",
    ),
)

sampling_options = options(
    click.option("--temperature", type=float, help="0 always takes the likeliest word; higher is bolder."),
    click.option("--top-k", type=int, help="Choose among the k likeliest tokens; 0 for all."),
    click.option("--top-p", type=float, help="Choose among the likeliest that hold this much probability."),
    click.option("--min-p", type=float, help="Drop tokens less likely than this share of the likeliest."),
    click.option("--typical-p", type=float, help="Choose among the tokens whose surprise is most typical."),
    click.option("--repetition-penalty", type=float, help="Above 1: less of what was already said."),
    click.option("--frequency-penalty", type=float, help="Above 0: less of what was said often."),
    click.option("--presence-penalty", type=float, help="Above 0: less of what was said at all."),
    click.option("--no-repeat-ngram", type=int, metavar="N", help="No sequence of N tokens is repeated."),
    click.option(
        "--vocabulary-constraint/--no-vocabulary-constraint",
        default=None,
        help="With `mini`: write only words that are in your posts or in the texts it was trained on.",
    ),
    click.option("--max-tokens", type=int, help="Length in tokens, at most."),
)


def listed(items: Iterable[object]) -> str:
    """Each once, with how often it comes.

    >>> listed(["2026-03-05", "2026-03-05", "2026-03-06"])
    '2026-03-05 ×2, 2026-03-06'
    """
    counts = Counter(map(str, items))
    return ", ".join(item if count == 1 else f"{item} ×{count}" for item, count in counts.items())


def only(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those of a command's parameters that belong to one group of settings."""
    return {name: values[name] for name in names if values.get(name) is not None}


TRAINING = (
    "steps",
    "epochs",
    "max_minutes",
    "learning_rate",
    "lora",
    "freeze",
    "gradient_accumulation",
    "activation_checkpointing",
)
SAMPLING = tuple(field.name for field in fields(SamplingSettings))
