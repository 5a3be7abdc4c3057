"""Exchanges on a loopback port, with faults on request."""
