"""Which devices train: one, all GPUs of this machine, or those of several: `tf.distribute`."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from blog_gen.errors import BlogGenError, ModelError, UsageError
from blog_gen.model.distributed.cluster import Cluster, await_others, never_came, silent
from blog_gen.model.distributed.team import SharedStepper, Team, WorkerLostError, worker_loss_explained
from blog_gen.model.quiet import quiet, silenced
from blog_gen.model.training.machine import Machine, this_machine

if TYPE_CHECKING:
    from blog_gen.model.training.steppers.stepper import Stepper

PACK = 32 << 20  # bytes of gradients that are added up at once, while others are still computed
HEARTBEAT = 20.0  # seconds without one, and a worker is lost
MOST_TASKS = 1024  # on one machine
SLURM_PORT = 8888  # of the first task on each machine; the next ones follow
SAME = ("blog_gen", "tensorflow", "keras", "numpy")  # packages that decide what a step comes to

_team: Team | None = None  # that this process belongs to, while it lasts: ambient, as a strategy's scope is


def is_set() -> bool:
    """Whether this is called in the scope of a strategy: what is made there, all its workers make."""
    import tensorflow as tf

    return bool(tf.distribute.has_strategy())


def strategy() -> Any:
    """The strategy in whose scope this is called; without one, all GPUs of this machine, or one device."""
    import tensorflow as tf

    if not is_set() and len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def machine() -> Machine:
    """What trains: this machine, or all of a team as one."""
    if _team:
        return _team.machine
    return replace(this_machine(), replicas=strategy().num_replicas_in_sync if _on_tensorflow() else 1)


def _on_tensorflow() -> bool:
    return os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"


def summed(loss: Any, gradients: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Inside a replica: all losses in the order of replicas (R,), and the sums of their gradients, float32.

    Where there is one replica, its gradients are as they were.
    """
    import tensorflow as tf

    replica = tf.distribute.get_replica_context()
    count = replica.num_replicas_in_sync
    if count == 1:
        return loss[None], dict(gradients)
    losses = replica.all_reduce("SUM", tf.one_hot(replica.replica_id_in_sync_group, count) * loss)
    if not gradients:
        return losses, {}
    wide = [tf.identity(tf.cast(each, "float32")) for each in gradients.values()]
    return losses, dict(zip(gradients, replica.all_reduce("SUM", wide), strict=True))


def constant(value: Any) -> Any:
    """A tensor that each replica has, and all have from the chief; read it by `constant_value`."""
    import tensorflow as tf

    return tf.Variable(constant_bits(value), trainable=False)


def constant_bits(value: Any) -> Any:
    """What a `constant` keeps of `value`: TensorFlow hands over no bfloat16, so its bits go as half's."""
    import tensorflow as tf

    return tf.bitcast(value, "half") if value.dtype == "bfloat16" else value


def constant_value(kept: Any) -> Any:
    """The tensor that `kept` was made of, or `kept` itself if it is one."""
    import tensorflow as tf

    value = tf.convert_to_tensor(kept)
    return tf.bitcast(value, "bfloat16") if value.dtype == "half" else value


def shared(stepper: Stepper) -> Stepper:
    """`stepper`, whose calls all workers make where this process is the chief of several."""
    return SharedStepper(stepper, _team) if _team and _team.is_chief else stepper


def begin(about: Mapping[str, Any]) -> None:
    """Let the other workers make a stepper like the one that is made next, from what `about` says of it."""
    if _team and _team.is_chief:
        _team.send("begin", about)


