"""Languages by their ISO 639 codes, and what fits posts in them."""

from __future__ import annotations

from blog_gen.model.zoo.bases import offered

NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
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
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "yue": "Cantonese",
    "zh": "Chinese",
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
    anyway = "`model: mini` learns it anyway, but the drafts will hardly be sentences"
    base = offered(language)
    if base is None:
        return f"Name a GPT-2 of that language as `model:` (OWNER/NAME of the Hub, or a folder); {anyway}"
    return f"`blog-gen models pull {base.name}`, then `model: {base.name}`; {anyway}"
