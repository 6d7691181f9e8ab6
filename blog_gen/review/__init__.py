"""Where a human says yes or no to drafts."""
