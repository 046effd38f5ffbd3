"""The cloud layout: what roles may do, that sets start once, and the rehearsal."""
