"""Languages by their ISO 639-1 codes, and a base of GPT-2's family for each for which one is known."""

from __future__ import annotations

NAMES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "eu": "Basque",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
# Of the Hub, as `models pull` and `model:` take them.
BASES = {
    "cs": "MU-NLPC/CzeGPT-2",
    "de": "benjamin/gerpt2",
    "es": "DeepESP/gpt2-spanish",
    "eu": "HiTZ/gpt2-eus-euscrawl",
    "ja": "rinna/japanese-gpt2-small",
    "pt": "pierreguillou/gpt2-small-portuguese",
    "zh": "uer/gpt2-chinese-cluecorpussmall",
}
ENGLISH_ONLY = ("mini",)


def name_of(language: str) -> str:
    """
    >>> name_of("de"), name_of("tlh")
    ('German', '`tlh`')
    """
    return NAMES.get(language, f"`{language}`")


def what_to_do(language: str) -> str:
    """What fits posts in a language that the embedded base does not know."""
    anyway = "with `model: mini` it is learned all the same, and drafts will hardly be sentences"
    base = BASES.get(language)
    if base is None:
        return f"Name a GPT-2 of that language as `model:` (OWNER/NAME of the Hub, or a folder); {anyway}"
    return f"`blog-gen models pull {base}`, then `model: {base}`; {anyway}"
