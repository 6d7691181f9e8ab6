"""A GPT-2 of the Hugging Face Hub, OWNER/NAME[@REVISION], fetched and made one of this user's models.

`huggingface_hub` does the transfer: resumption, proxies, tokens, mirrors (HF_ENDPOINT), its own cache, and
working offline. What is small comes first, so that a model that is no GPT-2, or has another tokenizer, is
refused before its weights are fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blog_gen.errors import ModelError, Note, UsageError
from blog_gen.files import locked
from blog_gen.model.formats import open_checkpoint
from blog_gen.model.formats.huggingface import INDEX, PICKLED, SINGLE, read_config, shards_of
from blog_gen.model.formats.vocabulary import ADDED, MERGES, OTHERS, TABLE, TOKENIZER, read_vocabulary
from blog_gen.model.zoo import zoo
from blog_gen.model.zoo.exchange import check_space, install, lock_file
from blog_gen.model.zoo.hub_errors import UnreachableError, explained
from blog_gen.origin import how_to_install

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CONFIG = "config.json"
SMALL = (CONFIG, TABLE, MERGES, ADDED, TOKENIZER, *OTHERS)
WEIGHTS = (SINGLE, SINGLE + INDEX, PICKLED, PICKLED + INDEX)  # safetensors where there are any
CONVERTER = "SFconvertbot"  # the Hub's own: it offers safetensors as a pull request


@dataclass(frozen=True)
class _Listing:
    """The files of one commit of a repository."""

    repo: str
    commit: str
    sizes: Mapping[str, int]  # bytes, by the file's name

    @property
    def weights(self) -> str | None:
        """The file of weights, or the index of several."""
        return next((name for name in WEIGHTS if name in self.sizes), None)

    def still_needed(self, name: str) -> int:
        """Bytes of disk for what a file is converted to, and for itself, if it is not there."""
        from huggingface_hub import try_to_load_from_cache

        there = isinstance(try_to_load_from_cache(self.repo, name, revision=self.commit), str)
        return (1 if there else 2) * self.sizes.get(name, 0)


def pull(name: str, note: Callable[[Note], None] = lambda note: None) -> Path:
    """Make `name`, OWNER/NAME[@REVISION], one of this user's models; returns its folder.

    Does nothing when it is there; resumes what an earlier call left.

    Raises:
        UsageError: it is no such name.
        ModelError: it cannot be had, or is no GPT-2.
        BusyError: another process is pulling the same model.
    """
    if not zoo.is_hub_name(name):
        raise UsageError("a model of the Hub is called OWNER/NAME or OWNER/NAME@REVISION", got=repr(name))
    with locked(lock_file(name), f"making the model {name}"):
        folder = zoo.cached_folder(name)
        if not zoo.is_model(folder):
            snapshot, commit = _fetched(name)
            checkpoint = open_checkpoint(snapshot)
            for rule, action in checkpoint.notes:
                note(Note(Path(name), rule, action))
            install(checkpoint, name, {"origin": {"format": "hf", "from": name, "commit": commit}})
    return folder


def _fetched(name: str) -> tuple[Path, str]:
    """The folder of Hugging Face's cache with all that a model needs, and its commit."""
    repo, _, revision = name.partition("@")
    api = _api()
    try:
        with explained(name):
            listing = _listing(api, repo, revision or None)
    except UnreachableError as error:
        return _cached(api, repo, revision or None, error)
    with explained(name):
        # By its name, and not by its commit as all else: so the cache knows the name without a network.
        api.hf_hub_download(repo, CONFIG, revision=revision or None)
        snapshot = _files(api, listing, SMALL[:1])
        config = read_config(snapshot / CONFIG)
        _files(api, listing, SMALL)
        read_vocabulary(snapshot, config.get("eos_token_id"))
        if not (listing.weights or "").startswith(SINGLE):
            listing = _converted(api, listing) or listing
        return _with_weights(api, listing), listing.commit


def _with_weights(api: HfApi, listing: _Listing) -> Path:
    """The folder with the weights too."""
    if listing.weights is None:
        got = ", ".join(sorted(listing.sizes))
        raise ModelError(f"a model needs {SINGLE} or {PICKLED}", got=got, path=listing.repo)
    snapshot = _files(api, listing, (*SMALL, listing.weights))
    shards = [listing.weights]
    if listing.weights.endswith(INDEX):
        shards = shards_of(snapshot / listing.weights)
    check_space(listing.repo, sum(map(listing.still_needed, shards)), zoo.cache_folder())
    return _files(api, listing, shards)


def _api() -> HfApi:
    try:
        from huggingface_hub import HfApi
    except ImportError:
        rule = "models of the Hub need huggingface_hub, which is not installed"
        raise ModelError(rule, fix=how_to_install("train")) from None
    return HfApi(library_name="blog-gen")


def _listing(api: HfApi, repo: str, revision: str | None) -> _Listing:
    info = api.model_info(repo, revision=revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    if CONFIG not in sizes:
        got = ", ".join(sorted(sizes)) or "no file"
        raise ModelError(f"a model of Hugging Face's needs {CONFIG}", got=got, path=repo)
    return _Listing(repo, str(info.sha), sizes)


def _files(api: HfApi, listing: _Listing, names: Sequence[str]) -> Path:
    """Those of `names` that there are, in a folder of Hugging Face's cache, which is returned."""
    paths = [
        Path(api.hf_hub_download(listing.repo, name, revision=listing.commit))
        for name in names
        if name in listing.sizes
    ]
    return paths[0].parent


def _converted(api: HfApi, listing: _Listing) -> _Listing | None:
    """The same model in safetensors, where the Hub's converter offers it."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        offers = api.get_repo_discussions(
            listing.repo, author=CONVERTER, discussion_type="pull_request", discussion_status="open"
        )
        for offer in offers:
            if offer.author != CONVERTER or not offer.git_reference:  # anybody may open a pull request
                continue
            commits = api.list_repo_commits(listing.repo, revision=offer.git_reference)
            if [commit.commit_id for commit in commits[1:2]] == [listing.commit]:  # made of these weights
                return _listing(api, listing.repo, offer.git_reference)
    except HfHubHTTPError:  # a mirror without discussions
        pass
    return None


def _cached(api: HfApi, repo: str, revision: str | None, error: UnreachableError) -> tuple[Path, str]:
    """What Hugging Face's cache has of it.

    Raises:
        UnreachableError: nothing, or not all of it.
    """
    try:
        known = api.hf_hub_download(repo, CONFIG, revision=revision, local_files_only=True)
    except (OSError, ValueError):
        raise error from None
    snapshot = Path(known).parent
    if not any((snapshot / name).is_file() for name in WEIGHTS):
        raise error
    return snapshot, snapshot.name
