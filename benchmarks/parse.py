"""How many raw samples are posts: title, `---` and body, as they come, with no head given.

The pipeline writes a candidate's head line by line and so always gets a post; this is what the model itself
has learned of the format. Samples are those of `blog-gen sample --raw`.

    python benchmarks/parse.py MODEL_FOLDER [--samples 50] [--prompt title:] [--json]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from blog_gen.config.settings import SamplingSettings
from blog_gen.model.sampling.sampling import Request, Sampler
from blog_gen.text.post import PostFormatError, parse

HEAD_TOKENS = 160  # a head and the beginning of a body: whether it parses is settled by then


def outcome(text: str) -> str:
    try:
        parse(text)
    except PostFormatError as error:
        return str(error)
    return "parses"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=50)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sampler = Sampler.open(options.folder)
    prompt = tuple(sampler.tokenizer.encode(options.prompt))
    requests = [Request(prompt, seed, HEAD_TOKENS) for seed in range(options.samples)]
    outcomes = Counter(
        outcome(options.prompt + sample.text) for sample in sampler.generate(requests, SamplingSettings())
    )
    if options.json:
        print(json.dumps({"samples": options.samples, "parses": outcomes["parses"] / options.samples}))
        return
    for reason, count in outcomes.most_common():
        print(f"{count:4} {reason}")


if __name__ == "__main__":
    main()