@contextmanager
def connected(cluster: Cluster, about: Mapping[str, Any], seconds: float) -> Iterator[Team]:
    """All workers of `cluster`, within `seconds`, as far as they agree; they part when this ends.

    Call it before anything else that TensorFlow computes.

    Args:
        about: what must be the same as on the chief, as far as this worker has it, by its name: JSON.

    Raises:
        ModelError: some do not come, or do not agree.
    """
    global _team
    team = Team(_connect(cluster, seconds), cluster)
    versions = {f"version of {name}": import_module(name).__version__ for name in SAME}
    _require_alike(team.greet({**versions, **about}), cluster)
    _team = team
    try:
        with team.strategy.scope(), worker_loss_explained():
            yield team
        team.end("")
    except WorkerLostError:
        raise
    except BlogGenError as error:
        team.end(str(error))
        raise
    finally:
        _team = None


def slurm_cluster() -> Cluster | None:
    """The tasks of the Slurm step that this process is one of, by TensorFlow's resolver; None for one.

    Raises:
        UsageError: it is in none.
    """
    quiet(compute=False)
    import tensorflow as tf

    try:
        # It deals out GPUs, too, and fails where there are none: so many are claimed, and left to Slurm.
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            port_base=SLURM_PORT, gpus_per_node=MOST_TASKS, gpus_per_task=1, auto_set_gpu=False
        )
        workers = resolver.cluster_spec().job_tasks("worker")
        _, rank = resolver.get_task_info()
    except (RuntimeError, ValueError) as error:
        raise UsageError("--workers slurm is for what srun starts", got=error) from None
    return Cluster(tuple(workers), rank) if len(workers) > 1 else None


def _connect(cluster: Cluster, seconds: float) -> Any:
    """TensorFlow's strategy for `cluster`, once all its workers are there."""
    if not _on_tensorflow():
        raise ModelError(
            "several machines need TensorFlow", got=f"KERAS_BACKEND={os.environ['KERAS_BACKEND']}"
        )
    quiet(compute=False)
    import tensorflow as tf

    _set_limits(cluster, seconds)
    if cluster.rank == 0:
        await_others(cluster, seconds)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.workers)}),
        task_type="worker",
        task_id=cluster.rank,
        rpc_layer="grpc",
    )
    options = tf.distribute.experimental.CommunicationOptions(bytes_per_pack=PACK)
    try:
        with silenced(), _killable_while_waiting(seconds):
            return tf.distribute.MultiWorkerMirroredStrategy(resolver, options)
    except tf.errors.OpError:
        raise never_came(silent(cluster.others), seconds) from None


def _set_limits(cluster: Cluster, seconds: float) -> None:
    """How long TensorFlow waits for workers and for their heartbeats: it has no public name for either."""
    from tensorflow.python.distribute import collective_all_reduce_strategy as source
    from tensorflow.python.eager import context

    job = source.coordination_config_pb2.CoordinatedJob(name="worker", num_tasks=len(cluster.workers))
    context.context().configure_coordination_service(
        "standalone",
        service_leader="/job:worker/replica:0/task:0",
        cluster_register_timeout_in_ms=round(1000 * seconds),
        heartbeat_timeout_in_ms=round(1000 * HEARTBEAT),
        coordinated_jobs=[job],
    )


@contextmanager
def _killable_while_waiting(seconds: float) -> Iterator[None]:
    """While TensorFlow waits in native code, where Python hears nothing: signals and time end the process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    with open(os.devnull, "w", encoding="ascii") as nowhere:
        faulthandler.dump_traceback_later(seconds + HEARTBEAT, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            for number, handler in before.items():  # TensorFlow has set one of its own for SIGTERM
                signal.signal(number, handler)


def _require_alike(greetings: Sequence[Mapping[str, Any]], cluster: Cluster) -> None:
    """Refuse workers that would not compute the same.

    Raises:
        ModelError: every difference, by name, with both addresses.
    """
    chief, first = greetings[0], cluster.workers[0]
    unlike = {
        name: f"{name}: {chief.get(name)} at {first}, {value} at {address}"
        for address, each in zip(cluster.workers, greetings, strict=True)
        for name, value in each.items()
        if value != chief.get(name)
    }
    if unlike:
        raise ModelError("all workers must have the same", got="; ".join(unlike.values()))
