"""The weights of a model folder: made, checked, saved and read. Arrays by their published names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from blog_gen.errors import ModelError
from blog_gen.files import replacing, sha256_of
from blog_gen.model.adapters import Adapter, merged, read_adapter
from blog_gen.model.arrays import Array, LazyArrays, shapes_of
from blog_gen.model.hparams import HParams
from blog_gen.model.integrity import WEIGHTS_FILE, require_whole, weights_file
from blog_gen.model.tensor_file import DamagedError, read_tensors, write_tensors
from blog_gen.model.zoo import zoo


class MissingBaseError(ModelError):
    """Whole weights are asked of an adapter without its base."""


def initial_weights(hparams: HParams, seed: int = 0) -> dict[str, Array]:
    """Random float32 weights as OpenAI began: normal 0.02 (`wpe` 0.01), norms 1, biases 0.

    Projections into the residual stream start smaller by sqrt(2 L), Radford et al. 2019, section 2.3.
    """
    rng = np.random.default_rng(seed)
    weights = {}
    for name, shape in hparams.shapes().items():
        if len(shape) == 1:
            weights[name] = np.full(shape, 1.0 if name.endswith("/g") else 0.0, np.float32)
            continue
        spread = 0.01 if name == "wpe" else 0.02
        if name.endswith("c_proj/w"):
            spread /= (2 * hparams.n_layer) ** 0.5
        weights[name] = (rng.standard_normal(shape) * spread).astype(np.float32)
    return weights


def save_weights(
    weights: Mapping[str, Array], folder: Path, dtype: str = "float32", identity: str | None = None
) -> None:
    """Write `model.safetensors` with every array in `dtype` (float32 or float16).

    `identity`, where given, is kept in the file's header (see `runs`).
    """
    layout = {name: (dtype, shape) for name, shape in shapes_of(weights).items()}
    with replacing(folder / WEIGHTS_FILE) as file:
        write_tensors(file, layout, weights.items(), {"identity": identity} if identity else None)


def load_weights(folder: Path, hparams: HParams) -> dict[str, Array]:
    """All that `open_weights` gives, in memory."""
    return dict(open_weights(folder, hparams))


def open_weights(folder: Path, hparams: HParams) -> LazyArrays:
    """The float32 arrays of the model in `folder`, each read and checked whenever it is asked for.

    Raises:
        MissingBaseError: it is an adapter, and the model that it adds to is not here.
        ModelError: the file is missing, damaged or does not fit `hparams`; an array is not finite, then when
            it is asked for.
    """
    if adapter := read_adapter(folder):
        require_whole(folder)
        return merged(open_weights(_base_of(adapter, folder), hparams), adapter.factors)
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise ModelError(f"a model folder needs {WEIGHTS_FILE}", path=folder)
    stored = read_tensors(path)
    shapes = {name: tensor.shape for name, tensor in stored.items()}
    if faults := hparams.faults(shapes):
        raise ModelError("the weights must fit hparams.json", got="; ".join(faults), path=path)
    require_whole(folder)

    def read(name: str) -> Array:
        try:
            value = stored[name].read().astype(np.float32, copy=False)
        except DamagedError as error:
            raise ModelError("the weights file is damaged", got=error, path=path) from None
        if not np.isfinite(value).all():
            raise ModelError("the weights must be finite numbers", got=name, path=path)
        return value

    return LazyArrays(shapes, read)


def require_base(folder: Path) -> None:
    """Refuse a model that is an adapter and whose base is not here.

    Raises:
        MissingBaseError: says how to get it.
    """
    if adapter := read_adapter(folder):
        _base_of(adapter, folder)


def _base_of(adapter: Adapter, folder: Path) -> Path:
    """The folder of the model that `adapter` adds to."""
    try:
        # A folder's name is seen from the site, which is above its runs.
        sites = (above for above in folder.absolute().parents if zoo.is_model(above / adapter.base))
        base = zoo.resolve(adapter.base, site=next(sites, folder))
        got = "another of that name" if sha256_of(weights_file(base)) != adapter.base_weights else None
    except (ModelError, OSError):
        got = "none"
    if got:
        fix = "Pull or import it, or `blog-gen models export` the run where it is: that writes whole weights"
        rule = f"this run adds to the model {adapter.base}, which must be on this machine"
        raise MissingBaseError(rule, got=got, fix=fix, path=folder)
    return base
