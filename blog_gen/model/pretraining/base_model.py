"""From a corpus to a base model folder: vocabulary, shards, pretraining, float16 weights. For maintainers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from blog_gen.errors import CorpusError, Note
from blog_gen.files import read_json, sha256_of, write_json
from blog_gen.model.bpe import Tokenizer
from blog_gen.model.hparams import HParams
from blog_gen.model.integrity import WEIGHTS_FILE
from blog_gen.model.pretraining.plan import PretrainingPlan
from blog_gen.model.pretraining.pretraining import Pretraining
from blog_gen.model.pretraining.shards import Document, Shards, encode_corpus, read_documents
from blog_gen.model.pretraining.vocabulary import train_vocabulary
from blog_gen.model.sampling.vocabulary_constraint import common_words, load_words, save_words
from blog_gen.model.stopping import StopRequest
from blog_gen.model.training.optimizers import Optimizer
from blog_gen.model.weights import load_weights, save_weights

WORK_FOLDER = "pretraining"  # inside the output folder: shards and state
FILES = "files.json"  # in that folder: what the shards were made of


@dataclass(frozen=True)
class PretrainingCorpus:
    """Files of `{source, text}` lines; `prepare` is done to every text that is trained on."""

    train: Sequence[Path]
    valid: Sequence[Path] = ()
    prepare: Callable[[str], str] = str

    def documents(self, notes: list[Note]) -> Iterator[Document]:
        for document in read_documents(self.train, notes):
            yield replace(document, text=self.prepare(document.text))


def make_base(
    corpus: PretrainingCorpus,
    folder: Path,
    hparams: HParams,
    plan: PretrainingPlan,
    optimizer: Optimizer,
    report: Callable[[dict[str, float]], None],
    note: Callable[[Note], None],
    stop: StopRequest,
    max_seconds: float,
) -> Pretraining:
    """Make a base model in `folder`, or resume; its averaged weights are written beside every checkpoint.

    A folder with weights but no checkpoint, such as a copy of a finished model, starts from the weights.

    Raises:
        CorpusError: the corpus is empty or too small for the vocabulary.
    """
    work = folder / WORK_FOLDER
    _encoded(corpus, folder, work, hparams.n_vocab, note)
    valid = Shards(work / "valid") if corpus.valid else None
    run = Pretraining(hparams, plan, optimizer, Shards(work / "train"), work, valid)
    if not run.resume() and (folder / WEIGHTS_FILE).exists():
        run.start_from(load_weights(folder, hparams))
    hparams.save(folder)

    def written() -> None:
        save_weights(run.average(), folder, "float16")

    run.run(report, stop, max_seconds, written)
    return run


def _encoded(
    corpus: PretrainingCorpus, folder: Path, work: Path, size: int, note: Callable[[Note], None]
) -> None:
    """Vocabulary, list of words and shards, each made once, of the same files.

    Raises:
        CorpusError: they were made of others, or the vocabulary has another size.
    """
    _require_same_files([*corpus.train, *corpus.valid], work / FILES)
    if not (folder / "vocab.bpe").exists():
        train_vocabulary((document.text for document in corpus.documents([])), size, folder)
    if load_words(folder) is None:
        save_words(common_words(document.text for document in corpus.documents([])), folder)
    tokenizer = Tokenizer.load(folder)
    if tokenizer.n_vocab != size:
        raise CorpusError(f"the vocabulary must have {size} tokens", got=tokenizer.n_vocab, path=folder)
    notes: list[Note] = []
    parts = {"train": corpus.documents(notes)}
    if corpus.valid:
        parts["valid"] = read_documents(corpus.valid, notes)
    for name, documents in parts.items():
        if not (work / name / "documents.json").exists():
            encode_corpus(documents, tokenizer, work / name)
    for each in notes:
        note(each)


def _require_same_files(paths: Sequence[Path], kept: Path) -> None:
    files = {path.name: sha256_of(path) for path in paths}
    if not kept.exists():
        write_json(kept, files)
    elif (before := read_json(kept)) != files:
        names = sorted(name for name in {*before, *files} if before.get(name) != files.get(name))
        raise CorpusError(
            "the corpus must be the one that was encoded here",
            got=f"another {', '.join(names)}",
            fix="Give the same files, or another folder by --out",
            path=kept.parent,
        )
