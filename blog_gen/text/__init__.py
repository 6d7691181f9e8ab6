"""Posts as text: what the model reads and writes, Markdown to plain text, what is safe to build."""
