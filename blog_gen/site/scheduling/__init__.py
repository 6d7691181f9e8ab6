"""The daily run: as cron, systemd and GitHub take it."""
