"""The Raspberry Pi agent: reads cards, sells, journals, syncs."""
