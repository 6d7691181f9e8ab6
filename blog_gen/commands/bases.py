"""The bases to learn from, with what each costs on this machine: for `models list`, and for `init` to ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from blog_gen.config.settings import Settings
from blog_gen.model.zoo.bases import BASES, Base

_BYTES_A_TOKEN = 4  # about
HEAD = f"{'':37} {'language':10} {'licence':13} {'download':>8}  {'memory':17} time"


def tokens_in(texts: Iterable[str]) -> int:
    """About as many as there are, whatever the base; at least one."""
    return 1 + sum(len(text.encode()) for text in texts) // _BYTES_A_TOKEN


def bases_of(language: str | None) -> list[Base]:
    """The embedded base and those that know `language` (ISO 639-1), which may be more than the first few."""
    return [base for base in BASES if base.embedded or base.language == (language or "en")]


def lines_of(bases: Sequence[Base], settings: Settings, tokens: int | None = None) -> Iterator[str]:
    """A line for each base, and for one that learned this blog how it reads it.

    Args:
        tokens: of the posts; None: as many as the run that learned them counted, or as a usual blog has.
    """
    from blog_gen import runs
    from blog_gen.model.training.machine import remembered
    from blog_gen.model.zoo import costs
    from blog_gen.model.zoo.languages import name_of

    folders = (runs.kept_folder(settings.run_folder), settings.run_folder)
    learned = {meta.base: meta for folder in folders if (meta := runs.read_meta(folder))}
    tokens = tokens or max((meta.tokens for meta in learned.values()), default=costs.TYPICAL_TOKENS)
    machine = remembered(costs.machine_file())
    yield HEAD
    for base in bases:
        cost = costs.cost_of(base.hparams, tokens, machine, settings.training)
        memory = f"{cost.bytes / 2**30:.1f} GiB" if cost.bytes else "more than is free"
        download = f"{base.download / 1e6:,.0f} MB" if base.download else "–"
        meta = learned.get(base.name)
        reads = meta.held_out_bits_per_byte if meta else None
        columns = f"{base.name:37} {name_of(base.language):10} {base.licence or 'not known':13} {download:>8}"
        figure = f"  {reads:.2f} bits per byte of your posts" if reads else ""
        yield f"{columns}  {memory:17} {cost.time or '–':15}{figure}".rstrip()
