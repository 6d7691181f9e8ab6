"""What a fine-tune starts from: the weights, the rows, the recipe, and a checkpoint that may be resumed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.corpus import Corpus
from blog_gen.errors import Note
from blog_gen.files import require_space
from blog_gen.learning.resume import TrainingInputs, has_checkpoint, kept_recipe, read_inputs, write_inputs
from blog_gen.learning.staleness import depends_on, knows_more, settings_that_differ
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.distributed import strategy as distribution
from blog_gen.model.hparams import HParams
from blog_gen.model.training import autopilot, dataset
from blog_gen.model.training.machine import remember
from blog_gen.model.training.recipe import Recipe
from blog_gen.model.training.training import FineTuning
from blog_gen.model.weights import open_weights
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.costs import machine_file

CHANGED_SHARE = 0.2  # of the posts: with more of them new, learning starts over
MOST_CONTINUED = 5  # times in a row, so that what was forgotten does not add up


@dataclass(frozen=True)
class TrainingJob:
    """A fine-tune that is about to begin, or to go on."""

    tuning: FineTuning
    sentence: str  # what was chosen, and what to expect
    held_out: list[str]  # names of the posts it is measured by
    base_weights: str  # SHA-256 of the weights of the model that the settings name
    start: Path  # that model, or the run that it goes on from
    start_weights: str
    continued: int  # times in a row that a run goes on from the one before


def prepare(
    settings: Settings,
    corpus: Corpus,
    meta: runs.Meta | None,
    fresh: bool,
    note: Callable[[Note], None],
    gentle: bool = False,
) -> TrainingJob:
    """The fine-tune for `corpus`, at the position where it was interrupted, if it was.

    Args:
        meta: the finished run of these settings, from which it may go on.
        fresh: start over, whatever could be resumed.
        note: hears of a checkpoint that is damaged, or of another run and therefore removed.
        gentle: at a lower rate, since nothing was gained at the usual one.
    """
    earlier = meta if meta is not None and goes_on(meta, settings, corpus) else None
    # A run goes on without its base, which may be on another machine.
    start = settings.run_folder if earlier else zoo.resolve(settings.model, site=settings.site)
    start_weights = earlier.weights if earlier else runs.weights_sha256(start)
    base_weights = earlier.base_weights if earlier else start_weights
    folder = settings.run_folder / runs.STATE_FOLDER
    wanted = TrainingInputs(depends_on(settings), corpus.sha256, start_weights)
    known = None if fresh else kept_recipe(folder, wanted)
    gentle = gentle or (known is not None and known.gentle)  # though it was ended before its first step
    resumed = known if has_checkpoint(folder) else None
    tuning, sentence, held_out = _tuning(settings, corpus, start, earlier is not None, resumed, gentle)
    if fresh or not tuning.resume(note):
        if has_checkpoint(folder) and not fresh:
            note(_left_note(folder, read_inputs(folder), wanted))
        shutil.rmtree(folder, ignore_errors=True)
    write_inputs(folder, wanted, tuning.recipe)
    sentence = (
        f"Only a few posts are new, so training continues from what was learned before. {sentence}"
        if earlier
        else sentence
    )
    continued = earlier.continued + 1 if earlier else 0
    return TrainingJob(tuning, sentence, held_out, base_weights, start, start_weights, continued)


def _left_note(folder: Path, found: TrainingInputs | None, wanted: TrainingInputs) -> Note:
    """Why the checkpoint that was found is not resumed."""
    if found is None or found == wanted:
        rule = "this version cannot resume the interrupted training here"
    elif was := settings_that_differ(found.settings, wanted.settings):
        now = settings_that_differ(wanted.settings, found.settings)
        rule = f"the interrupted training here was with {was}, and the settings are {now}"
    else:
        of = "on other posts" if found.articles != wanted.articles else "from other weights"
        rule = f"the interrupted training here was {of}"
    return Note(folder, rule, "it is removed, and learning starts over")


def goes_on(meta: runs.Meta, settings: Settings, corpus: Corpus) -> bool:
    """Whether so little is new that the finished run is trained on for a short while, not started over.

    It must have learned something: from the base itself a short run is too short.
    All that it learned must be there still, word for word: weights forget nothing, and what is hidden,
    changed or deleted must go. What it is measured by must be as it was, and no post it learned from may now
    be held out.
    """
    now = corpus.hashes
    new = [name for name in now if now[name] != meta.texts.get(name)]
    kept = dataset.held_out(corpus.texts, settings.training.held_out)
    learned = meta.texts.keys() - set(meta.held_out)
    return (
        bool(meta.texts)
        and not meta.is_base
        and not knows_more(meta, corpus)
        and len(new) <= max(1, CHANGED_SHARE * len(meta.texts))
        and meta.continued < MOST_CONTINUED
        and not kept & learned
        and all(now.get(name) == meta.texts[name] for name in meta.held_out)
    )


def _tuning(
    settings: Settings, corpus: Corpus, start: Path, short: bool, resumed: Recipe | None, gentle: bool
) -> tuple[FineTuning, str, list[str]]:
    """The fine-tune from the model in `start`, what was chosen for it, and the names of posts held out."""
    hparams, tokenizer = HParams.load(start), Tokenizer.load(start)
    kept = dataset.held_out(corpus.texts, settings.training.held_out)

    def rows(names: Sequence[str]) -> dataset.Rows:
        ids = [tokenizer.encode(corpus.texts[name]) for name in names]
        return dataset.pack(ids, tokenizer.end_of_text, hparams.window)

    learned = rows([name for name in corpus.texts if name not in kept])
    machine = distribution.machine()
    if machine.replicas == 1:
        remember(machine, machine_file())
    advice = autopilot.choose(settings.training, hparams, learned, machine, short, resumed, len(kept), gentle)
    folder = settings.run_folder / runs.STATE_FOLDER
    require_space(folder, advice.disk, "training")
    tuning = FineTuning(
        hparams, open_weights(start, hparams), learned, rows(sorted(kept)), advice.recipe, folder
    )
    return tuning, advice.sentence, sorted(kept)
