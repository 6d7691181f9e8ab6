"""The command line, a module for each group of commands: words in, one call of the pipeline, words out."""
