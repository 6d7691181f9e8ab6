"""Record what the peers say, for the tests that run without them.

    .venv-peers/bin/python tests/peers/record.py

Writes tests/model/golden: `model/`, a small random model in float16; `peers.json`, what transformers and
llama.cpp make of it; `bpe.json`, the ids that transformers' tokenizer gives the torture texts with OpenAI's
vocabulary.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "model" / "golden"
sys.path.insert(0, str(GOLDEN.parent))

import llama_cpp  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from real_vocabulary import TORTURE, real_vocabulary  # noqa: E402
from toy_models import write_model  # noqa: E402

from blog_gen.model.hparams import HParams  # noqa: E402
from blog_gen.model.zoo.exchange import export_model  # noqa: E402

SMALL = HParams(n_vocab=260, n_ctx=48, n_embd=32, n_head=4, n_layer=2)
PROMPT = [116, 7, 256, 258, 33, 200, 12, 12]
LENGTH = 40  # of the continuation


def main() -> None:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    model = write_model(GOLDEN / "model", SMALL, seed=4, dtype="float16")
    with tempfile.TemporaryDirectory() as scratch:
        said = {"prompt": PROMPT, "transformers": of_transformers(model, Path(scratch))}
        said["llama.cpp"] = of_llama(model, Path(scratch))
    _write("peers.json", said)
    _write("bpe.json", {"transformers": transformers.__version__, "ids": ids()})


def of_transformers(model: Path, scratch: Path) -> dict[str, Any]:
    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        export_model(model, "hf", scratch / "hf"), dtype=torch.float32
    )
    prompt = torch.tensor([PROMPT])
    with torch.no_grad():
        logits = theirs(prompt).logits[0].numpy()
    grown = theirs.generate(prompt, max_new_tokens=LENGTH, do_sample=False, eos_token_id=None)
    return {
        "version": transformers.__version__,
        "logits": [[round(float(value), 5) for value in row] for row in logits],
        "greedy": grown[0, len(PROMPT) :].tolist(),
    }


def of_llama(model: Path, scratch: Path) -> dict[str, Any]:
    path = export_model(model, "gguf", scratch / "model.gguf")
    theirs = llama_cpp.Llama(str(path), n_ctx=SMALL.n_ctx, verbose=False)
    grown = []
    for token in theirs.generate(PROMPT, temp=0.0):
        grown.append(int(token))
        if len(grown) == LENGTH:
            break
    return {"version": llama_cpp.__version__, "greedy": grown}


def ids() -> dict[str, list[int]]:
    folder = real_vocabulary()
    tokenizer = transformers.GPT2TokenizerFast(
        vocab=json.loads((folder / "encoder.json").read_text("utf-8")),
        merges=[tuple(line.split()) for line in (folder / "vocab.bpe").read_text("utf-8").split("\n")[1:-1]],
    )
    return {name: tokenizer(text, split_special_tokens=True)["input_ids"] for name, text in TORTURE.items()}


def _write(name: str, value: object) -> None:
    text = json.dumps(value, separators=(",", ":")).replace("],", "],\n")
    (GOLDEN / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
