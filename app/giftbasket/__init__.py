"""A gift voucher and what is missing for it, paid on the payment page in one basket."""
