"""What people look at: figures of a study, and one page that holds them."""
