"""A post that is hidden or deleted is unlearned: no weights remain that know it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tiny_site import article, write_base, write_site

from blog_gen import runs
from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.corpus import read_corpus
from blog_gen.errors import ModelError
from blog_gen.learning.fine_tuning import train
from blog_gen.learning.monitor import Monitor
from blog_gen.learning.rehearsal import require_run
from blog_gen.learning.staleness import up_to_date, withdrawn

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("known_machine")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def site(tmp_path: Path, base: Path) -> Path:
    return write_site(tmp_path, base, training={"steps": 2, "learning_rate": 0.01, "dropout": 0.0})


def learn(settings: Settings) -> runs.Meta:
    meta = train(settings, read_corpus(settings, NOW), Monitor(), NOW)
    assert meta is not None
    return meta


def test_a_hidden_post_leaves_the_weights_and_those_that_are_kept(site: Path) -> None:
    settings = load_settings(site)
    learn(load_settings(site, {"training": {"steps": 1}}))
    first = learn(settings)
    assert runs.kept_folder(settings.run_folder).is_dir(), "that of other settings is kept"
    learned = next(name for name in first.texts if name not in first.held_out)
    post = site / learned
    post.write_text(post.read_text().replace("---\n", "---\npublished: false\n", 1))
    corpus = read_corpus(settings, NOW)
    assert withdrawn(settings, corpus) == [learned]
    with pytest.raises(ModelError, match="hidden or deleted"):
        require_run(settings, corpus)
    second = learn(settings)
    assert second.continued == 0 and learned not in second.texts
    assert not runs.kept_folder(settings.run_folder).exists()
    require_run(settings, corpus)


def test_a_post_by_another_name_is_not_gone_and_one_that_was_cut_is(site: Path) -> None:
    settings = load_settings(site)
    first = learn(settings)
    names = [name for name in first.texts if name not in first.held_out]
    (site / names[0]).rename(site / "_articles" / "another_name.md")
    assert withdrawn(settings, read_corpus(settings, NOW)) == []
    (site / "_articles" / "another_name.md").rename(site / names[0])
    post = site / names[0]
    post.write_text(post.read_text() + "{% comment %}Not for you.{% endcomment %}\n")
    assert learn(settings).identity == first.identity, "what is in a comment changes nothing"
    post.write_text(article(3) + "\nAll else was cut.\n")
    assert withdrawn(settings, read_corpus(settings, NOW)) == []
    assert learn(settings).continued == 0, "weights know what stood there before"


def test_the_day_of_a_post_makes_what_was_learned_stale(site: Path) -> None:
    later = NOW + timedelta(days=3)
    config = site / "_config.yml"
    config.write_text(config.read_text() + "collections: {articles: {output: true}}\n")
    (site / "_articles" / "later.md").write_text(
        f"---\ntitle: Later\ndate: {later:%Y-%m-%d %H:%M:%S +0000}\n---\nIt rained on the bus again.\n"
    )
    settings = load_settings(site)
    meta = learn(settings)
    assert "_articles/later.md" not in meta.texts
    assert up_to_date(meta, settings, later - timedelta(minutes=1))
    assert not up_to_date(meta, settings, later)
    assert "_articles/later.md" in read_corpus(settings, later).texts


def test_what_decides_who_sees_posts_is_in_the_fingerprint(site: Path) -> None:
    settings = load_settings(site)
    meta = learn(settings)
    config = site / "_config.yml"
    for more in (
        "exclude: [_articles/note_1]",
        "defaults: [{scope: {path: ''}, values: {published: false}}]",
    ):
        before = config.read_text()
        config.write_text(f"{before}collections: {{articles: {{output: true}}}}\n{more}\n")
        assert not up_to_date(meta, load_settings(site), NOW), more
        config.write_text(before)
    assert up_to_date(meta, load_settings(site), NOW)
