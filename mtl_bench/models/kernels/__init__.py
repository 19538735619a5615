"""C++ and hand-written gradients; nothing outside `models` sees them."""
