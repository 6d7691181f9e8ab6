"""The command line: `blog-gen`. Thin: it finds the site, hands over to `commands`, and owns the exit codes.

0 done or nothing to do, 1 a failure that is explained, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from blog_gen import __version__
from blog_gen.commands.options import Site
from blog_gen.commands.output import forgive_encodings, say_note
from blog_gen.commands.registry import COMMANDS, LazyCommands
from blog_gen.errors import BlogGenError, RejectedError

# Flags that version 0.1 had by other names. They still work, unlisted, as the settings of that name do.
RENAMED_FLAGS = {
    "accumulate": "gradient-accumulation",
    "recompute": "activation-checkpointing",
    "no-recompute": "no-activation-checkpointing",
    "known-words": "vocabulary-constraint",
    "any-words": "no-vocabulary-constraint",
}


def _renamed(flag: str) -> str:
    """The name of today for a flag; a person who used an old one is told."""
    if flag in RENAMED_FLAGS:
        say_note(f"--{flag} is now called --{RENAMED_FLAGS[flag]}")
    return RENAMED_FLAGS.get(flag, flag)


@click.group(
    cls=LazyCommands,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": _renamed},
)
@click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The folder of the Jekyll site; by default the current one.",
)
@click.option(
    "--config",
    default="_config.yml",
    help="Settings file, or several separated by commas; later ones win, as in Jekyll.",
)
@click.version_option(__version__, prog_name="blog-gen")
@click.pass_context
def cli(context: click.Context, site: Path, config: str) -> None:
    """Drafts new posts for your Jekyll blog, in your voice, for you to review.

    It learns from the posts in _articles and writes to _generated. Start with `blog-gen run`.
    """
    context.obj = Site(site, tuple(config.split(",")))


def main() -> None:
    """Run the command line and turn every failure into one line and an exit code."""
    forgive_encodings()
    try:
        code = cli.main(prog_name="blog-gen", standalone_mode=False)
    except BlogGenError as error:
        if isinstance(error, RejectedError):
            click.echo(error.report, err=True)
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        from blog_gen.commands.interruption import end_at_once

        end_at_once()
    except BrokenPipeError:
        # Whoever read our output has gone: say nothing more, and let Python not flush into the void.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int) -> None:
    click.echo(f"blog-gen: {message}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
