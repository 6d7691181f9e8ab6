"""`init` on the sites it meets: what is missing is added, what is there stays, twice is once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from sites import ARTICLES, LAYOUTS, everything, make

from blog_gen.config.loading import load_settings
from blog_gen.config.settings import Settings
from blog_gen.errors import BlogGenError, ConfigError
from blog_gen.origin import Origin
from blog_gen.site.found import with_posts_found
from blog_gen.site.scheduling import github
from blog_gen.site.setup.additions import PERMALINK
from blog_gen.site.setup.changes import apply, undo
from blog_gen.site.setup.scaffold import SetupPlan, plan, plugin_folders

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if installed from where GitHub can install it, too."""
    monkeypatch.setattr(github, "installed_from", lambda: Origin(url="https://code.example/blog_gen.whl"))


def read(site: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((site / "_config.yml").read_text()) or {}
    return data


def tree(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


def holds(whole: object, part: object) -> bool:
    """Whether `whole` says all that `part` says: the keys of mappings, the items of lists in their order."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and whole[: len(part)] == part
    return whole == part


@pytest.mark.parametrize("layout", LAYOUTS)
def test_init_adds_and_changes_nothing_and_is_done_after_once(layout: str, tmp_path: Path) -> None:
    site = make(tmp_path, LAYOUTS[layout])
    before, data = tree(site), read(site)
    changes = apply(site, plan(site).changes, everything)

    after = read(site)
    assert holds(after, data)
    if layout != "collections_dir":  # which has brackets, and a line with brackets is added to in place
        assert not [line for change in changes for line in change.diff().splitlines()[2:] if line[0] == "-"]
    assert after["collections"]["generated"] == {"output": True, "permalink": PERMALINK}
    assert ".blog_gen/" in after["exclude"]
    assert load_settings(site).articles == ARTICLES[layout]
    assert (site / "_plugins" / "blog_gen.rb").is_file()

    assert plan(site).changes == ()
    undo(site)
    assert tree(site) == before


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_plan_is_only_a_plan(layout: str, tmp_path: Path) -> None:
    site = make(tmp_path, LAYOUTS[layout])
    before = tree(site)
    plan(site)
    assert tree(site) == before


def test_drafts_look_like_the_articles(tmp_path: Path) -> None:
    site = make(tmp_path, LAYOUTS["_posts"])
    apply(site, plan(site).changes, everything)
    ours = read(site)["defaults"][-1]
    assert ours["scope"] == {"path": "", "type": "generated"}
    assert ours["values"] == {"layout": "page", "comments": True}


def of(path: str, kind: str | None, **values: object) -> dict[str, object]:
    return {"scope": {"path": path} | ({"type": kind} if kind else {}), "values": values}


ENGLISH = of("", "posts", layout="post", lang="en")


@pytest.mark.parametrize(
    ("defaults", "folders", "given"),
    [
        (
            [ENGLISH, of("_posts/de", "posts", lang="de", layout="post-de")],
            {"_posts/en": 3, "_posts/de": 2},
            {"layout": "post", "lang": "en"},
        ),
        (
            [ENGLISH, of("_posts/de", "posts", lang="de")],
            {"_posts/en": 2, "_posts/de": 2},
            {"layout": "post"},
        ),
        ([ENGLISH, of("_posts/old", "posts", published=False)], {"_posts/old": 3, "_posts": 1}, None),
        ([of("", "posts", published=True)], {"_posts": 1}, {}),
        (
            [of("_articles", None, layout="page"), of("_articles/italian", None, language="italian")],
            {"_articles/italian": 3, "_articles/english": 1},
            {"layout": "page", "language": "italian"},
        ),
        # What a scope without a type gives to all need not be said again; no post: as the first one.
        ([of("", None, layout="page", lang="en"), ENGLISH], {"_posts": 1}, {"layout": "post"}),
        ([ENGLISH, of("_posts/de", "posts", lang="de")], {}, None),
    ],
)
def test_drafts_get_what_most_posts_get(
    defaults: list[object], folders: dict[str, int], given: dict[str, object] | None, tmp_path: Path
) -> None:
    posts = {
        f"{folder}/2020-01-0{number + 1}-a.md": f"---\ntitle: {folder}\n---\nTea {number}, {folder}.\n"
        for folder, count in folders.items()
        for number in range(count)
    }
    site = make(tmp_path, {"_config.yml": yaml.safe_dump({"defaults": defaults}), **posts})
    apply(site, plan(site).changes, everything)
    [*_, last] = read(site)["defaults"]
    found = last["values"] if last["scope"].get("type") == "generated" else {}
    assert found == ({"layout": "post", "lang": "en"} if given is None else given)


@pytest.mark.parametrize(
    ("config", "post", "collections"),
    [
        ("", "_articles/one.md", {"articles": {"output": True}}),
        ("collections_dir: c\n", "c/_articles/one.md", {"articles": {"output": True}}),
        ("collections: {articles: {output: false}}\n", "_articles/one.md", {"articles": {"output": False}}),
        ("collections: {articles: }\n", "_articles/one.md", {"articles": None}),
        ("", "_posts/2020-01-01-one.md", {}),
        ("collections_dir: c\nblog_gen: {articles: _articles}\n", "_articles/one.md", {}),
    ],
)
def test_articles_become_a_collection_unless_something_is_said_of_them(
    config: str, post: str, collections: dict[str, Any], tmp_path: Path
) -> None:
    site = make(tmp_path, {"_config.yml": config, post: "---\ntitle: One\n---\nHello.\n"})
    (change, *_) = apply(site, plan(site).changes, everything)
    found = read(site).get("collections", {})
    assert {label: found[label] for label in found if label != "generated"} == collections
    assert ("a collection for your articles" in change.why) == (collections == {"articles": {"output": True}})


def test_jekyll_3_loses_none_of_its_own_excludes(tmp_path: Path) -> None:
    site = make(tmp_path, LAYOUTS["_posts"])
    apply(site, plan(site).changes, everything)
    assert {"Gemfile", "Gemfile.lock", "node_modules", "vendor/bundle/"} <= set(read(site)["exclude"])


def test_a_list_of_excludes_gets_only_ours(tmp_path: Path) -> None:
    site = make(tmp_path, LAYOUTS["collections_dir"])
    apply(site, plan(site).changes, everything)
    assert read(site)["exclude"] == ["a", "b", ".blog_gen/"]


def test_git_is_told_to_ignore_the_state(tmp_path: Path) -> None:
    site = make(tmp_path, LAYOUTS["a collection"])
    apply(site, plan(site).changes, everything)
    assert (site / ".gitignore").read_text() == "_site\n.blog_gen/\n"


def test_github_gets_a_workflow_and_pages_own_builder_no_plugin(tmp_path: Path) -> None:
    site = make(tmp_path, LAYOUTS["collections_dir"])
    (site / "Gemfile").write_text('gem "github-pages", group: :jekyll_plugins\n')
    paths = {change.path.as_posix() for change in plan(site).changes}
    assert paths == {"_config.yml", ".gitignore", ".github/workflows/blog-gen.yml"}
    asked = {change.path.as_posix() for change in plan(site, plugin=True, workflow=False).changes}
    assert asked == {"_config.yml", ".gitignore", "_plugins/blog_gen.rb"}


def test_a_site_inside_a_repository_has_its_workflow_at_the_top(tmp_path: Path) -> None:
    make(tmp_path, {".git/config": ""})
    site = make(tmp_path / "docs", LAYOUTS["_posts"])
    made = apply(site, plan(site, workflow=True).changes, everything)
    workflow = tmp_path / ".github" / "workflows" / "blog-gen.yml"
    assert workflow.is_file()
    assert yaml.safe_load(workflow.read_text())["defaults"]["run"]["working-directory"] == "docs"
    assert len(made) == 4
    undo(site)
    assert not (tmp_path / ".github").exists()


def test_a_file_of_the_users_own_is_never_overwritten(tmp_path: Path) -> None:
    site = make(tmp_path, {**LAYOUTS["_posts"], "_plugins/blog_gen.rb": "# mine\n"})
    made = plan(site)
    assert not any(change.path.name == "blog_gen.rb" for change in made.changes)
    assert "it lacks" in said(made)


def test_settings_that_are_there_decide(tmp_path: Path) -> None:
    config = "blog_gen: {articles: _essays, output: _machine}\ntimezone: UTC\n"
    site = make(tmp_path, {"_config.yml": config, "_posts/2020-01-01-a.md": ""})
    apply(site, plan(site).changes, everything)
    assert set(read(site)["collections"]) == {"machine"}
    assert read(site)["blog_gen"] == {"articles": "_essays", "output": "_machine"}


def test_drafts_in_posts_need_no_collection(tmp_path: Path) -> None:
    site = make(tmp_path, {"_config.yml": "blog_gen: {articles: _posts, output: _drafts}\n"})
    apply(site, plan(site).changes, everything)
    assert "collections" not in read(site)


def test_what_is_missing_is_looked_for_in_all_the_files(tmp_path: Path) -> None:
    site = make(tmp_path, {"_config.yml": "title: A\n", "_dev.yml": "exclude: [x]\n"})
    apply(site, plan(site, ("_config.yml", "_dev.yml")).changes, everything)
    assert yaml.safe_load((site / "_dev.yml").read_text()) == {"exclude": ["x", ".blog_gen/"]}
    assert "exclude" not in read(site)
    assert plan(site, ("_config.yml", "_dev.yml")).changes == ()


def test_files_are_laid_over_each_other_as_jekyll_does(tmp_path: Path) -> None:
    site = make(tmp_path, {"_config.yml": "", "_dev.yml": "collections: {notes: {output: true}}\n"})
    apply(site, plan(site).changes, everything)
    assert plan(site, ("_config.yml", "_dev.yml")).changes == ()


def said(made: SetupPlan) -> str:
    return "\n".join(map(str, made.notes))


HANDWORK = {
    "collections as a list": ("collections: [notes]\n", "collections.generated"),
    "an alias": ("x: &x {notes: {output: true}}\ncollections: *x\n", "collections.generated"),
    "excludes that are a word": ("exclude: README.md\n", "exclude"),
    "output off": ("collections: {generated: {output: false}}\n", "will not be built"),
    "a folder that is no collection": ("blog_gen: {output: drafts/new}\n", "does not build"),
    "no time zone": ("title: A\n", "time zone"),
}


@pytest.mark.parametrize(("config", "words"), HANDWORK.values(), ids=HANDWORK.keys())
def test_what_cannot_be_done_by_text_is_said_and_the_rest_goes_on(
    config: str, words: str, tmp_path: Path
) -> None:
    site = make(tmp_path, {"_config.yml": config})
    made = plan(site)
    assert words in said(made)
    apply(site, made.changes, everything)
    assert holds(read(site), yaml.safe_load(config))
    assert "blog_gen" in read(site)


INVALID = {
    "tabs": "collections:\n\tnotes: 1\n",
    "not closed": "a: [1\n",
    "a list": "- a\n",
    "an unknown alias": "a: *b\n",
    "a wrong key of ours": "blog_gen: {modle: mini}\n",
    "a time zone that is none": "timezone: Mars/Olympus\n",
}


@pytest.mark.parametrize("config", INVALID.values(), ids=INVALID.keys())
def test_an_invalid_config_is_explained_and_not_touched(config: str, tmp_path: Path) -> None:
    site = make(tmp_path, {"_config.yml": config})
    with pytest.raises(ConfigError, match=r"_config\.yml"):
        plan(site)
    assert (site / "_config.yml").read_text() == config


@pytest.mark.parametrize(
    ("config", "advised"),
    [
        (INVALID["tabs"], True),
        ("a:\n  - b\n\t- c\n", True),
        ("é: @b\n", True),
        ("a: `b`\n", True),
        ("a: %b\n", True),
        ("a: [1\n", False),
        ("a: b: c\n", False),
        ("a: *b\n", False),
        ("a: \x01\n", False),
    ],
)
def test_tabs_and_marks_that_need_quotes_are_called_by_their_name(
    config: str, advised: bool, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(make(tmp_path, {"_config.yml": config}))
    assert ("never with tabs" in str(caught.value)) == advised


@pytest.mark.parametrize(
    ("files", "words"),
    [({}, "jekyll new"), ({"_config.toml": ""}, r"_config\.toml.*must be in YAML")],
)
def test_a_folder_without_a_config_is_explained(files: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        plan(make(tmp_path, files))


def test_a_blog_that_needs_no_settings_of_its_own_gets_the_file_for_ours(tmp_path: Path) -> None:
    site = make(tmp_path, {"_posts/2021-03-02-a.md": "---\ntitle: A\n---\nText.\n"})
    [config] = [change for change in plan(site, plugin=False).changes if change.path.name == "_config.yml"]
    assert config.before is None and "articles: _posts" in config.after
    with pytest.raises(ConfigError, match="no such file"):
        plan(site, ("_other.yml",))


@pytest.mark.parametrize(
    ("folders", "written"),
    [
        (("jekyll-feed", "_plugins"), "_plugins"),
        (("jekyll-feed", "./_own"), "_own"),
        (("jekyll-feed", "jemoji"), None),
    ],
)
def test_gems_named_as_folders_of_plugins_get_no_plugin(
    folders: tuple[str, str], written: str | None, tmp_path: Path
) -> None:
    make(tmp_path, {"_config.yml": f"plugins_dir: {list(folders)}\n", "_plugins/a.rb": ""})
    made = plan(tmp_path)
    plugins = [change.path for change in made.changes if change.path.name == "blog_gen.rb"]
    assert plugins == ([Path(written, "blog_gen.rb")] if written else [])
    assert any("`jekyll-feed`, `jemoji`" in str(note) for note in made.notes) == (written is None)


def test_what_is_missing_among_several_is_not_to_be_had_by_renaming_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"_dev\.yml.*no such file\. Name the folder"):
        plan(make(tmp_path, {"_config.yml": ""}), ("_config.yml", "_dev.yml"))


def test_a_config_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").mkdir()
    with pytest.raises(ConfigError, match=r"_config\.yml: the site's settings cannot be read"):
        load_settings(tmp_path)


def test_a_config_in_another_encoding_is_explained(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_bytes("title: Café\n".encode("latin-1"))
    with pytest.raises(BlogGenError, match=r"_config\.yml"):
        plan(tmp_path)


def test_the_sample_site_lacks_nothing(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "_config.yml", tmp_path)
    made = plan(tmp_path, plugin=False, workflow=False)
    assert (made.changes, made.notes) == ((), ())


def test_plugins_may_be_in_several_folders() -> None:
    several = Settings(jekyll={"plugins_dir": ["_plugins", "_more"]})
    assert plugin_folders(several) == [Path("_plugins"), Path("_more")]
    assert plugin_folders(Settings()) == [Path("_plugins")]


def test_a_note_names_the_file_that_is_there(tmp_path: Path) -> None:
    make(tmp_path, {"_config.yaml": "title: A\n"})
    assert {note.path.name for note in plan(tmp_path).notes} == {"_config.yaml"}


def test_a_source_that_a_build_makes_is_not_written_to(tmp_path: Path) -> None:
    make(
        tmp_path,
        {"_config.yml": "source: .tmp/src\n", "src/_posts/2026-01-02-a.md": "---\ntitle: A\n---\nA."},
    )
    with pytest.raises(ConfigError, match=r"`source` must be there; got `\.tmp/src`"):
        plan(tmp_path)
    make(tmp_path, {"_local.yml": "source: src\n"})
    assert plan(tmp_path, ["_config.yml", "_local.yml"]).found.counts == {"src/_posts": 1}


@pytest.mark.parametrize(
    ("name", "sentence", "articles", "output"),
    [
        ("posts-and-articles", "4 posts in `_posts`, 2 posts in `_articles`", "_posts", "_generated"),
        ("source", "4 posts in `src/_posts`", "src/_posts", "src/_generated"),
        ("collections-dir", "3 posts in `content/_posts`, 1 file in `content/_notes`", "content/_posts", ""),
        ("category-folders", "3 posts in `cooking/_posts`, 2 posts in `walking/_posts`", "**/_posts", ""),
        ("sub-folders", "5 posts in `_posts`", "_posts", ""),
        ("config-yaml", "3 posts in `_posts`", "_posts", ""),
    ],
)
def test_posts_are_counted_and_the_fullest_folder_is_taken(
    name: str, sentence: str, articles: str, output: str, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    shutil.copytree(REPOSITORY / "tests" / "sites" / name, site)
    made = plan(site, workflow=False)
    assert made.found.sentence.startswith(f"{sentence}; using `{articles}`.")
    assert ("`articles:` in your settings" in made.found.sentence) == ("," in sentence)
    apply(site, made.changes, everything)
    again = load_settings(site)
    assert (again.articles, again.publish) == (articles, "_posts")
    assert again.output == output or not output
    assert "model" not in again.given, "the base is not set by hand"
    assert plan(site, workflow=False).changes == ()


@pytest.mark.parametrize(
    ("posts", "notes", "dated", "taken"),
    [(1, 4, False, "_posts"), (2, 4, True, "_posts"), (1, 4, True, "_notes"), (0, 2, False, "_notes")],
)
def test_a_collection_is_the_blog_if_it_has_dates_and_far_more_than_posts_has(
    posts: int, notes: int, dated: bool, taken: str, tmp_path: Path
) -> None:
    head = "title: A\ndate: 2020-01-02\n" if dated else "title: A\n"
    files = {f"_posts/2020-01-0{number + 1}-a.md": "---\ntitle: A\n---\nText." for number in range(posts)}
    files |= {f"_notes/{number}.md": f"---\n{head}---\nText." for number in range(notes)}
    found = plan(make(tmp_path, {"_config.yml": "collections: [notes]\n", **files})).found
    assert found.taken == taken
    assert (f"{notes} {'posts' if dated else 'files'} in `_notes`") in found.sentence


def test_of_many_folders_only_the_fullest_are_named(tmp_path: Path) -> None:
    files = {f"_{label}/{number}.md": "---\ntitle: A\n---\nA." for label in "abcdefg" for number in range(2)}
    made = plan(make(tmp_path, {"_config.yml": f"collections: {list('abcdefg')}\n", **files}))
    assert made.found.sentence.startswith(
        "2 files in `_a`, 2 files in `_b`, 2 files in `_c`, more in 4 other folders; using `_a`."
    )


def test_a_site_without_posts_says_so(tmp_path: Path) -> None:
    made = plan(make(tmp_path, {"_config.yml": "", "_posts/.keep": "", "_posts/undated.md": "x"}))
    assert made.found.counts == {} and made.found.sentence.startswith("No posts found")


@pytest.mark.parametrize(("site", "taken"), [("posts-dir", "_posts"), ("category-folders", "**/_posts")])
def test_auto_is_the_folder_that_init_would_take(site: str, taken: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(REPOSITORY / "tests" / "sites" / site, folder)
    with (folder / "_config.yml").open("a") as file:
        file.write("\nblog_gen:\n  articles: auto\n")
    assert with_posts_found(load_settings(folder)).articles == taken
