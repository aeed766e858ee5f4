"""Cards and the wallets they open; the holder's page behind a card's QR code."""
