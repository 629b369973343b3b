"""The classes of the systems that taskworlds replaces, a folder each."""
