"""What is left on a card goes back to its holder: asked for online, frozen, worked out, sent, paid; or given away."""
