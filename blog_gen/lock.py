"""The site's lock, and what killed processes left in the folders that it guards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from blog_gen import runs
from blog_gen.config.settings import Settings
from blog_gen.files import locked, sweep
from blog_gen.site.days import draft_folders


@contextmanager
def working_on(settings: Settings, timeout: float = 0.0) -> Iterator[None]:
    """Hold the site's lock, and find the site as if no process had ever been killed.

    Raises:
        BusyError: another process holds it longer than `timeout` seconds.
        BlogGenError: a folder cannot be written.
    """
    with locked(settings.state_folder / "run.lock", "working on this site", timeout):
        _tidy(settings)
        yield


def _tidy(settings: Settings) -> None:
    run = settings.run_folder
    runs.settle(run)
    # What is left of a state was written under the lock alone, and is as large as three models.
    sweep(run / runs.STATE_FOLDER, older_than=0.0)
    for folder in (settings.state_folder, run.parent, run):
        sweep(folder)  # a sampler may be at work there without the lock
    for folder in draft_folders(settings):
        sweep(folder, deep=True)  # and a review
