"""What all web pages of the project share: who may ask for them, their files, and what they are told live."""
