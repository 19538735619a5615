"""The study: from the records of a sweep to gains, features and predictors."""
