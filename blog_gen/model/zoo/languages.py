"""Languages by their ISO 639 codes, and what fits posts in them."""

from __future__ import annotations

from blog_gen.model.zoo.bases import offered

# Those that a text can be told to be in: code, other codes of the same (ISO 639-2, 639-3), name in English.
_TABLE = """
ace Achinese, af afr Afrikaans, am amh Amharic, an arg Aragonese, ar ara Arabic, ary Moroccan Arabic, arz
Egyptian Arabic, as asm Assamese, az aze Azerbaijani, ba bak Bashkir, bcl Central Bikol, be bel Belarusian,
bg bul Bulgarian, bn ben Bengali, br bre Breton, bs bos Bosnian, ca cat Catalan, crh Crimean Tatar, cs ces
cze Czech, cy cym wel Welsh, da dan Danish, de deu ger German, dz dzo Dzongkha, el ell gre Greek, en eng
English, eo epo Esperanto, es spa Spanish, et est Estonian, eu eus baq Basque, ext Extremaduran, fa fas per
Persian, fi fin Finnish, fo fao Faroese, fr fra fre French, fuv Nigerian Fulfulde, fy fry Western Frisian,
ga gle Irish, gcf Guadeloupean Creole French, gcr Guianese Creole French, gd gla Scottish Gaelic, gl glg
Galician, gom Goan Konkani, grc Ancient Greek, gu guj Gujarati, gug gn grn Guarani, guw Gun, ha hau Hausa,
hbo Ancient Hebrew, he heb Hebrew, hi hin Hindi, hr hrv Croatian, ht hat Haitian Creole, hu hun Hungarian,
hy hye arm Armenian, id ind Indonesian, ig ibo Igbo, is isl ice Icelandic, it ita Italian, ja jpn Japanese,
jv jav Javanese, ka kat geo Georgian, kab Kabyle, kik ki Kikuyu, kk kaz Kazakh, km khm Khmer, kn kan
Kannada, ko kor Korean, ku kur Kurdish, ky kir Kyrgyz, la lat Latin, lb ltz Luxembourgish, lg lug Luganda,
lij Ligurian, ln lin Lingala, lo lao Lao, lt lit Lithuanian, ltg Latgalian, lv lav Latvian, mg mlg Malagasy,
mk mkd mac Macedonian, ml mal Malayalam, mn mon Mongolian, mr mar Marathi, ms msa may Malay, mt mlt Maltese,
my mya bur Burmese, ne nep Nepali, nl nld dut Dutch, nn nno Norwegian Nynorsk, no nor nb nob Norwegian, nso
Northern Sotho, oc oci Occitan, om orm Oromo, or ori Odia, pa pan Punjabi, pcm Nigerian Pidgin, pl pol
Polish, ps pus Pashto, pt por Portuguese, qu que Quechua, ro ron rum Romanian, ru rus Russian, rw kin
Kinyarwanda, sa san Sanskrit, sdh Southern Kurdish, se sme Northern Sami, si sin Sinhala, sk slk slo Slovak,
sl slv Slovenian, sn sna Shona, so som Somali, sq sqi alb Albanian, sr srp Serbian, st sot Southern Sotho,
sv swe Swedish, sw swa Swahili, ta tam Tamil, te tel Telugu, tg tgk Tajik, th tha Thai, tk tuk Turkmen, tl
tgl fil Tagalog, tr tur Turkish, tt tat Tatar, ug uig Uyghur, uk ukr Ukrainian, ur urd Urdu, uz uzb Uzbek,
uzs Southern Uzbek, vec Venetian, vi vie Vietnamese, vo vol Volapük, wa wln Walloon, wuu Wu Chinese, xh xho
Xhosa, yo yor Yoruba, yue Cantonese, zh zho chi Chinese, zu zul Zulu
"""
_LISTED = [entry.split() for entry in _TABLE.split(",")]
_CODES = [[word for word in words if word.islower()] for words in _LISTED]
NAMES = {codes[0]: " ".join(words[len(codes) :]) for codes, words in zip(_CODES, _LISTED, strict=True)}
_CODE_OF = {code: codes[0] for codes in _CODES for code in codes}
_CODE_OF |= {name.lower(): code for code, name in NAMES.items()}
ENGLISH_ONLY = ("mini",)


def name_of(language: str) -> str:
    """
    >>> name_of("de"), name_of("la"), name_of("tlh")
    ('German', 'Latin', '`tlh`')
    """
    return NAMES.get(language, f"`{language}`")


def code_of(said: object) -> str | None:
    """The code of the language that front matter or settings name; None where that is none that we know.

    >>> [code_of(said) for said in ("en_US", "zh-Hant", "deu", "Italian", "python", "en, fr", None)]
    ['en', 'zh', 'de', 'it', None, None, None]
    """
    if not isinstance(said, str):
        return None
    word = said.strip().lower()
    return _CODE_OF.get(word) or _CODE_OF.get(word.replace("_", "-").partition("-")[0])


def what_to_do(language: str) -> str:
    """What fits posts in a language that the embedded base does not know."""
    anyway = "`model: mini` learns it anyway, but the drafts will hardly be sentences"
    base = offered(language)
    if base is None:
        return f"Name a GPT-2 of that language as `model:` (OWNER/NAME of the Hub, or a folder); {anyway}"
    return f"`blog-gen models pull {base.name}`, then `model: {base.name}`; {anyway}"
