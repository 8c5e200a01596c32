"""Events for the world outside: their views, their transports, and delivery that loses nothing."""
