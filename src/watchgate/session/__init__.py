"""The life of a session, whatever its protocol; knows no protocol, no store and no web."""
