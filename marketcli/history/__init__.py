"""Asking for the past: plan, fetch, check."""
