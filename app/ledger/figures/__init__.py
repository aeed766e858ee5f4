"""Figures kept beside the ledger: what moved each business day, and where the money that cards hold and spend was
loaded. All of it is worked out from the transfers, in their order, and may be thrown away and worked out again.
"""
