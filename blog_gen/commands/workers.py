"""Several machines behind one command: who takes part, and what a worker does that is not the first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from blog_gen.commands.interruption import Interruption, interruptible
from blog_gen.commands.options import options
from blog_gen.errors import ArticleError, ModelError
from blog_gen.model.stopping import StopRequest

if TYPE_CHECKING:
    from blog_gen.config.settings import Settings
    from blog_gen.model.distributed.cluster import Cluster
    from blog_gen.model.distributed.team import Team
    from blog_gen.model.training.steppers.stepper import Stepper

NAMES = ("workers", "rank", "wait", "public")
SLURM = "slurm"

worker_options = options(
    click.option(
        "--workers",
        metavar="HOST:PORT,…",
        help="Train on all these machines together; the same list on each. `slurm` asks Slurm.",
    ),
    click.option(
        "--rank", type=int, metavar="K", help="Which of --workers this one is, from 0: 0 has all files."
    ),
    click.option(
        "--wait",
        type=click.FloatRange(1.0),
        default=300.0,
        metavar="SECONDS",
        help="How long to wait for the other workers: 300.",
    ),
    click.option("--public", is_flag=True, help="Let a worker listen on a public address."),
)


def taken_from(given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of `worker_options`, which are no settings, out of all that were `given`."""
    return {name: given.pop(name) for name in NAMES}


@contextmanager
def together(
    about: Callable[[bool], Mapping[str, Any]],
    *,
    workers: str | None,
    rank: int | None,
    wait: float,
    public: bool,
) -> Iterator[Team | None]:
    """The workers that flags or TF_CONFIG name, connected as long as this lasts; None where there is one.

    Args:
        about: what must be the same on all; hears whether this worker is the first, which has all of it.
    """
    cluster = _cluster(workers, rank)
    if cluster is None:
        yield None
        return
    from blog_gen.model.distributed.listening import prepare
    from blog_gen.model.distributed.strategy import connected

    closed = prepare(cluster, public, named=workers not in (None, SLURM))
    but = f" Nobody can at {', '.join(closed)}." if closed else ""
    click.echo(
        f"Worker {cluster.rank} of {len(cluster.workers)} waits for the others, {wait:g} seconds at most. "
        f"Whoever reaches port {cluster.port} can take part: gRPC has no authentication here.{but}",
        err=True,
    )
    with connected(cluster, about(cluster.rank == 0), wait) as team:
        yield team


def _cluster(workers: str | None, rank: int | None) -> Cluster | None:
    from blog_gen.model.distributed import cluster

    if workers == SLURM:
        from blog_gen.model.distributed.strategy import slurm_cluster

        return slurm_cluster()
    if workers is not None:
        return cluster.from_flags(workers, rank)
    return cluster.from_tf_config(os.environ.get(cluster.VARIABLE))


def stop_request(team: Team | None, interrupted: Interruption) -> StopRequest:
    """Of this process, or in a team of any of them: there none ends before all have heard of it."""
    if team is None:
        return StopRequest(interrupted, interrupted.unsaved)
    team.stopping = interrupted
    return StopRequest(team.interrupted)


def follow(team: Team, make: Callable[[Mapping[str, Any]], Stepper]) -> int:
    """Compute what the first worker asks for, until it is done; the exit code.

    Raises:
        ModelError: the first worker had to stop, or was lost.
    """
    with interruptible("asking the first worker to save and stop …") as interrupted:
        team.stopping = interrupted
        why = team.follow(make)
    if why:
        raise ModelError("the first worker stopped", got=why)
    if team.interrupted():
        click.echo("Stopped: the first worker has saved. Run the same command on all to resume.", err=True)
        return 130
    click.echo("Done: what was learned is on the first worker.")
    return 0


def about_site(settings: Settings, first: bool) -> dict[str, Any]:
    """What must be the same on all workers: all of it on the first, elsewhere what is there and set."""
    from blog_gen.config.settings import Settings
    from blog_gen.learning.staleness import depends_on
    from blog_gen.site.fingerprint import fingerprint

    usual = depends_on(Settings())
    said = {
        f"`{name}`": value for name, value in depends_on(settings).items() if first or value != usual[name]
    }
    try:
        posts = {"posts": fingerprint(settings)[:12]}
    except ArticleError:  # the package alone will do
        posts = {}
    return {"command": "train", **said, **posts}
