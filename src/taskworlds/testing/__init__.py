"""Conformance suites for skills, worlds and engines, and parity with official environments."""
