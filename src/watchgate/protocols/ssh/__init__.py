"""SSH: both connections end here."""
