"""The line under a draft that says how it was made: the same under every draft, so never judged.

It is the setting `disclosure` where that is text, else the site's own template, else a line in the language
of the blog.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from blog_gen.config.settings import Settings
from blog_gen.site.composing import Draft
from blog_gen.site.templates import render

TEMPLATE = "disclosure.md"
DEFAULT = "en"
# By ISO 639-1 code; `{model}` is the base's name.
LINES = {
    "en": "This post was drafted by a language model ({model}) that was trained on the posts of this blog.",
    "de": "Dieser Beitrag wurde von einem Sprachmodell ({model}) entworfen, das mit den Beiträgen dieses "
    "Blogs trainiert wurde.",
    "fr": "Ce billet a été rédigé par un modèle de langue ({model}) entraîné sur les billets de ce blog.",
    "es": "Esta entrada la redactó un modelo de lenguaje ({model}) entrenado con las entradas de este blog.",
    "pt": "Este texto foi redigido por um modelo de linguagem ({model}) treinado com os textos deste blog.",
    "it": "Questo articolo è stato scritto da un modello linguistico ({model}) addestrato sugli articoli di "
    "questo blog.",
    "nl": "Dit bericht is geschreven door een taalmodel ({model}) dat op de berichten van dit blog is "
    "getraind.",
    "sv": "Det här inlägget skrevs av en språkmodell ({model}) som tränats på inläggen i den här bloggen.",
    "da": "Dette indlæg er skrevet af en sprogmodel ({model}), der er trænet på indlæggene i denne blog.",
    "pl": "Ten wpis został napisany przez model językowy ({model}) wytrenowany na wpisach z tego bloga.",
    "cs": "Tento příspěvek napsal jazykový model ({model}) natrénovaný na příspěvcích tohoto blogu.",
    "ru": "Этот текст написан языковой моделью ({model}), обученной на записях этого блога.",
    "uk": "Цей допис написала мовна модель ({model}), навчена на дописах цього блогу.",
    "tr": "Bu yazı, bu blogdaki yazılarla eğitilmiş bir dil modeli ({model}) tarafından yazıldı.",
    "zh": "本文由语言模型（{model}）撰写，该模型以本博客的文章训练而成。",
    "ja": "この記事は、このブログの記事で学習した言語モデル（{model}）が書きました。",
    "ko": "이 글은 이 블로그의 글로 학습한 언어 모델({model})이 작성했습니다.",
}
_GIVEN = ("lang", "language", "locale")  # where sites and themes say their language


def language_of(jekyll: Mapping[str, Any]) -> str | None:
    """The ISO 639-1 code of the language that `_config.yml` names; None where it names none.

    >>> language_of({"locale": "de_DE"}), language_of({"lang": "zh-Hans"}), language_of({})
    ('de', 'zh', None)
    """
    given = next((jekyll[key] for key in _GIVEN if isinstance(jekyll.get(key), str)), "")
    return given.replace("_", "-").partition("-")[0].strip().lower() or None


def added_to(body: str, model: str, settings: Settings, language: str | None = None) -> str:
    """`body` with the line under it, unless the site wants none.

    Args:
        model: the base's name.
        language: ISO 639-1 code of the posts, where the site's settings name none.
    """
    if not settings.disclosure:
        return body
    return f"{body}\n\n{_line(model, settings, language_of(settings.jekyll) or language)}".strip()


def without(draft: Draft, settings: Settings) -> str:
    """The draft's body as it was judged, in whatever language the line under it is."""
    model, body = str(draft.provenance.get("model", settings.model)), draft.body.strip()
    given = settings.disclosure if isinstance(settings.disclosure, str) else ""
    for line in (_filled(given, model), *_known_lines(model, settings.site)):
        if line and body.endswith(line):
            return body.removesuffix(line).rstrip()
    return body


@lru_cache(maxsize=16)
def _known_lines(model: str, site: Path) -> tuple[str, ...]:
    """Every line that a draft may have; the last is that of version 0.1.0."""
    lines = [_rendered(line, model, site) for line in LINES.values()]
    return *dict.fromkeys(lines), f"*{LINES[DEFAULT].replace('{model}', f'GPT-2, {model}')}*"


def _line(model: str, settings: Settings, language: str | None) -> str:
    if isinstance(settings.disclosure, str):
        return _filled(settings.disclosure, model)
    return _rendered(LINES.get(language or DEFAULT, LINES[DEFAULT]), model, settings.site)


def _rendered(line: str, model: str, site: Path) -> str:
    """By the template, which a site may have its own of."""
    return render(TEMPLATE, site, model=_shown(model), line=_filled(line, model)).strip()


def _filled(line: str, model: str) -> str:
    return line.replace("{model}", _shown(model)).strip()


def _shown(model: str) -> str:
    """A folder's own name: where it lies on somebody's machine is nobody's business."""
    return Path(model).name or model
