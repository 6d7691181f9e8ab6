"""All that `blog-gen train` imports, for processes that begin where it is imported; see `side_by_side`.

TensorFlow computes here what XLA would be given, whose compiler takes longer than a training of five steps.
"""

from __future__ import annotations

import keras  # noqa: F401
import tensorflow  # noqa: F401

from blog_gen.model.training import fusion

fusion.island = lambda function: function

import blog_gen.cli  # noqa: E402
import blog_gen.commands.writing  # noqa: E402
import blog_gen.learning.fine_tuning  # noqa: E402
import blog_gen.pipeline  # noqa: E402,F401
