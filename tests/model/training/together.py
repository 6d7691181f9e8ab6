"""What a process of `test_distribution` does: one of several workers, or several devices of one machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from objectives import One

from blog_gen.model.distributed.cluster import Cluster
from blog_gen.model.distributed.strategy import begin, connected
from blog_gen.model.quiet import quiet

_rng = np.random.default_rng(0)
# Names as in a network: products in bfloat16, and an embedding that stays in float32. All of one shape: each
# must get its own update.
TRAINED, FROZEN = (
    {name: _rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    for shapes in ({"h0/mlp/c_fc/w": (6, 6), "wte": (6, 6)}, {"h0/attn/c_proj/w": (6, 6)})
)


def small_stepper(scale: float = 1.0, backwards: bool = False) -> Any:
    """Of a loss that is traced in no time; its weights may be named in another order."""
    import tensorflow as tf

    from blog_gen.model.training.optimizers import Optimizer
    from blog_gen.model.training.steppers.stepper import make_stepper

    def loss(weights: Any, batch: Any) -> Any:
        x = tf.cast(tf.gather(weights["wte"], batch["tokens"]), "bfloat16")
        y = x @ weights["h0/mlp/c_fc/w"] @ weights["h0/attn/c_proj/w"]
        return tf.reduce_sum(tf.square(tf.cast(y, "float32")) * batch["share"][..., None])

    named = (sorted(arrays.items(), reverse=backwards) for arrays in (TRAINED, FROZEN))
    trained, frozen = ({name: scale * each for name, each in arrays} for arrays in named)
    return make_stepper(trained, Optimizer(), One(loss), frozen)


def learn(out: Path, replicas: int) -> None:
    """Train and measure, with as many parts as replicas in a step, one less, and twice as many; all that came
    of it goes to `out`."""
    begin({})
    stepper, rng, said = small_stepper(), np.random.default_rng(1), []
    for step, parts in enumerate((replicas, replicas - 1, replicas, 2 * replicas), 1):
        batches = [
            {"tokens": rng.integers(0, 6, (2, 5)).astype(np.int32), "share": np.full((2, 5), 0.1, np.float32)}
            for _ in range(parts)
        ]
        said += [stepper.train(batches, 0.01, step), stepper.losses(batches[:3])]
        if step == 2:  # a resume, or the best weights in place of the last
            stepper.load([(name, value * np.float32(0.9)) for name, value in stepper.arrays()])
    np.savez(out, allow_pickle=False, said=json.dumps(said), **dict(stepper.arrays()))


def _follower(about: Mapping[str, Any]) -> Any:
    """What it starts from must come from the chief, in whose file the order may be another."""
    return small_stepper(scale=0.0, backwards=True)


def main(out: Path, cluster: Cluster) -> None:
    """One of the workers, the first of which leaves `out`."""
    with connected(cluster, {"command": "test"}, 120.0) as team:
        if team.is_chief:
            learn(out, len(cluster.workers))
        else:
            assert team.follow(_follower) == "" and not team.interrupted()


def devices(out: Path) -> None:
    """The same on two logical processors of this machine, in one process."""
    quiet(compute=False)
    import tensorflow as tf

    one = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(one, [tf.config.LogicalDeviceConfiguration()] * 2)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        learn(out, 2)
