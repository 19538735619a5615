"""Task types, one file a type: targets, their checks and statistics, metrics. No torch."""
