"""From recordings to the index: a worker that reads what terminals showed."""
