"""The targets' own logs beside ours: which logins came through the gateway, and which went round it."""
