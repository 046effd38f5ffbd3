"""A stand-in for AWS on this machine: moto's server, mended where Terraform or the chain of events needs it.

It proves the wiring (names, roles, events, arguments), not AWS itself. moto is pinned; every patch has a test that
fails when moto no longer needs it.
"""
