"""The commands by name; `COMMANDS` says in which module each one is, so that only it is imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

# name: (module, what `blog-gen --help` says)
COMMANDS = {
    "run": ("writing", "Learn if posts changed, write what is due today, else do nothing."),
    "train": ("writing", "Learn from your posts now."),
    "generate": ("writing", "Write drafts now."),
    "review": ("review", "Say yes or no to drafts."),
    "sample": ("sampling", "Print text from the model; nothing is written to the site."),
    "corpus": ("reading", "Show exactly what the model learns from."),
    "evaluate": ("reading", "Measure how well a model predicts posts."),
    "reproduce": ("reading", "Write a draft again from its provenance, and compare."),
    "models": ("models", "List, download, import and export models."),
    "init": ("home", "Make a Jekyll site ready for blog-gen."),
    "schedule": ("home", "Run every day: cron, systemd or GitHub Actions."),
    "status": ("reading", "Show what is trained, due and waiting for review."),
    "pretrain": ("pretraining", "For maintainers: make a base model from scratch."),
}


class LazyCommands(click.Group):
    """A group whose commands are imported when they are called, not to list them."""

    def __init__(self, *args: Any, commands_at: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._at:
            return None
        module = importlib.import_module(f"blog_gen.commands.{self._at[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in self._at.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when one is misspelt."""
        import difflib

        close = difflib.get_close_matches(args[0], self._at, n=1)
        if args[0] not in self._at and not args[0].startswith("-") and close:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{close[0]}'?")
        return super().resolve_command(ctx, args)
