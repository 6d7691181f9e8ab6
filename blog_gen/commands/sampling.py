"""`sample`: text from the model to standard output, at once, as it is made, as JSON, or in a conversation."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from blog_gen import runs
from blog_gen.commands.interruption import interruptible
from blog_gen.commands.options import SAMPLING, Site, model_option, only, options, sampling_options
from blog_gen.commands.output import say_json, say_note
from blog_gen.config.settings import SamplingSettings, Settings
from blog_gen.errors import UsageError

if TYPE_CHECKING:
    from blog_gen.model.sampling.processors import Processor
    from blog_gen.model.sampling.sampling import Request, Sampler

Interrupted = Callable[[], bool]
ROUND = 8  # texts at a time where there is no end to them: more at once are faster, but come later


@click.command()
@click.argument("prompt", required=False)
@click.option("-n", "count", type=click.IntRange(0, 1000), default=1, help="How many texts; 0: until Ctrl-C.")
@click.option("--seed", type=click.IntRange(0), default=0, help="The same seed gives the same text.")
@click.option(
    "--stop", multiple=True, metavar="TEXT", help="End before this text; may be given several times."
)
@click.option("--stream", is_flag=True, help="Show the text as it is made.")
@click.option("-i", "--interactive", is_flag=True, help="Ask for one prompt after the other; Ctrl-D ends.")
@click.option(
    "--raw", is_flag=True, help="Let the model write even the first lines of a post (title: …) as it likes."
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line: text, tokens, seed, log-probabilities."
)
@options(model_option, sampling_options)
@click.pass_obj
def sample(
    site: Site,
    /,
    prompt: str | None,
    count: int,
    seed: int,
    stop: tuple[str, ...],
    stream: bool,
    interactive: bool,
    raw: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Print text from the model. PROMPT is how it begins; `-` reads that from standard input.

    The trained run is used, or the model that --model names. Without a PROMPT, or with one that begins with
    `title:`, it is a post: title, perhaps category and tags, `---`, body. Ctrl-C stops at once with what
    there is.
    """
    if sum((stream, interactive, as_json)) > 1 or (interactive and prompt is not None):
        raise UsageError(
            "only one of --stream, --json and --interactive can be used",
            fix="Choose one, and give no PROMPT with --interactive",
        )
    settings = site.settings(model=given.get("model"), sampling=only(given, *SAMPLING))
    prompted = _prompted(settings, given.get("model"), stop, raw)
    if interactive:
        return _converse(prompted, count, seed)
    begin = sys.stdin.read() if prompt == "-" else prompt or ""
    with interruptible("stopping …") as interrupted:
        for texts, first in _rounds(count, seed):
            if stream:
                prompted.stream(begin, texts, first, interrupted)
            else:
                prompted.print(begin, texts, first, as_json, interrupted)
            if interrupted():
                return 130
        return 0


def _rounds(count: int, seed: int) -> Iterator[tuple[int, int]]:
    """How many texts at a time, and the first one's seed; without end where `count` is 0."""
    if count:
        yield count, seed
    else:
        yield from ((ROUND, seed + ROUND * number) for number in itertools.count())


def _prompted(settings: Settings, model: str | None, stop: tuple[str, ...], raw: bool) -> _Prompted:
    """Of the trained run, or of the model that was named."""
    from blog_gen.config.base_defaults import sampling_of
    from blog_gen.model.formats.folder import sampling_defaults
    from blog_gen.model.sampling.keyed_lines import KeyedLines
    from blog_gen.model.sampling.sampling import Sampler
    from blog_gen.model.zoo import zoo
    from blog_gen.text.post import FENCE, KEYS

    trained = model is None and runs.read_meta(settings.run_folder) is not None
    folder = (
        settings.run_folder
        if trained
        else zoo.resolve(settings.model, settings.state_folder / "runs", settings.site)
    )
    sampler = Sampler.open(folder)
    knows_posts = trained or settings.model in zoo.EMBEDDED
    processors = (KeyedLines(KEYS, FENCE, sampler.tokenizer),) if knows_posts and not raw else ()
    return _Prompted(sampler, sampling_of(settings, sampling_defaults(folder)), stop, processors)


def _converse(prompted: _Prompted, count: int, seed: int) -> int:
    """Each line is a prompt. Ctrl-C ends the text that is being written, at the prompt it ends all."""
    while True:
        try:
            begin = click.prompt(">", prompt_suffix=" ", default="", show_default=False, err=True)
        except click.Abort:  # Ctrl-C, Ctrl-D, or the end of what was piped in
            click.echo(err=True)
            return 0
        with interruptible("stopped") as interrupted:
            for texts, first in _rounds(count, seed):
                prompted.stream(begin, texts, first, interrupted)
                if interrupted():
                    break
        seed += count


@dataclass(frozen=True)
class _Prompted:
    """A sampler and how it is used."""

    sampler: Sampler
    settings: SamplingSettings
    stop: tuple[str, ...]
    processors: tuple[Processor, ...] = ()

    def stream(self, begin: str, count: int, seed: int, interrupted: Interrupted) -> None:
        """Texts one after the other, each piece as soon as it is certain."""
        for request in self._requests(begin, count, seed):
            click.echo(begin, nl=False)
            for piece in self.sampler.stream(
                request, self.settings, stop=self.stop, processors=self.processors, on_warning=say_note
            ):
                click.echo(piece, nl=False)
                sys.stdout.flush()
                if interrupted():
                    break
            click.echo()
            if interrupted():
                return

    def print(self, begin: str, count: int, seed: int, as_json: bool, interrupted: Interrupted) -> None:
        """Texts in the order in which they end, all at once."""
        requests = self._requests(begin, count, seed)
        for each in self.sampler.generate(
            requests,
            self.settings,
            stop=self.stop,
            processors=self.processors,
            on_warning=say_note,
            cancel=interrupted,
        ):
            if as_json:
                row = {"text": begin + each.text, "tokens": list(each.tokens), "seed": each.request.seed}
                row |= {"ended": each.ended, "stopped_by": each.stopped_by}
                row |= {"logprobs": [round(value, 4) for value in each.logprobs]}
                say_json(row)
            else:
                heading = "" if count == 1 else f"===== seed {each.request.seed}\n"
                click.echo(f"{heading}{begin}{each.text}")

    def _requests(self, begin: str, count: int, seed: int) -> list[Request]:
        from blog_gen.model.sampling.sampling import Request

        ids = tuple(self.sampler.tokenizer.encode(begin))
        length = self.settings.max_tokens
        if length is None:
            length = max(1, self.sampler.hparams.n_ctx - 1 - len(ids))
        return [Request(ids, seed + number, length) for number in range(count)]
