"""Output layers, one file a task type: layer, loss, decoding."""
