"""What `mtl-bench check` says of a corpus of any type; types add what is theirs."""
