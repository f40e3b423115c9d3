"""What runs on every blade: chassis blade controller, main board, and what both stand on."""
