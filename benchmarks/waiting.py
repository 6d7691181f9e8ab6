"""Where a blogger waits: the parts of `make run` without set-up, `generate`, `evaluate` and "another draft".

Each command in a process of its own on a copy of the sample blog, wall and processor time; "another draft" as
the review page writes it, in a process that is warm. Of that, the time in the network's steps is the floor:
what is left is ours to save. Medians.

    python benchmarks/waiting.py [--full] [--json] [--repeats 3]

Without arguments it takes some three minutes on two idle cores; `--full` learns as often as the rest is done.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from blog_gen import pipeline
from blog_gen.config.loading import load_settings
from blog_gen.model.sampling.cached_network import CachedNetwork
from blog_gen.report import Hooks
from blog_gen.site.days import moment_now

SAMPLE = Path(__file__).resolve().parent.parent
COPIED = ("_articles", "_layouts")
Times = dict[str, float]


def copy_site(folder: Path) -> Path:
    for name in COPIED:
        shutil.copytree(SAMPLE / name, folder / name)
    shutil.copy(SAMPLE / "_config.yml", folder)
    return folder


def command(site: Path, *words: str) -> Callable[[], object]:
    line = [sys.executable, "-c", "from blog_gen.cli import main; main()", *words]
    return lambda: subprocess.run(line, cwd=site, check=True, capture_output=True)


def timed(work: Callable[[], object], repeats: int) -> Times:
    """Medians of the wall time of `work`, and of the processor time, its children's included."""
    walls, processors = [], []
    for _ in range(repeats):
        begun, used = time.perf_counter(), os.times()
        work()
        walls.append(time.perf_counter() - begun)
        processors.append(sum(os.times()[:4]) - sum(used[:4]))
    return {"wall": statistics.median(walls), "processor": statistics.median(processors)}


def another_draft(site: Path, repeats: int) -> Times:
    """As `timed`; and what of the wall time the network takes for its steps, prompts not counted."""
    settings, inside = load_settings(site), [0.0]
    plain = CachedNetwork.step

    def watched(network: CachedNetwork, *given: object) -> object:
        begun = time.perf_counter()
        found = plain(network, *given)  # type: ignore[arg-type]
        inside[0] += time.perf_counter() - begun
        return found

    def write() -> None:
        pipeline.generate(settings, moment_now(settings), Hooks())

    write()
    inside[0] = 0.0
    CachedNetwork.step = watched  # type: ignore[method-assign, assignment]
    found = timed(write, repeats)
    CachedNetwork.step = plain  # type: ignore[method-assign]
    return found | {"in the network": inside[0] / repeats}


def measure(site: Path, repeats: int, learned: int) -> dict[str, Times]:
    article = str(min((site / "_articles").iterdir()).relative_to(site))
    return {
        "help": timed(command(site, "--help"), repeats),
        "reading": timed(command(site, "corpus", "-o", os.devnull), repeats),
        "learning": timed(command(site, "train", "--fresh"), learned),
        "the first draft": timed(command(site, "run"), 1),
        "nothing to do": timed(command(site, "run"), repeats),
        "generate": timed(command(site, "generate"), repeats),
        "evaluate": timed(command(site, "evaluate", article), repeats),
        "another draft": another_draft(site, repeats),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        learned = options.repeats if options.full else 1
        found = measure(copy_site(Path(name)), options.repeats, learned)
    if options.json:
        named = {f"{part}.{kind}": each for part, times in found.items() for kind, each in times.items()}
        print(json.dumps(named, indent=2))
        return
    for part, times in found.items():
        print(f"{part:18}" + "".join(f"{kind:>16} {each:6.2f} s" for kind, each in times.items()))


if __name__ == "__main__":
    main()
