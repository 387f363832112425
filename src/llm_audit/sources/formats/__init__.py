"""Log formats, one module each, in rooms by the kind of product that writes them."""
