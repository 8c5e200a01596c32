"""How other processes speak to a serving gateway."""
