"""The conversation with each slot: what is asked, what is known, what was heard last."""
