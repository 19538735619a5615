"""Training: batches, samplers, the tagger, and the run that ties them together."""
