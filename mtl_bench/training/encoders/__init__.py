"""Encoders, one file each: from the vectors [U, D] of a batch's words to states [N, size]."""
