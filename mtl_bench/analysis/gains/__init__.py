"""What an auxiliary task changes, and how sure that is."""
