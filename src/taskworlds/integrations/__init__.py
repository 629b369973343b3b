"""Environments in the types of other libraries; each module needs the library that it is named after."""
