"""Encoders, one file each: from word vectors [N, D] and their batch to states [N, size]."""
