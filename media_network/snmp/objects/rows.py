"""What standard tables say of the rows in them: how they are stored, and that they are in force (RFC 2579)."""

from media_network.snmp.value import enumerated

STORAGE_TYPE = enumerated(other=1, volatile=2, nonVolatile=3, permanent=4, readOnly=5)
ROW_STATUS = enumerated(active=1, notInService=2, notReady=3, createAndGo=4, createAndWait=5, destroy=6)
READ_ONLY_STORAGE = 5
ROW_ACTIVE = 1
