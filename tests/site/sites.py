"""Small sites of the forms that `init` meets in the wild, for tests to make in a throwaway folder."""

from __future__ import annotations

from pathlib import Path

POST = "---\ntitle: One\n---\nHello.\n"

LAYOUTS = {
    "_posts": {
        "_config.yml": "title: Posts  # mine\n\ndefaults:\n  - scope: {path: '', type: posts}\n"
        "    values:\n      layout: page\n      comments: true\n      permalink: /x/:title/\n\n# the end\n",
        "_posts/2020-01-01-one.md": POST,
        "_layouts/page.html": "<main>{{ content }}</main>",
    },
    "a collection": {
        "_config.yml": "timezone: Europe/Berlin\ncollections:\n  notes:\n    output: true # yes\n"
        "exclude:\n- README.md\nplugins: []\n",
        "_notes/one.markdown": POST,
        ".gitignore": "_site",
    },
    "collections_dir": {
        "_config.yml": "collections_dir: blog\ncollections: {notes: {output: true}}\nexclude: [a, b]\n",
        "blog/_posts/2020-01-01-one.md": POST,
        ".git/config": "[remote]\n\turl = git@github.com:someone/blog.git\n",
    },
    "an empty config": {"_config.yml": "", "_articles/one.md": POST},
}
ARTICLES = {
    "_posts": "_posts",
    "a collection": "_notes",
    "collections_dir": "blog/_posts",
    "an empty config": "_articles",
}


def make(folder: Path, files: dict[str, str]) -> Path:
    """Write `files`, texts by path, into `folder`; the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def everything(_: object) -> bool:
    """Yes to whatever `init` asks."""
    return True
