"""Another draft for the same day, written in the background. Knows the pipeline, nothing of pages.

The new draft gets a file of its own: what there was stays until a person rejects it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from blog_gen import pipeline, runs
from blog_gen.config.settings import Settings
from blog_gen.drafting.writing import Asked
from blog_gen.errors import BlogGenError
from blog_gen.model.integrity import damage_error
from blog_gen.report import Hooks
from blog_gen.site.days import moment_now


class _Cancelled(Exception):
    """Raised between two candidates, or before the best is written."""


@dataclass
class DraftJob:
    """One draft being written; read from any thread."""

    state: Literal["running", "done", "failed", "cancelled"] = "running"
    done: int = 0  # candidates
    total: int = 0
    path: Path | None = None  # of the new draft
    message: str = ""
    cancelled: bool = False

    def cancel(self) -> None:
        """Stop after the candidate that is being written."""
        self.cancelled = True


class Writer:
    """Runs one job at a time."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.job: DraftJob | None = None
        self._lock = threading.Lock()

    def obstacle(self) -> str | None:
        """Why no draft can be written now, for a person; None if one can."""
        folder = self.settings.run_folder
        if names := runs.damaged(folder):
            return str(damage_error(folder, names))
        if runs.read_meta(folder) is None:
            return "No model is trained: run blog-gen train first"
        return None

    def start(self, day: date, title: str | None, seed: int | None) -> DraftJob:
        """Begin, unless one is running: then that one."""
        with self._lock:
            if self.job is None or self.job.state != "running":
                self.job = DraftJob()
                words = (self.job, day, title, seed)
                threading.Thread(target=self._write, args=words, daemon=True).start()
            return self.job

    def _write(self, job: DraftJob, day: date, title: str | None, seed: int | None) -> None:
        def candidate(done: int, total: int) -> None:
            job.done, job.total = done, total
            stop_if_cancelled()

        def stop_if_cancelled() -> None:
            if job.cancelled:
                raise _Cancelled

        hooks = Hooks(candidate=candidate, before_writing=stop_if_cancelled)
        try:
            now = moment_now(self.settings)
            asked = Asked(title=title, seed=seed)
            report = pipeline.generate(self.settings, now, hooks, day=day, asked=asked)
            if report.rejected:
                job.message = f"{report.rejected[0]}\n{report.rejected[0].report}"
            job.path = report.written[0][0] if report.written else None
            job.state = "done" if job.path else "failed"
        except _Cancelled:
            job.state = "cancelled"
        except BlogGenError as error:
            job.state, job.message = "failed", str(error)
        except Exception as error:  # a thread's error would else be seen by nobody
            job.state, job.message = "failed", f"{type(error).__name__}: {error}"
