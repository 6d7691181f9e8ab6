"""Which images a draft may show: those that Jekyll would publish, by their addresses."""

from __future__ import annotations

from pathlib import Path

from blog_gen.config.loading import load_settings
from blog_gen.site.assets import image_files


def _site(folder: Path, config: str, *images: str) -> frozenset[str]:
    (folder / "_config.yml").write_text(config)
    for image in images:
        path = folder / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return image_files(load_settings(folder))


def test_what_jekyll_leaves_out_is_no_image_of_the_site(tmp_path: Path) -> None:
    found = ("img/a.PNG", "b.webp")
    others = ("_site/a.png", ".git/c.png", "node_modules/d.png", "_drafts/e.png", "img/text.md")
    assert _site(tmp_path, "title: One\n", *found, *others) == set(found)


def test_addresses_begin_at_the_source(tmp_path: Path) -> None:
    config = "source: src\ndestination: ./src/public\n"
    assert _site(tmp_path, config, "src/img/a.png", "src/public/img/b.png", "c.png") == {"img/a.png"}
