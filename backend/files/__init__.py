"""Disk, uploads, downloads."""
