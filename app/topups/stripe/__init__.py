"""Stripe as a payment provider: Checkout Sessions, in euros."""

from app.topups.stripe.adapter import Stripe

__all__ = ["Stripe"]
