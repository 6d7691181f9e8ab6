"""What a text may rely on in its site: the same for a new draft and for one that is reviewed."""

from __future__ import annotations

from collections.abc import Sequence

from blog_gen.config.settings import Settings
from blog_gen.site.articles import Article
from blog_gen.site.assets import image_files
from blog_gen.text.leftovers import named_hosts
from blog_gen.text.safety.facts import SiteFacts
from blog_gen.text.safety.links import known_hosts, known_places


def site_facts(articles: Sequence[Article], settings: Settings) -> SiteFacts:
    """The hosts, places and images that `articles` and the site know, and how Jekyll renders its posts."""
    jekyll = settings.jekyll
    own = f"<{jekyll.get('url') or ''}>"  # the site may always link to itself
    renderer = jekyll.get("kramdown")
    bodies = [own, *(article.body for article in articles)]
    return SiteFacts(
        hosts=known_hosts(bodies),
        places=known_places(bodies),  # a model knows no addresses: any other is one that it made up
        named=named_hosts(f"{article.title}\n{article.body}" for article in articles),
        files=image_files(settings),
        excerpt_separator=str(jekyll.get("excerpt_separator") or "\n\n"),
        backtick_fences=not isinstance(renderer, dict) or renderer.get("input", "GFM") == "GFM",
    )
