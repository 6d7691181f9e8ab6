"""What a person hears of the pipeline while it works: all of it on a progress bar, or only what is lost."""

from __future__ import annotations

from collections.abc import Mapping

import click

from blog_gen.commands.output import say_note
from blog_gen.commands.progress import Progress
from blog_gen.config.settings import Settings
from blog_gen.model.stopping import NEVER, StopRequest
from blog_gen.report import Hooks


def hooks_on(bar: Progress, settings: Settings, stop: StopRequest = NEVER) -> Hooks:
    """A pipeline's hooks that draw on `bar`."""
    from blog_gen.learning.monitor import Monitor

    steps = 0

    def started(sentence: str, total: int) -> None:
        nonlocal steps
        steps = total
        click.echo(f"Learning from {settings.articles} with `{settings.model}`. {sentence}", err=True)
        minutes = settings.training.max_minutes
        bar.start("learning", total, None if minutes is None else 60 * minutes)

    def row(values: Mapping[str, float]) -> None:
        bar.row(values, steps)

    def candidate(done: int, total: int) -> None:
        if done == 0:
            bar.start("writing candidates", total)
        bar.update(done, total, unit="candidates", in_turn=False)

    def doing(words: str) -> None:
        bar.start(words, 1)

    training = Monitor(started, row, stop, say_note, doing)
    return Hooks(note=say_note, training=training, candidate=candidate)


def quiet_hooks(stop: StopRequest) -> Hooks:
    """Hooks that say nothing but what is lost or put aside, and still stop when asked to."""
    from blog_gen.learning.monitor import Monitor

    return Hooks(training=Monitor(stop=stop, note=say_note))
