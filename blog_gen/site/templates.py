"""Texts from templates: the package's own, or a file of the same name in the site's `_templates/` folder.

Knows Jinja2 and nothing of what the texts are for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blog_gen.errors import BlogGenError, Note

FOLDER = "_templates"  # with the underscore, Jekyll leaves it alone
OLD_FOLDER = "templates"  # version 0.1; still read


def render(name: str, site: Path, /, **values: Any) -> str:
    """The template `name` (with its extension) filled in with `values`, which it may not lack.

    A template of the site runs in a sandbox: it can lay out text and do nothing else.

    Raises:
        BlogGenError: the site's template is faulty or asks for a value that there is not.
    """
    import jinja2  # here, since most commands render nothing
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    own = jinja2.FileSystemLoader([site / FOLDER, *_old_folder(site)])
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.ChoiceLoader([own, jinja2.PackageLoader("blog_gen.templates", "")]),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html.j2"]),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(name).render(values)
    except (jinja2.TemplateError, UnicodeDecodeError) as error:
        where = getattr(error, "filename", None) or name
        line = getattr(error, "lineno", None)
        got = f"{error} (line {line})" if line else str(error)
        raise BlogGenError("a template must be valid Jinja2", got=got, path=where) from error


def old_templates(site: Path) -> list[Note]:
    """A note where the site's own templates are still in the folder of version 0.1."""
    if not (folders := _old_folder(site)):
        return []
    from importlib import resources

    names = {path.name for path in resources.files("blog_gen.templates").iterdir()}
    return [
        Note(folder, f"a site's own templates belong in `{FOLDER}/`", "they are still read from here")
        for folder in folders
        if any(path.name in names for path in folder.iterdir())
    ]


def _old_folder(site: Path) -> list[Path]:
    """The site's `templates/`, unless it is the package's own, as in a clone of blog_gen."""
    folder = site / OLD_FOLDER
    return [folder] if folder.is_dir() and not (folder / "__init__.py").exists() else []
