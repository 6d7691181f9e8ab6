"""Settings of a run that was trained elsewhere and came home: above the defaults, below the site's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blog_gen.errors import ConfigError
from blog_gen.files import read_json

IMPORTED_FILE = "imported.json"  # in the state folder


def imported(state_folder: Path) -> dict[str, Any]:
    """These settings, as under the site's key; none where no run was imported.

    Raises:
        ConfigError: the file is damaged.
    """
    path = state_folder / IMPORTED_FILE
    try:
        values = read_json(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        values = error
    if not isinstance(values, dict):
        rule, fix = "the settings of the imported run must be readable", "Import it again, or remove the file"
        raise ConfigError(rule, got=values, fix=fix, path=path)
    return values
