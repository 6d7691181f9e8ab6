"""A blog's own limits: never stricter than the defaults, never so loose that a copy or a loop passes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Limits
from blog_gen.judge import Candidate, Context, calibration, judge
from blog_gen.judge.calibration import AT_LEAST, LOOSEST, OwnLimits, Post, own_limits
from blog_gen.judge.index import CorpusIndex
from blog_gen.site.articles import read_articles

ROOT = Path(__file__).resolve().parents[2]
FOOTER = (
    "\n\n---\n\nThis notebook has no comments, on purpose, but letters are read, kept in a tin, and "
    "answered on the first wet Sunday of the month, if there is one and the pen can be found."
)


@pytest.fixture(scope="module")
def posts() -> list[Post]:
    articles = read_articles(load_settings(ROOT)).articles
    return [(article.path.as_posix(), article.title, article.body) for article in articles]


def index_of(posts: list[Post]) -> CorpusIndex:
    return CorpusIndex.build([(name, body) for name, _, body in posts])


def own_of(posts: list[Post]) -> OwnLimits:
    return own_limits(posts, index_of(posts))


def failed(post: Post, context: Context) -> set[str]:
    (card,) = judge([Candidate(post[1], post[2], (), None, True, 0, 0, 0.0)], context)
    return {check.name for check in card.failed}


def test_a_footer_that_several_posts_have_is_not_copied(posts: list[Post]) -> None:
    blog = [(name, title, body + FOOTER) for name, title, body in posts]
    index = index_of(blog)
    draft = ("draft.md", "Of Pens", posts[0][2][:-1] + FOOTER)
    without = index_of(blog[1:])
    assert "longest_copy" not in failed(draft, Context(without, [], (0, 9999)))
    for at, post in enumerate(blog):
        assert not {"longest_copy", "copied_share"} & failed(post, Context(index.rest(at), [], (0, 9999)))
    assert own_limits(blog, index).limits["longest_copy"] == own_of(posts).limits["longest_copy"]


def test_what_only_two_posts_share_is_copied(posts: list[Post]) -> None:
    blog = [(name, title, body + FOOTER * (at < 2)) for at, (name, title, body) in enumerate(posts)]
    index = index_of(blog)
    assert "longest_copy" in failed(blog[1], Context(index.rest(1), [], (0, 9999)))
    assert "longest_copy" not in failed(blog[0], Context(index.rest(0), [], (0, 9999)))  # it was there first


def test_posts_that_keep_to_the_defaults_change_none(
    posts: list[Post], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "FEW", len(posts))
    monkeypatch.setattr(calibration, "ENOUGH", len(posts))
    own = own_of(posts)
    assert own.limits == {} and own.over(Limits()) == Limits()


def test_in_a_blog_of_few_posts_the_next_one_may_differ_more(posts: list[Post]) -> None:
    own, default = own_of(posts).over(Limits()), Limits()
    assert own.longest_copy == 1.5 * default.longest_copy and own.heading_faults == 2
    assert own.word_order < default.word_order
    assert own.prose_first is False
    for name in ("copied_paragraph", "title_likeness", "repeated_paragraphs", "left_open", "broken_off"):
        assert getattr(own, name) == getattr(default, name)


@pytest.mark.parametrize(("copying", "habit"), [(2, False), (3, True)])
def test_two_posts_that_say_a_paragraph_again_are_no_habit(
    posts: list[Post], copying: int, habit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "ENOUGH", len(posts))
    blog = list(posts)
    for at in range(copying):  # each copies from another post, so that nothing is boilerplate
        source, (name, title, body) = posts[at][2], posts[-1 - at]
        (paragraph, *_) = [part for part in source.split("\n\n") if len(part.split()) > 20]
        blog[-1 - at] = (name, title, f"{body}\n\n{paragraph}")
    limit = own_of(blog).over(Limits()).copied_paragraph
    assert (limit > Limits().copied_paragraph) == habit


def test_a_blog_that_opens_with_pictures_may_go_on_doing_so(posts: list[Post]) -> None:
    blog = [
        (name, title, "![a pen](/pen.png)\n{: .wide}\n\n# Again\n\n" + body) for name, title, body in posts
    ]
    blog = [(name, title, body.replace("![a pen]", "<img>\n\n![a pen]")) for name, title, body in blog]
    own = own_of(blog)
    assert own.over(Limits()).prose_first is False
    assert own.over(Limits(), chosen=("prose_first",)).prose_first is True
    assert "prose_first" in own.names(Limits()) and "prose_first" not in own.names(Limits(), ("prose_first",))


def test_own_limits_are_never_stricter_and_never_looser_than_the_loosest(posts: list[Post]) -> None:
    body = "so it goes, " * 400 + "\n\n" + posts[1][2]
    wild = [(f"{at}.md", "Day Day Day Day Day Day", f"# {at}\n\n#### x\n\n{body} {at}") for at in range(9)]
    limits, default = own_of(wild).over(Limits()), Limits()
    for name, loosest in LOOSEST.items():
        value, least = float(getattr(limits, name)), float(getattr(default, name))
        assert loosest <= value <= least if name in AT_LEAST else least <= value <= loosest
    assert limits.loop_words == LOOSEST["loop_words"] and limits.heading_faults > 0
    copy = ("copy.md", "A New Day", posts[1][2])
    assert "copied_share" in failed(copy, Context(index_of(posts), [], (0, 9999), limits=limits))


@pytest.mark.parametrize(("same", "limit"), [(3, Limits().title_likeness), (4, 1.0)])
def test_few_posts_with_one_title_are_no_habit(posts: list[Post], same: int, limit: float) -> None:
    blog = [(name, "The Shed" if at < same else title, body) for at, (name, title, body) in enumerate(posts)]
    assert own_of(blog).over(Limits()).title_likeness == limit


def test_the_order_of_words_has_little_room(posts: list[Post], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "FEW", len(posts))
    monkeypatch.setattr(calibration, "ENOUGH", len(posts))
    rows = list(calibration.measured(posts, index_of(posts)))
    least = min(row["word_order"] for row in rows)
    monkeypatch.setattr(calibration, "measured", lambda *_: [{**row, "word_order": 0.69} for row in rows])
    assert least > Limits().word_order and own_of(posts).limits == {"word_order": 0.67}


def test_a_post_that_was_posted_again_opens_no_limit(posts: list[Post]) -> None:
    again = ("again.md", "Of Something Else", posts[0][2] + "\n\nI say it again, since nobody wrote.")
    assert own_of([*posts, again]).over(Limits()) == own_of(posts).over(Limits())


def test_a_text_of_two_words_opens_no_limit(posts: list[Post]) -> None:
    blog = [*posts, ("hello.md", "First", "Hello world!")]
    own = own_of(blog)
    assert own.length == own_of(posts).length
    assert "length" in failed(
        ("short.md", "Short", "A kettle hums."), Context(index_of(blog), [], (9, 9), own.length)
    )
    assert own_of([(name, title, "So it is.") for name, title, _ in posts[:3]]).length == (1, 12)


@pytest.mark.parametrize(("ending", "habit"), [(0.4, False), (0.6, True)])
def test_most_posts_may_end_with_a_heading_and_none_with_an_open_fence(
    posts: list[Post], ending: float, habit: bool
) -> None:
    many = round(ending * len(posts))
    blog = [
        (name, title, body + "\n\n## Letters" * (at < many)) for at, (name, title, body) in enumerate(posts)
    ]
    limits = own_of(blog).over(Limits())
    context = Context(index_of(blog[1:]), [], (0, 9999), limits=limits)
    assert ("left_open" in failed(("a.md", "Of Pens", f"{posts[0][2]}\n\n## Letters"), context)) != habit
    assert "left_open" in failed(("b.md", "Of Pens", f"{posts[0][2]}\n\n```\nsort pens"), context)
    assert limits.heading_faults == own_of(posts).over(Limits()).heading_faults, "it is no fault besides"


def test_a_looser_setting_stays_and_the_kept_form_gives_the_same() -> None:
    own = OwnLimits({"longest_copy": 40.0, "distinct_1": 0.3}, (10, 900))
    assert own.over(Limits(longest_copy=90)).longest_copy == 90
    assert OwnLimits.of(json.loads(json.dumps(own.to_dict()))) == own
    assert OwnLimits.of({}).over(Limits()) == Limits() and OwnLimits.of({}).length is None


def test_the_own_length_comes_from_the_shortest_and_the_longest_post(posts: list[Post]) -> None:
    own = own_of(posts)
    context = Context(index_of(posts), [], (100, 100), own.length)
    assert "length" not in failed(posts[0], replace(context, index=index_of(posts).rest(0)))
    assert "length" in failed(("stub.md", "Stub", "Too short."), context)


def test_a_large_blog_is_judged_by_a_sample(posts: list[Post], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "SAMPLE", 5)
    assert len(list(calibration.measured(posts, index_of(posts)))) == 5


def test_too_few_posts_have_no_limits_of_their_own(posts: list[Post]) -> None:
    assert own_of([]) == own_of(posts[:1]) == OwnLimits()


def test_the_benchmark_tells_for_any_site_which_posts_fail(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text("blog_gen:\n  articles: _posts\n")
    (tmp_path / "_posts").mkdir()
    sources = sorted((ROOT / "_articles").glob("*.md"))[:6]
    for at, source in enumerate(sources):
        (tmp_path / "_posts" / f"2020-01-0{at + 1}-post.md").write_text(source.read_text())
    text = sources[0].read_text().replace("title: ", "title: Again ", 1) + "\n\nAnd once more.\n"
    (tmp_path / "_posts" / "2020-02-01-copy.md").write_text(text)
    german = "Der Kessel steht seit dem Mai in der Küche und hat seither nicht ein einziges Mal gekocht. " * 5
    (tmp_path / "_posts" / "2020-03-01-kessel.md").write_text(f"---\ntitle: Der Kessel\n---\n\n{german}\n")
    command = [sys.executable, ROOT / "benchmarks" / "judge_limits.py", "--site", tmp_path, "--sample", "7"]
    done = subprocess.run([*map(str, command), "--json"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    fails = {each["path"]: each["fails"] for each in found["sample"]}
    assert found["posts"] == len(fails) == 7
    assert found["judged"] == 6 and found["posted again"] == {"texts": 1, "stopped": 1}
    assert {"longest_copy", "copied_share"} <= set(fails["_posts/2020-02-01-copy.md"])
    assert fails["_posts/2020-01-03-post.md"] == []
    assert found["rejected"] == sum(map(bool, fails.values())) - 1
    copies = found["spoilt"]["copy"]
    assert copies["stopped"] == copies["texts"] > 0
