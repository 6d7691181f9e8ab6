"""TensorFlow: its own reader and OpenAI's way of restoring take what is exported, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ours import Ours

from blog_gen.model.bpe import Tokenizer
from blog_gen.model.formats import open_checkpoint, write_checkpoint
from blog_gen.model.weights import load_weights
from blog_gen.model.zoo.exchange import export_model


def test_the_checkpoint_reader_takes_the_shape_of_124m(full: Ours, scratch: Path) -> None:
    folder = export_model(full.folder, "openai", scratch / "124M")
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder)))
    assert len(reader.get_variable_to_shape_map()) == len(full.hparams.shapes())
    read = {
        name: reader.get_tensor(f"model/{name}").reshape(shape)
        for name, shape in full.hparams.shapes().items()
    }
    assert all((read[name] == value).all() for name, value in full.weights.items())
    prompt = Tokenizer.load(folder).encode("It was a bright cold day in April,")
    assert full.greedy(prompt, 8, read) == full.greedy(prompt, 8)


def test_a_session_restores_it_as_openai_does(small: Ours, scratch: Path) -> None:
    """As in openai/gpt-2 `src/interactive_conditional_samples.py`: a Saver over the graph's variables."""
    v1 = tf.compat.v1
    folder = export_model(small.folder, "openai", scratch / "model")
    with v1.Session(graph=tf.Graph()) as session:
        with v1.variable_scope("model", use_resource=False):
            variables = {
                name: v1.get_variable(name, [1, *shape] if name.endswith("/w") else shape)
                for name, shape in small.hparams.shapes().items()
            }
        v1.train.Saver().restore(session, tf.train.latest_checkpoint(str(folder)))
        for name, variable in variables.items():
            np.testing.assert_array_equal(
                session.run(variable).reshape(small.weights[name].shape), small.weights[name]
            )


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_saver_saves_while_training_is_imported(small: Ours, scratch: Path, version: int) -> None:
    """As nshepperd/gpt-2 `train.py`: `model-STEP` beside a counter, with no hparams and no vocabulary."""
    v1 = tf.compat.v1
    with v1.Session(graph=tf.Graph()) as session:
        with v1.variable_scope("model", use_resource=version == 2):
            for name, value in small.weights.items():
                v1.get_variable(name, initializer=value[None] if name.endswith("/w") else value)
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(max_to_keep=2)
        for step in (999, 1000):
            saver.save(session, str(scratch / "run1" / "model"), global_step=step)
    (scratch / "run1" / "counter").write_text("1001\n")
    write_checkpoint(open_checkpoint(scratch / "run1", base=small.folder), "folder", scratch / "back")
    back = load_weights(scratch / "back", small.hparams)
    assert all((back[name] == value).all() for name, value in small.weights.items())
