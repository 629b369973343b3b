"""mtrl's vector environments, and the wrappers that they are made from."""
