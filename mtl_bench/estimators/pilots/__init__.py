"""What estimators look at: taggers of each task alone and of all in one model, for some steps."""
