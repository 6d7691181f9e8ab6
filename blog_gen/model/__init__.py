"""GPT-2: token ids, weights, checkpoints, training and sampling. It has never heard of a blog."""
