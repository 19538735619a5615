"""From `conf/` to a checked configuration, its run key, and explanations of mistakes."""
