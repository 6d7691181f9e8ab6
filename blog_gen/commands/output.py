"""How text leaves the process: nothing that a terminal or a pipe lacks the letters for stops a command."""

from __future__ import annotations

import io
import json
import sys

import click


def forgive_encodings() -> None:
    """From now on, characters that a standard stream does not have are replaced, coming or going."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):  # None where the process has none
            stream.reconfigure(errors="replace")


def say_json(value: object) -> None:
    """One line of JSON to standard output: always UTF-8, whatever the locale."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace"))


def say_note(note: object) -> None:
    """One line to standard error, for a person."""
    click.echo(f"note: {note}", err=True)
