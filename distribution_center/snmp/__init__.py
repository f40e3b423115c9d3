"""What the distribution center shows by SNMP."""
