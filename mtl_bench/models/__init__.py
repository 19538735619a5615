"""Models: a tagger of an input, an encoder and one head a task; their optimizers and kernels."""
