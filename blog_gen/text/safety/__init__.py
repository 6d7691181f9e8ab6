"""Making a text safe to build: `safe` is the whole, each other module one part of it."""
