"""Words to calls to exit codes."""
