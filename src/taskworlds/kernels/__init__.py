"""Kernels: what an engine calls after a row's physics, to observe and to reward it.

A kernel is written as ordinary Python functions (`entry`). It is compiled by numba when it is first used (`compiler`),
and kept on disk (`numba_kernel`). The kernels of this package's own skills are compiled when the package is built, and
stand in a library beside this file (`library`), so numba need not be imported for them.
"""
