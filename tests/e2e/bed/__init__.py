# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The end-to-end test bed: a network of its own, DNS, servers that misbehave on purpose, real nginx, and a handle on the tracer."""
