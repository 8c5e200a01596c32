"""Lists of machines that others keep: OpenSSH's, Ansible's, and plain ones, read as targets."""
