"""Finding sessions by what was done in them."""
