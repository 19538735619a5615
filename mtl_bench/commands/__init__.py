"""The commands of `mtl-bench`, a module each: `add` describes its arguments, `run` does it."""
