"""From words and labels to numbers: vocabularies and word vectors."""
