"""Where a human says yes or no to drafts: on the terminal, and on a page of this machine only."""
