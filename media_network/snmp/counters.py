"""What an SNMP engine counts: the counters of its own MIBs, in one place."""


class Counters:
    """Counts since the start of the engine; a provider reads them as they are."""

    __slots__ = (
        "decryption_errors",
        "in_asn_parse_errors",
        "in_bad_community_names",
        "in_bad_community_uses",
        "in_bad_versions",
        "in_packets",
        "invalid_messages",
        "not_in_time_windows",
        "out_packets",
        "over_budget",
        "oversized",
        "reports_withheld",
        "silent_drops",
        "unavailable_contexts",
        "unknown_contexts",
        "unknown_engine_ids",
        "unknown_pdu_types",
        "unknown_security_models",
        "unknown_user_names",
        "unsupported_security_levels",
        "wrong_digests",
    )

    def __init__(self) -> None:
        # SNMPv2-MIB, snmp group (RFC 3418)
        self.in_packets = 0
        self.out_packets = 0
        """snmpOutPkts, which is obsolete but still asked for."""
        self.in_bad_versions = 0
        self.in_bad_community_names = 0
        self.in_bad_community_uses = 0
        self.in_asn_parse_errors = 0
        self.silent_drops = 0
        # SNMP-MPD-MIB (RFC 3412)
        self.unknown_security_models = 0
        self.invalid_messages = 0
        self.unknown_pdu_types = 0
        """snmpUnknownPDUHandlers."""
        # SNMP-TARGET-MIB (RFC 3413)
        self.unavailable_contexts = 0
        self.unknown_contexts = 0
        # SNMP-USER-BASED-SM-MIB (RFC 3414)
        self.unsupported_security_levels = 0
        self.not_in_time_windows = 0
        self.unknown_user_names = 0
        self.unknown_engine_ids = 0
        self.wrong_digests = 0
        self.decryption_errors = 0
        # Ours
        self.oversized = 0
        """Datagrams dropped by their length, before a look at them."""
        self.over_budget = 0
        """Answers not given because their receiver had more than its share."""
        self.reports_withheld = 0
        """Reports not sent because too many were."""

    @property
    def authentication_failures(self) -> int:
        """Messages whose sender was not who he said, or nobody: what authenticationFailure tells of."""
        return self.in_bad_community_names + self.unknown_user_names + self.wrong_digests
