"""The board under the CBC, as its hardware profile knows it: measured off the event loop, answered from memory."""
