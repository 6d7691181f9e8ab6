"""Setting a site up: what `init` adds to its files, shown first and taken back on request."""
