"""What can go wrong on the way to the Hugging Face Hub, each in one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blog_gen.errors import BlogGenError, ModelError
from blog_gen.files import unwritable

DISK = (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT)


class UnreachableError(ModelError):
    """There is no way to the Hub, or no longer."""


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Make errors of `huggingface_hub` ours.

    Raises:
        UnreachableError: no network, or offline mode.
        ModelError: the Hub does not give the model `name`, OWNER/NAME[@REVISION].
        BlogGenError: Hugging Face's cache cannot be written.
    """
    from huggingface_hub import errors

    # The last is the root of errors of the HTTP client, which was requests once, then httpx, then httpx2.
    network: tuple[Any, ...] = (OSError, *errors.HfHubHTTPError.__bases__)
    try:
        yield
    except BlogGenError:
        raise
    except errors.HfHubHTTPError as error:
        rule, fix = _refusal(error, name.partition("@")[0])
        got = None if fix else f"status {error.response.status_code}"
        raise ModelError(rule, got=got, fix=fix or "Try again later", path=name) from None
    except network as error:
        if isinstance(error, OSError) and error.errno in DISK:
            raise unwritable(Path(error.filename or "Hugging Face's cache"), error) from error
        raise _unreachable(name, error.__cause__ or error) from None


def _refusal(error: Exception, repo: str) -> tuple[str, str | None]:
    """The rule and what to do."""
    from huggingface_hub import errors

    page = f"https://huggingface.co/{repo}"
    sign_in = "sign in: `hf auth login`, or set HF_TOKEN"
    if isinstance(error, errors.GatedRepoError):
        return "you must accept this model's terms first", f"Accept them at {page} and {sign_in}"
    if isinstance(error, errors.RevisionNotFoundError):
        return "the model has no such revision", f"See {page}/commits"
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            "the Hub has no such model, or you may not see it",
            f"Check its spelling; if it is private, {sign_in}",
        )
    return "the Hub does not give the model", None


def _unreachable(name: str, error: BaseException) -> UnreachableError:
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled

    got = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OfflineModeIsEnabled):
        got = "offline mode (HF_HUB_OFFLINE)"
    fix = (
        "What was downloaded is kept; run the same command again to resume. Without a network: put the files"
        f" of {constants.ENDPOINT}/{name.partition('@')[0]} into one folder here, and run"
        " `blog-gen models import FOLDER --name NAME`"
    )
    return UnreachableError("the Hub cannot be reached", got=got, fix=fix, path=name)
